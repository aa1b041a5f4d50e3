#ifndef BERTH_CLI_RENDER_EVENTS_H_
#define BERTH_CLI_RENDER_EVENTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// The line over the events that RenderEvent() prints.
std::string EventHeading();

// An event of a session for people, as one line: when, what, which session,
// and what there is to say of it, such as how a command ended. `with_owner`:
// its id is "alice/3".
std::string RenderEvent(const v1::SessionEvent& event, bool with_owner = false);

// "ended", "idle-warning".
std::string EventName(v1::SessionEvent::Kind kind);

// The inverse, in any case. InvalidArgument lists the names.
absl::StatusOr<v1::SessionEvent::Kind> ParseEventName(absl::string_view name);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_EVENTS_H_

#ifndef BERTH_CLI_RENDER_SESSIONS_H_
#define BERTH_CLI_RENDER_SESSIONS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/render/format.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// A list of sessions, as `ls` prints it. `now` is for times like "5m" ago.
std::string RenderSessions(const std::vector<v1::Session>& sessions,
                           Format format, absl::Time now);

// "Opened", "Disconnected", "Broken", "Closed".
std::string StateName(v1::SessionState state);

// The state of that name, in any case. InvalidArgument if there is none.
absl::StatusOr<v1::SessionState> ParseState(absl::string_view name);

// "None", "Available", "Busy".
std::string AvailabilityName(v1::SessionAvailability availability);

// What it is doing, for people: "idle", "make -j8", "vim (terminal)".
std::string Describe(const v1::Activity& activity);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_SESSIONS_H_

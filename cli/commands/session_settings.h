#ifndef BERTH_CLI_COMMANDS_SESSION_SETTINGS_H_
#define BERTH_CLI_COMMANDS_SESSION_SETTINGS_H_

#include <optional>

#include "absl/time/time.h"
#include "base/proto_time.h"
#include "cli/commands/parser.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What can be said of a session when it is made, left and connected to again.
struct SessionSettings {
  std::optional<absl::Duration> idle_timeout;
  bool never_idles = false;
  v1::BufferingMode buffering = v1::BUFFERING_MODE_UNSPECIFIED;

  // --idle-timeout TIME|never and --buffering block|drop.
  void AddTo(Parser& parser);

  // Sets what was said in a request to create, connect or disconnect.
  template <typename Request>
  void Apply(Request& request) const {
    if (idle_timeout) {
      *request.mutable_idle_timeout() = ToProto(*idle_timeout);
      request.set_never_idles(false);
    }
    if (never_idles) {
      request.clear_idle_timeout();
      request.set_never_idles(true);
    }
    if (buffering != v1::BUFFERING_MODE_UNSPECIFIED) {
      request.set_buffering(buffering);
    }
  }
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_SESSION_SETTINGS_H_

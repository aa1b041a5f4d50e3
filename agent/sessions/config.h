#ifndef BERTH_AGENT_SESSIONS_CONFIG_H_
#define BERTH_AGENT_SESSIONS_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth::agent {

// No session's idle timeout is shorter: it would end between two commands.
inline constexpr absl::Duration kMinIdleTimeout = absl::Seconds(60);

// A profile that sessions are made from.
struct Configuration {
  std::string shell = "/bin/bash";
  // None: an interactive shell, as in a terminal window.
  std::vector<std::string> arguments;
  absl::Duration idle_timeout = absl::Hours(2);
  absl::Duration max_idle_timeout = absl::Hours(12);
  uint64_t log_limit = 64 << 20;
  bool drop_when_full = false;
};

// An agent's settings. There is always a configuration called "default".
struct Config {
  std::map<std::string, Configuration> configurations = {
      {std::string("default"), Configuration()}};
  // Used by requests that name none.
  std::string default_configuration = "default";
  // Live sessions that this computer takes.
  uint32_t max_sessions = 256;
};

// Parses the text of an agent.toml:
//
//   max_sessions = 256
//   default_configuration = "default"
//   [configurations.default]
//   shell = "/bin/bash"
//   arguments = []
//   idle_timeout = "2h"
//   max_idle_timeout = "12h"
//   log_limit = "64MiB"
//   when_full = "block"    # or "drop"
//
// Everything is optional. INVALID_ARGUMENT, with `path` and the line: a key
// that does not exist, or a value that makes no sense.
absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CONFIG_H_

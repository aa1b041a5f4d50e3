#ifndef BERTH_AGENT_SESSIONS_CONFIGURATION_H_
#define BERTH_AGENT_SESSIONS_CONFIGURATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sessions/toml_reader.h"

namespace berth::agent {

// No session's idle timeout is shorter: it would end between two commands.
inline constexpr absl::Duration kMinIdleTimeout = absl::Seconds(60);

// What a configuration's `shell` is.
enum class ShellKind { kBash, kZsh, kPython, kRestricted };

// A program that sessions of kind restricted may run.
struct AllowedProgram {
  std::string name;
  std::string path;
  // Each argument must match the pattern at its place, as a whole.
  std::vector<std::string> arguments;
  // The last pattern may match any number of arguments.
  bool repeat_last = false;
};

// Limits; none where not set.
struct Limits {
  std::optional<uint64_t> max_sessions;
  std::optional<uint64_t> max_sessions_per_user;
  std::optional<uint64_t> memory;     // Bytes.
  std::optional<uint64_t> processes;  // With threads.
  std::optional<double> cpu;          // Cores.
  std::optional<uint64_t> open_files;
  std::optional<uint64_t> file_size;  // Bytes.
};

// A profile that sessions are made from.
struct Configuration {
  std::string description;
  bool enabled = true;
  std::string shell = "/bin/bash";
  ShellKind kind = ShellKind::kBash;
  bool login = false;
  // None: an interactive shell, as in a terminal window.
  std::vector<std::string> arguments;
  // A file's absolute path, or a script itself.
  std::string startup_script;
  std::map<std::string, std::string> environment;
  std::string cwd;  // Empty: the home directory.
  // "agent", "caller" or an account; empty: as agent.toml says.
  std::string run_as;
  // Nothing that runs in a session gains rights by what it executes. Always so
  // in restricted ones.
  bool no_new_privileges = false;
  absl::Duration idle_timeout = absl::Hours(2);
  absl::Duration max_idle_timeout = absl::Hours(12);
  bool may_never_idle = false;
  // The idle clock runs even while something runs.
  bool idle_while_busy = false;
  uint64_t log_limit = 64 << 20;
  bool drop_when_full = false;
  // What may be copied into a restricted session, altogether.
  uint64_t copy_limit = 64 << 20;
  Limits limits;
  std::vector<AllowedProgram> allowed;
  // What of its sessions is recorded.
  bool record_terminal = false;
  bool record_commands = false;
};

// Parses the text of one configuration's file: its keys are those of a
// [configurations.NAME] in agent.toml (see docs/OPERATING.md), all optional.
// INVALID_ARGUMENT, with `path` and the line: a key that does not exist, or a
// value that makes no sense.
absl::StatusOr<Configuration> ParseConfiguration(absl::string_view text,
                                                 absl::string_view path);

// The same for a table that was read already.
absl::StatusOr<Configuration> ReadConfiguration(const TomlReader& reader,
                                                const toml::table& table);

// The script itself: what the file has if `startup_script` is a path.
// FAILED_PRECONDITION: it can't be read, or is too long.
absl::StatusOr<std::string> StartupScript(const Configuration& configuration);

// "terminal", "commands", "all", or empty: what is recorded.
std::string RecordText(const Configuration& configuration);

// "bash", "zsh", "python", "restricted".
std::string KindName(ShellKind kind);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CONFIGURATION_H_

#ifndef BERTH_AGENT_SHELL_SPAWN_H_
#define BERTH_AGENT_SHELL_SPAWN_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace berth::shell {

// As setrlimit(2).
struct ResourceLimit {
  uint32_t resource = 0;  // RLIMIT_…
  uint64_t limit = 0;
  std::optional<uint64_t> hard = {};  // Not set: the same.
};

// Who a program runs as.
struct Credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // The other ones; no more are left.
};

// A program to start.
struct SpawnOptions {
  std::string program;                 // Absolute.
  std::string name;                    // argv[0]; if empty, `program`.
  std::vector<std::string> arguments;  // After argv[0].
  std::vector<std::string> environment;
  std::string cwd;  // If it can't be entered: "/".
  // The program's soft limit of open files, if not ours. `limits` win.
  std::optional<uint64_t> open_files;
  std::vector<ResourceLimit> limits;
  // A cgroup's directory, which the program is moved to. Empty: ours.
  std::string cgroup;
  // Not set: who we are. Without any of our capabilities.
  std::optional<Credentials> credentials;
  std::optional<mode_t> umask;  // Not set: ours.
  // Nothing that the program executes gains rights by that.
  bool no_new_privileges = false;
  // Instead of `cwd` and `cgroup`, for who may not open these any more: the
  // directory, and the cgroup's file cgroup.procs. They stay the caller's.
  int cwd_fd = -1;
  int cgroup_procs_fd = -1;
  // Descriptors that the program gets as 3, 4 and so on; at most 4. They stay
  // the caller's.
  std::vector<int> inherited;
};

// The file by which a program gets into the cgroup of `options`.
absl::StatusOr<UniqueFd> OpenCgroup(const SpawnOptions& options);

// What a program gets as descriptors 0, 1 and 2. They stay the caller's.
struct Streams {
  int in = -1;
  int out = -1;
  int err = -1;
};

enum class Leads {
  kTerminalSession,  // A new session, whose terminal its stdin is.
  kProcessGroup,     // A new process group, without a terminal.
};

// Starts a program with all signals at their defaults and no other
// descriptors. Limits, cgroup and credentials hold before its first
// instruction. The error names the program, limit, cgroup or user, and says why
// it did not do; INVALID_ARGUMENT: no such resource.
absl::StatusOr<pid_t> Spawn(const SpawnOptions& options, const Streams& streams,
                            Leads leads);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_SPAWN_H_

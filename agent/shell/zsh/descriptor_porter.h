#ifndef BERTH_AGENT_SHELL_ZSH_DESCRIPTOR_PORTER_H_
#define BERTH_AGENT_SHELL_ZSH_DESCRIPTOR_PORTER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "agent/shell/spawn.h"
#include "base/unique_fd.h"

namespace berth::shell {

// A process of the session's user that stands between the holder and a shell
// that opens descriptors by /proc: the holder's own nobody may open, as it is
// another user's. It has the descriptors of the latest line, and no rights that
// the shell has not. If it is killed, the shell can't be told anything more.
// One thread.
class DescriptorPorter {
 public:
  // What the program that runs this is called with to become one.
  static constexpr char kArgument[] = "--carry-descriptors";

  // Starts it as `options` say: whose it is, its limits and its cgroup. It
  // writes lines to `requests`. It ends with this.
  static absl::StatusOr<std::unique_ptr<DescriptorPorter>> Start(
      const SpawnOptions& options, UniqueFd requests);

  // Gives it `fds` in place of those that it has, and has it write `line`. At
  // most kMostDescriptors and kMaxLine bytes. Never waits. FAILED_PRECONDITION:
  // it is gone. RESOURCE_EXHAUSTED: the shell has not read what was sent
  // before.
  absl::Status Send(absl::string_view line, absl::Span<const int> fds);

  // Has it keep what it has, and write `line`.
  absl::Status Send(absl::string_view line);

  // It has them as this and the numbers that follow.
  static constexpr int kFirst = 10;
  static constexpr size_t kMostDescriptors = 4;
  static constexpr size_t kMaxLine = 256;
  pid_t pid() const { return pid_; }

 private:
  DescriptorPorter(pid_t pid, UniqueFd socket)
      : pid_(pid), socket_(std::move(socket)) {}

  const pid_t pid_;
  const UniqueFd socket_;
};

// What it does: until the holder is gone, or the shell is. Returns its exit
// status.
int CarryDescriptors();

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_ZSH_DESCRIPTOR_PORTER_H_

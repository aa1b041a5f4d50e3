#ifndef BERTH_CLI_SSH_JUMP_H_
#define BERTH_CLI_SSH_JUMP_H_

#include <atomic>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "cli/ssh/ssh_session.h"

namespace berth::cli {

// A way to a host through another: what is written to one end of a socket pair
// goes through a forwarding of the jump host's, by a thread of its own, which
// is the only one that touches that session. The far host's key is checked by
// whoever speaks SSH over it: the jump host is trusted with nothing.
class Jump {
 public:
  // Opens a forwarding from `session` to `target`, whose name the jump host
  // resolves. UNAVAILABLE: the jump host can't reach it, or may not.
  static absl::StatusOr<std::unique_ptr<Jump>> Open(SshSession session,
                                                    const SshTarget& target);
  ~Jump();
  Jump(const Jump&) = delete;
  Jump& operator=(const Jump&) = delete;

  // The near end; a socket that does not block. Call once.
  UniqueFd TakeSocket() { return std::move(near_); }

 private:
  Jump(SshSession session, ssh_channel channel, UniqueFd near, UniqueFd far);

  void Pump();

  SshSession session_;
  const ssh_channel channel_;  // Freed with the session.
  UniqueFd near_;
  const UniqueFd far_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_JUMP_H_

#ifndef BERTH_CLI_SSH_SSH_SESSION_H_
#define BERTH_CLI_SSH_SSH_SESSION_H_

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "cli/ssh/authenticate.h"
#include "cli/ssh/host_key.h"
#include "cli/ssh/target.h"
#include "libssh/libssh.h"

namespace berth::cli {

// Whom to believe, and what to log in with. ~/.ssh/config is not read.
struct SshRules {
  HostKeyRules host_keys;
  SshKeys keys;
  std::string ssh_directory;  // ~/.ssh.
};

// What a command on the other side did.
struct RemoteResult {
  int exit_status = -1;  // -1: it did not say, as after a signal.
  std::string out;       // The first 256 KiB.
  std::string err;       // The same.
};

// A connection to an SSH server whose key was checked, logged in. One thread at
// a time. Its calls wait for the server for as long as it takes: cut the socket
// (see Lifeline) to end them.
class SshSession {
 public:
  // Over a connected socket that does not block. Errors as CheckHostKey() and
  // Authenticate(); UNAVAILABLE: it is no SSH server, or none that has an
  // algorithm in common.
  static absl::StatusOr<SshSession> Start(const SshTarget& target,
                                          UniqueFd socket,
                                          const SshRules& rules);

  SshSession(SshSession&&) = default;
  SshSession& operator=(SshSession&&) = default;

  // Runs `command` by the login shell of the account there, with `input`.
  absl::StatusOr<RemoteResult> Run(const std::string& command,
                                   absl::string_view input = "");

  // Stores `data` in a new file, over SFTP, under another name until all of it
  // is there. `progress` is told how many bytes are. FAILED_PRECONDITION: the
  // server has no SFTP.
  absl::Status Upload(absl::string_view data, const std::string& path,
                      mode_t mode,
                      const std::function<void(size_t done)>& progress);

  // Not owned by the caller.
  ssh_session get() const { return session_.get(); }

 private:
  struct End {
    void operator()(ssh_session session) const {
      ssh_disconnect(session);
      ssh_free(session);
    }
  };
  using Handle = std::unique_ptr<std::remove_pointer_t<ssh_session>, End>;

  explicit SshSession(Handle session) : session_(std::move(session)) {}

  Handle session_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_SSH_SESSION_H_

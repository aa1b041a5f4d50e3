#ifndef BERTH_CLI_SSH_SSH_ERROR_H_
#define BERTH_CLI_SSH_SSH_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libssh/libssh.h"

namespace berth::cli {

// UNAVAILABLE: `what` could not be done, for the reason that libssh gives for a
// session. It may hold text of the server's: to be escaped before it is shown.
inline absl::Status SshError(absl::string_view what, ssh_session session) {
  const absl::string_view why = ssh_get_error(session);
  return absl::UnavailableError(
      why.empty() ? absl::StrCat(what, ": the connection was closed")
                  : absl::StrCat(what, ": ", why));
}

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_SSH_ERROR_H_

#include <fcntl.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/ssh/ssh_error.h"
#include "cli/ssh/ssh_session.h"
#include "libssh/sftp.h"

namespace berth::cli {
namespace {

// What every SFTP server takes in one message, and what OpenSSH's takes: each
// is answered before the next is sent, so on a long way size is speed.
constexpr size_t kSafeChunk = 32 << 10;
constexpr size_t kOpenSshChunk = 192 << 10;

using Sftp = std::unique_ptr<std::remove_pointer_t<sftp_session>,
                             void (*)(sftp_session)>;

absl::Status SftpFailure(absl::string_view what, const std::string& path,
                         sftp_session sftp, ssh_session session) {
  const std::string text = absl::StrCat(what, " ", path, " over SFTP");
  switch (sftp_get_error(sftp)) {
    case SSH_FX_PERMISSION_DENIED:
      return absl::PermissionDeniedError(text + ": permission denied");
    case SSH_FX_NO_SUCH_FILE:
      return absl::NotFoundError(text + ": no such folder");
    case SSH_FX_FAILURE:
      return absl::ResourceExhaustedError(
          text + ": refused; is there room on that disk?");
    default:
      return SshError(text, session);
  }
}

}  // namespace

absl::Status SshSession::Upload(
    absl::string_view data, const std::string& path, mode_t mode,
    const std::function<void(size_t done)>& progress) {
  const Sftp sftp(sftp_new(get()), sftp_free);
  if (sftp == nullptr || sftp_init(sftp.get()) != SSH_OK) {
    return absl::FailedPreconditionError(
        absl::StrCat("no SFTP there: ", ssh_get_error(get()),
                     "; its sshd_config takes 'Subsystem sftp internal-sftp'"));
  }
  const std::string part = path + ".part";
  sftp_file file =
      sftp_open(sftp.get(), part.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file == nullptr) return SftpFailure("make", part, sftp.get(), get());
  const size_t chunk =
      ssh_get_openssh_version(get()) != 0 ? kOpenSshChunk : kSafeChunk;
  for (size_t done = 0; done < data.size();) {
    const size_t size = std::min(chunk, data.size() - done);
    const ssize_t written = sftp_write(file, data.data() + done, size);
    if (written <= 0) {
      const absl::Status status = SftpFailure("write", part, sftp.get(), get());
      sftp_close(file);
      return status;
    }
    done += written;
    progress(done);
  }
  if (sftp_close(file) != SSH_OK) {
    return SftpFailure("close", part, sftp.get(), get());
  }
  if (sftp_rename(sftp.get(), part.c_str(), path.c_str()) != SSH_OK) {
    return SftpFailure("rename", part, sftp.get(), get());
  }
  return absl::OkStatus();
}

}  // namespace berth::cli

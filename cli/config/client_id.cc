#include "cli/config/client_id.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/config/paths.h"

namespace berth::cli {

absl::StatusOr<std::string> LoadOrMakeClientId(const Environment& environment) {
  BERTH_ASSIGN_OR_RETURN(const std::string directory,
                         StateDirectory(environment));
  const std::string path = absl::StrCat(directory, "/client-id");
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
    const std::string own = absl::StrCat(path, ".", NewUuid());
    BERTH_RETURN_IF_ERROR(WriteFileAtomically(own, NewUuid() + "\n"));
    // Unlike rename(), link() lets only the first of several win.
    const int linked = link(own.c_str(), path.c_str());
    const int error = errno;
    unlink(own.c_str());
    if (linked != 0 && error != EEXIST) return ErrnoToStatus(error, path);
    text = ReadFile(path);
  }
  if (!text.ok()) return text.status();
  std::string id(absl::StripAsciiWhitespace(*text));
  if (IsUuid(id)) return id;
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": not a UUID; remove the file, and a new one will be made"));
}

std::string ClientName(const Environment& environment) {
  std::string user(environment.Get("USER"));
  if (user.empty()) user = std::string(environment.Get("LOGNAME"));
  if (user.empty()) user = absl::StrCat("uid", getuid());
  const absl::StatusOr<std::string> host = HostName();
  // The contract allows 200 bytes.
  return absl::StrCat(user, "@", host.ok() ? *host : "unknown").substr(0, 200);
}

absl::StatusOr<std::string> HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  if (gethostname(name, HOST_NAME_MAX) != 0 || name[0] == '\0') {
    return absl::InvalidArgumentError(
        "this machine has no host name; name a computer with -c");
  }
  return std::string(name);
}

}  // namespace berth::cli

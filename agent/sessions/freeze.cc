#include "agent/sessions/freeze.h"

#include <unistd.h>

#include <cerrno>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxReason = 200;
constexpr char kNoReason[] = "by its administrator";

std::string FileIn(const std::string& state_directory) {
  return state_directory + "/frozen";
}

}  // namespace

std::string FrozenReason(const std::string& state_directory) {
  const absl::StatusOr<std::string> text =
      ReadFile(FileIn(state_directory), 4 * kMaxReason);
  if (absl::IsNotFound(text.status())) return "";
  if (!text.ok()) return std::string(text.status().message());
  const absl::string_view reason = absl::StripAsciiWhitespace(*text);
  return reason.empty() ? kNoReason : std::string(reason.substr(0, kMaxReason));
}

absl::Status Freeze(const std::string& state_directory,
                    absl::string_view reason) {
  if (reason.size() > kMaxReason || absl::StrContains(reason, '\n')) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the reason must be one line of ", kMaxReason, " bytes at most"));
  }
  return WriteFileAtomically(FileIn(state_directory),
                             absl::StrCat(reason, "\n"));
}

absl::Status Unfreeze(const std::string& state_directory) {
  const std::string path = FileIn(state_directory);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoToStatus(errno, path);
}

}  // namespace berth::agent

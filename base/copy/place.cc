#include "base/copy/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/copy/names.h"
#include "base/copy/quota.h"
#include "base/copy/sorted_names.h"
#include "base/copy/walker.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::copy {
namespace {

constexpr int kFolderFlags =
    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
constexpr mode_t kFolderMode = 0777;  // Before the umask.

absl::Status CheckPath(absl::string_view path) {
  if (path.size() < PATH_MAX && path.find('\0') == path.npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a path must have less than ", PATH_MAX, " bytes, and no NUL"));
}

// Of all below `folder`, whose descriptor it takes.
absl::Status Measure(UniqueFd folder, size_t depth, uint64_t& used) {
  BERTH_ASSIGN_OR_RETURN(SortedNames names,
                         SortedNames::Open(std::move(folder), ""));
  SortedNames::Name name;
  while (names.Next(name)) {
    struct stat info;
    if (fstatat(names.fd(), name.text.c_str(), &info, AT_SYMLINK_NOFOLLOW) !=
        0) {
      continue;
    }
    used += Quota::Cost(S_ISREG(info.st_mode) ? info.st_size : 0);
    if (!S_ISDIR(info.st_mode) || depth == 0) continue;
    UniqueFd below(openat(names.fd(), name.text.c_str(), kFolderFlags));
    if (!below.valid()) continue;
    BERTH_RETURN_IF_ERROR(Measure(std::move(below), depth - 1, used));
  }
  return names.status();
}

}  // namespace

absl::StatusOr<Place> Place::Restricted(std::string area) {
  if (mkdir(area.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoToStatus(errno, area);
  }
  UniqueFd fd(open(area.c_str(), kFolderFlags));
  if (!fd.valid()) return ErrnoToStatus(errno, area);
  return Place(std::move(fd), std::move(area));
}

absl::StatusOr<std::string> Place::Resolve(absl::string_view path) const {
  BERTH_RETURN_IF_ERROR(CheckPath(path));
  if (restricted()) {
    if (absl::StartsWith(path, "/") || absl::StartsWith(path, "~")) {
      return absl::PermissionDeniedError(
          absl::StrCat("'", path,
                       "': the files of a restricted session have paths that "
                       "begin with a name, such as data/in.txt"));
    }
    for (absl::string_view part : absl::StrSplit(path, '/')) {
      if (part != "..") continue;
      return absl::PermissionDeniedError(absl::StrCat(
          "'", path, "': '..' is not allowed in a restricted session"));
    }
    return std::string(path);
  }
  if (absl::StartsWith(path, "/")) return std::string(path);
  if (path.empty()) return cwd_;
  if (path == "~" || absl::StartsWith(path, "~/")) {
    return absl::StrCat(home_, path.substr(1));
  }
  if (absl::StartsWith(path, "~")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path,
                     "': only ~ and ~/ stand for a home directory; a file of "
                     "this name is ./",
                     path));
  }
  return absl::StrCat(cwd_, "/", path);
}

std::string Place::Show(absl::string_view path) const {
  if (!restricted() || !path.empty()) return std::string(path);
  return ".";
}

absl::StatusOr<UniqueFd> Place::Open(const std::string& path) const {
  if (!restricted()) return OpenAnywhere(path);
  return OpenBelow(path, /*make=*/false);
}

absl::StatusOr<UniqueFd> Place::OpenBelow(const std::string& path,
                                          bool make) const {
  UniqueFd at(openat(area_.get(), ".", O_PATH | O_CLOEXEC));
  if (!at.valid()) return ErrnoToStatus(errno, path);
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    const std::string name(part);
    if (!IsEntryName(name)) {
      return absl::PermissionDeniedError(
          absl::StrCat("'", path, "': not below this session's files"));
    }
    if (make && mkdirat(at.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
      return ErrnoToStatus(errno, path);
    }
    UniqueFd next(
        openat(at.get(), name.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    struct stat info;
    if (!next.valid() || fstat(next.get(), &info) != 0) {
      return ErrnoToStatus(errno, path);
    }
    if (S_ISLNK(info.st_mode)) {
      return absl::PermissionDeniedError(absl::StrCat(
          path, ": links are not followed in a restricted session"));
    }
    at = std::move(next);
  }
  return at;
}

absl::Status Place::MakeFolders(const std::string& path) const {
  if (restricted()) return OpenBelow(path, /*make=*/true).status();
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return ErrnoToStatus(errno, part);
    }
    if (slash == std::string::npos) return absl::OkStatus();
  }
}

absl::StatusOr<Place::Destination> Place::OpenDestination(
    const v1::CopyDestination& to) const {
  Destination destination;
  BERTH_ASSIGN_OR_RETURN(destination.path, Resolve(to.path()));
  const std::string& path = destination.path;
  const bool wants_folder =
      to.folder() || path.empty() || absl::EndsWith(path, "/");
  absl::StatusOr<UniqueFd> there = Open(path);
  if (absl::IsNotFound(there.status()) && wants_folder) {
    BERTH_RETURN_IF_ERROR(MakeFolders(path));
    there = Open(path);
  }
  struct stat info;
  if (there.ok() && fstat(there->get(), &info) != 0) {
    return ErrnoToStatus(errno, path);
  }
  if (!there.ok() && !absl::IsNotFound(there.status())) return there.status();
  const bool is_folder = there.ok() && S_ISDIR(info.st_mode);
  if (is_folder && !to.path_is_source()) {
    destination.folder = *std::move(there);
    destination.folder_path = Show(path);
    return destination;
  }
  if (wants_folder) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is no folder, but has to be one here"));
  }
  destination.name = LastName(path);
  const size_t slash = path.rfind('/');
  std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  if (parent.empty() && !restricted()) parent = "/";
  if (destination.name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "': no name for a file"));
  }
  absl::StatusOr<UniqueFd> folder = Open(parent);
  if (absl::IsNotFound(folder.status())) {
    return absl::NotFoundError(absl::StrCat(
        parent, ": no such folder; a destination that ends with / is made"));
  }
  BERTH_RETURN_IF_ERROR(folder.status());
  if (fstat(folder->get(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(parent, ": is no folder"));
  }
  destination.folder = *std::move(folder);
  destination.folder_path = Show(parent);
  return destination;
}

absl::StatusOr<uint64_t> Place::LockAndMeasure() const {
  if (flock(area_.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::AbortedError(
        "another copy into this restricted session is at work: try again when "
        "it has ended");
  }
  UniqueFd folder(openat(area_.get(), ".", kFolderFlags));
  if (!folder.valid()) return ErrnoToStatus(errno, cwd_);
  uint64_t used = 0;
  BERTH_RETURN_IF_ERROR(Measure(std::move(folder), kMaxDepth, used));
  return used;
}

}  // namespace berth::copy

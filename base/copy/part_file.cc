#include "base/copy/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/copy/frame.h"
#include "base/copy/names.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"

namespace berth::copy {
namespace {

constexpr absl::Duration kLockCheck = absl::Milliseconds(50);
constexpr int kFlags =
    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

absl::Status Errno() {
  return absl::Status(absl::ErrnoToStatusCode(errno), strerror(errno));
}

}  // namespace

absl::StatusOr<PartFile> PartFile::Open(int folder, std::string name,
                                        uint64_t size,
                                        const std::function<bool()>& stopped) {
  if (!IsEntryName(name)) return absl::InvalidArgumentError("has no name");
  std::string part_name = PartName(name);
  PartFile part(folder, std::move(name), std::move(part_name));
  const char* const path = part.part_.c_str();
  part.file_.reset(openat(folder, path, kFlags | O_EXCL, 0600));
  bool is_new = part.file_.valid();
  if (!is_new && errno != EEXIST) return Errno();
  do {
    if (!part.file_.valid()) {
      part.file_.reset(openat(folder, path, kFlags, 0600));
    }
    if (!part.file_.valid()) return Errno();
    const absl::Status locked = part.Lock(stopped);
    if (!locked.ok()) {
      part.file_.reset();
      return locked;
    }
    // Whoever had the lock may have completed the file.
    if (!is_new && !part.IsStillThere()) part.file_.reset();
  } while (!part.file_.valid());
  struct stat info;
  if (fstat(part.file_.get(), &info) != 0) return Errno();
  if (!S_ISREG(info.st_mode)) {
    part.file_.reset();
    return absl::FailedPreconditionError("its part is no file");
  }
  part.worth_keeping_ = size >= kMinResumable;
  const uint64_t there = info.st_size;
  if (part.worth_keeping_ && there >= kMinResumable) {
    part.kept_ = std::min(there, size);
  }
  if (there > part.kept_) BERTH_RETURN_IF_ERROR(part.Truncate(part.kept_));
  return part;
}

PartFile::~PartFile() {
  struct stat info;
  if (!file_.valid() || fstat(file_.get(), &info) != 0) return;
  const bool is_little = static_cast<uint64_t>(info.st_size) < kMinResumable;
  if (!worth_keeping_ || is_little) Discard();
}

absl::Status PartFile::Lock(const std::function<bool()>& stopped) {
  const absl::Time deadline = MonotonicNow() + kLockLimit;
  while (flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Errno();
    if (stopped()) return absl::AbortedError("stopped");
    if (MonotonicNow() > deadline) {
      return absl::AbortedError("another copy is writing it");
    }
    absl::SleepFor(kLockCheck);
  }
  return stopped() ? absl::AbortedError("stopped") : absl::OkStatus();
}

bool PartFile::IsStillThere() const {
  struct stat ours;
  struct stat named;
  return fstat(file_.get(), &ours) == 0 &&
         fstatat(folder_, part_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

absl::Status PartFile::Sum(uint64_t size, Checksum& one, Checksum& other,
                           const std::function<bool()>& stopped) const {
  const auto buffer = std::make_unique<char[]>(kMaxData);
  for (uint64_t at = 0; at < size;) {
    const size_t wanted = std::min<uint64_t>(kMaxData, size - at);
    const ssize_t n = pread(file_.get(), buffer.get(), wanted, at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Errno();
    if (n == 0) return absl::AbortedError("its part became shorter");
    if (stopped()) return absl::AbortedError("stopped");
    one.Update(buffer.get(), n);
    other.Update(buffer.get(), n);
    at += n;
  }
  return absl::OkStatus();
}

absl::Status PartFile::Write(absl::Span<const iovec> data, uint64_t offset) {
  std::vector<iovec> left(data.begin(), data.end());
  for (size_t first = 0; first < left.size();) {
    const int count = std::min<size_t>(left.size() - first, IOV_MAX);
    ssize_t n = pwritev(file_.get(), &left[first], count, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Errno();
    offset += n;
    while (first < left.size() &&
           static_cast<size_t>(n) >= left[first].iov_len) {
      n -= left[first++].iov_len;
    }
    if (n > 0) {
      left[first].iov_base = static_cast<char*>(left[first].iov_base) + n;
      left[first].iov_len -= n;
    }
  }
  return absl::OkStatus();
}

absl::Status PartFile::Truncate(uint64_t size) {
  return ftruncate(file_.get(), size) == 0 ? absl::OkStatus() : Errno();
}

absl::Status PartFile::Commit(const Attributes& attributes) {
  if (fchmod(file_.get(), attributes.mode) != 0) return Errno();
  if (attributes.set_time) {
    const timespec times[2] = {{0, UTIME_NOW},
                               absl::ToTimespec(attributes.time)};
    if (futimens(file_.get(), times) != 0) return Errno();
  }
  BERTH_RETURN_IF_ERROR(Rename());
  file_.reset();
  return absl::OkStatus();
}

absl::Status PartFile::Rename() {
  if (renameat2(folder_, part_.c_str(), folder_, name_.c_str(),
                RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  // A device must not be replaced by a file, as a folder can't.
  struct stat there;
  if (fstatat(folder_, name_.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) {
    return absl::FailedPreconditionError(
        S_ISDIR(there.st_mode) ? "is a folder, which a file can't replace"
                               : "is no file, and is not replaced by one");
  }
  if (renameat(folder_, part_.c_str(), folder_, name_.c_str()) != 0) {
    return Errno();
  }
  return absl::OkStatus();
}

void PartFile::Discard() {
  if (!file_.valid()) return;
  // Under the lock: nobody else takes it for theirs.
  unlinkat(folder_, part_.c_str(), 0);
  file_.reset();
}

}  // namespace berth::copy

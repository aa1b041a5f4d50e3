#include "agent/log/log_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// Enough to see a thousand small records with one call.
constexpr size_t kWindowBytes = 64 << 10;
// After a long record the next one is likely long, too: just its header is
// read ahead, and its bytes go straight into the caller's buffer.
constexpr size_t kSmallWindowBytes = 4 << 10;
constexpr size_t kLongRecordBytes = 32 << 10;
// Less than this is read by way of the window.
constexpr size_t kDirectBytes = 16 << 10;
// How often segments may vanish while the reader looks for its place.
constexpr int kLocateTries = 1000;

absl::Status Unreadable(absl::string_view what, int error) {
  return absl::DataLossError(
      absl::StrCat("the log can't be read: ", what, ": ",
                   absl::ErrnoToStatus(error, "").message()));
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> ListSegments(int dir_fd,
                                                   uint64_t sequence) {
  const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::vector<uint64_t>();
  std::unique_ptr<DIR, int (*)(DIR*)> dir(fd < 0 ? nullptr : fdopendir(fd),
                                          closedir);
  if (dir == nullptr) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return Unreadable("open its directory", error);
  }
  std::vector<uint64_t> starts;
  while (const dirent* entry = readdir(dir.get())) {
    const std::optional<SegmentId> id = ParseSegmentName(entry->d_name);
    if (id.has_value() && id->sequence == sequence)
      starts.push_back(id->offset);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

absl::StatusOr<LogReader> LogReader::Open(const std::string& directory,
                                          uint64_t sequence, uint64_t offset) {
  UniqueFd dir_fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir_fd.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", directory));
  }
  return LogReader(std::move(dir_fd), sequence, offset);
}

absl::StatusOr<LogReader::Chunk> LogReader::Read(absl::Span<char> buffer,
                                                 uint64_t logged_end) {
  if (buffer.empty() || offset_ >= logged_end)
    return Chunk{Chunk::kEnd, offset_};
  // Each turn but the last opens another segment.
  for (int i = 0; i < kLocateTries; ++i) {
    if (file_.valid()) {
      BERTH_ASSIGN_OR_RETURN(const Chunk chunk, ReadData(buffer, logged_end));
      if (chunk.kind == Chunk::kData) return chunk;
      DropWindow();
    }
    BERTH_ASSIGN_OR_RETURN(const bool located, Locate());
    const uint64_t from = offset_;
    if (located) {
      if (segment_.offset <= offset_) continue;
      offset_ = std::min(segment_.offset, logged_end);
    } else {
      if (logged_end == kUnknownEnd) return Chunk{Chunk::kEnd, offset_};
      offset_ = logged_end;
    }
    return Chunk{Chunk::kGap, from, offset_ - from};
  }
  return absl::DataLossError(
      "the log can't be read: its segments vanish too fast");
}

absl::StatusOr<LogReader::Chunk> LogReader::ReadData(absl::Span<char> buffer,
                                                     uint64_t logged_end) {
  Chunk chunk{Chunk::kEnd, offset_};
  while (chunk.length < buffer.size()) {
    if (remaining_ == 0) {
      if (log_at_ >= logged_end || (by_record_ && chunk.length > 0)) break;
      // An error after some data waits for the next call, which meets it again.
      const absl::StatusOr<bool> found = NextRecord(logged_end);
      if (!found.ok() && chunk.length == 0) return found.status();
      if (!found.ok() || !*found) break;
    }
    if (log_at_ < offset_) {
      Skip(std::min<uint64_t>(remaining_, offset_ - log_at_));
      continue;
    }
    if (chunk.length > 0 && record_.stream != chunk.stream) break;
    const absl::StatusOr<size_t> taken =
        Take(buffer.data() + chunk.length,
             std::min<uint64_t>(remaining_, buffer.size() - chunk.length),
             logged_end);
    if (!taken.ok() && chunk.length == 0) return taken.status();
    if (!taken.ok() || *taken == 0) break;
    if (chunk.length == 0) {
      chunk = {Chunk::kData, offset_, 0, record_.stream, record_.time_ns};
    }
    chunk.length += *taken;
    offset_ += *taken;
  }
  return chunk;
}

absl::StatusOr<bool> LogReader::NextRecord(uint64_t logged_end) {
  bool fresh = false;
  for (;;) {
    if (!file_.valid() || lost_) return false;
    if (window().size() < kHeaderBytes || log_at_ >= window_end_) {
      BERTH_RETURN_IF_ERROR(FillWindow(logged_end));
      fresh = true;
    }
    if (window().size() >= kHeaderBytes) {
      const std::optional<RecordHeader> header =
          DecodeHeader(window().data(), segment_);
      if (header.has_value() && header->offset == log_at_) {
        record_ = *header;
        remaining_ = header->length;
        window_at_ += kHeaderBytes;
        file_at_ += kHeaderBytes;
        return true;
      }
    }
    if (!fresh) {  // It may have been written since the window was read.
      DropWindow();
      continue;
    }
    // This segment has no more; the next one starts exactly here.
    if (!file_.valid() || log_at_ == segment_.offset) return false;
    BERTH_ASSIGN_OR_RETURN(const bool opened, OpenSegment(log_at_));
    if (!opened) return false;
    fresh = false;
  }
}

absl::StatusOr<size_t> LogReader::Take(char* out, size_t size,
                                       uint64_t logged_end) {
  if (window().empty() && size < kDirectBytes) {
    BERTH_RETURN_IF_ERROR(FillWindow(logged_end));
  }
  size_t taken = std::min(size, window().size());
  if (taken > 0) {
    std::memcpy(out, window().data(), taken);
    window_at_ += taken;
  } else if (file_.valid()) {
    BERTH_ASSIGN_OR_RETURN(taken, ReadFile(out, size, file_at_));
  }
  if (taken == 0) Lose();  // A header without its bytes.
  file_at_ += taken;
  log_at_ += taken;
  remaining_ -= taken;
  return taken;
}

void LogReader::Skip(uint64_t size) {
  window_at_ += std::min<uint64_t>(size, window().size());
  file_at_ += size;
  log_at_ += size;
  remaining_ -= size;
}

absl::StatusOr<bool> LogReader::Locate() {
  const bool had_file = file_.valid();
  if (!had_file) {
    // Right for the start of a log, and for one that is read segment by
    // segment.
    BERTH_ASSIGN_OR_RETURN(const bool opened, OpenSegment(offset_));
    if (opened) return true;
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<uint64_t> starts,
                         ListSegments(dir_fd_.get(), sequence_));
  auto it = std::upper_bound(starts.begin(), starts.end(), offset_);
  if (it != starts.begin()) {
    const uint64_t start = *(it - 1);
    // The same one again would end at the same place again.
    if (!had_file || start > segment_.offset) --it;
  }
  for (; it != starts.end(); ++it) {
    BERTH_ASSIGN_OR_RETURN(const bool opened, OpenSegment(*it));
    if (opened) return true;
  }
  return false;
}

absl::StatusOr<bool> LogReader::OpenSegment(uint64_t start) {
  const SegmentId id{sequence_, start};
  UniqueFd file(openat(dir_fd_.get(), SegmentName(id).c_str(),
                       O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return false;
    return Unreadable(SegmentName(id), errno);
  }
  struct stat info;
  if (fstat(file.get(), &info) != 0) return Unreadable(SegmentName(id), errno);
  file_ = std::move(file);
  segment_ = id;
  inode_ = info.st_ino;
  log_at_ = start;
  file_at_ = 0;
  remaining_ = 0;
  lost_ = false;
  DropWindow();
  return true;
}

absl::StatusOr<size_t> LogReader::ReadFile(char* out, size_t size,
                                           uint64_t at) {
  ssize_t got = 0;
  do {
    got = pread(file_.get(), out, size, at);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Unreadable(SegmentName(segment_), errno);
  // The writer may have made another segment of this file, and overwritten
  // what was just read. Then its name was gone before.
  struct stat named;
  if (fstatat(dir_fd_.get(), SegmentName(segment_).c_str(), &named,
              AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != inode_) {
    Lose();
    return 0;
  }
  return got;
}

absl::Status LogReader::FillWindow(uint64_t logged_end) {
  const bool small = record_.length >= kLongRecordBytes;
  window_.resize(small ? kSmallWindowBytes : kWindowBytes);
  window_at_ = 0;
  window_end_ = logged_end;
  const absl::StatusOr<size_t> got =
      ReadFile(window_.data(), window_.size(), file_at_);
  window_.resize(got.ok() ? *got : 0);
  return got.status();
}

void LogReader::DropWindow() {
  window_.clear();
  window_at_ = 0;
}

void LogReader::Lose() {
  lost_ = true;
  remaining_ = 0;
  DropWindow();
}

}  // namespace berth::agent

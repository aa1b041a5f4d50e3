#include "agent/log/command_log.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

absl::StatusOr<size_t> CommandLog::AppendFromPipe(int fd, Stream stream,
                                                  size_t max) {
  BERTH_RETURN_IF_ERROR(WriteHeader());
  int readable = 0;
  if (ioctl(fd, FIONREAD, &readable) != 0) {
    return absl::ErrnoToStatus(errno, "FIONREAD on a command's pipe");
  }
  const size_t wanted = std::min(static_cast<size_t>(readable), max);
  if (wanted == 0) return 0;
  for (;;) {
    BERTH_ASSIGN_OR_RETURN(const size_t room, Reserve(wanted));
    const absl::StatusOr<size_t> moved = Splice(fd, room);
    if (moved.ok()) {
      if (*moved == 0) return 0;
      BERTH_RETURN_IF_ERROR(Commit(stream, *moved));
      return *moved;
    }
    // A full disk is as good a reason to let go of old output as the limit.
    if (!absl::IsResourceExhausted(moved.status()) || !logs_.FreeOne(active_)) {
      return moved.status();
    }
  }
}

absl::Status CommandLog::Append(Stream stream, absl::string_view data) {
  if (data.empty()) return absl::OkStatus();
  BERTH_RETURN_IF_ERROR(WriteHeader());
  if (has_active() &&
      active_->size + kHeaderBytes + data.size() > logs_.segment_bytes_) {
    Close();
  }
  BERTH_ASSIGN_OR_RETURN(const size_t room, Reserve(data.size()));
  if (room < data.size()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for ", data.size(), " bytes in the logs in ",
                     logs_.directory_));
  }
  const ssize_t written = pwrite(file_.get(), data.data(), data.size(),
                                 active_->size + kHeaderBytes);
  if (written != static_cast<ssize_t>(data.size())) {
    return absl::ErrnoToStatus(
        written < 0 ? errno : ENOSPC,
        absl::StrCat("write a log in ", logs_.directory_));
  }
  return Commit(stream, data.size());
}

void CommandLog::Skip(uint64_t bytes) {
  if (bytes == 0) return;
  Close();  // Offsets within a segment have no holes.
  end_ += bytes;
  logs_.dropped_ += bytes;
}

void CommandLog::Ack(uint64_t offset) {
  offset = std::min(offset, end_);
  if (offset <= acked_) return;
  uint64_t before = unacknowledged_;
  unacknowledged_ = 0;
  acked_ = offset;
  if (offset < end_) {
    // What was deleted or left out counts no more, so its segments tell. The
    // newest are the last, and mostly this log's.
    const auto& segments = logs_.segments_;
    for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
      if (it->log != this) continue;
      if (it->end <= offset) break;
      unacknowledged_ += it->end - std::max(it->offset, offset);
    }
  }
  logs_.unacknowledged_ -= before - unacknowledged_;
}

absl::StatusOr<size_t> CommandLog::Reserve(size_t wanted) {
  for (;;) {
    // A segment ends a little early rather than with a crumb of a record.
    if (has_active() &&
        active_->size + 2 * kHeaderBytes > logs_.segment_bytes_) {
      Close();
    }
    if (!has_active()) BERTH_RETURN_IF_ERROR(logs_.NewSegment(*this));
    const uint64_t left = logs_.segment_bytes_ - active_->size - kHeaderBytes;
    BERTH_ASSIGN_OR_RETURN(
        const uint64_t room,
        logs_.MakeRoom(active_,
                       kHeaderBytes + std::min<uint64_t>(wanted, left)));
    if (room > kHeaderBytes) return room - kHeaderBytes;
  }
}

absl::StatusOr<size_t> CommandLog::Splice(int fd, size_t size) {
  loff_t at = active_->size + kHeaderBytes;
  size_t moved = 0;
  while (moved < size) {
    const ssize_t result = splice(fd, nullptr, file_.get(), &at, size - moved,
                                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (result > 0) {
      moved += result;
      continue;
    }
    if (result < 0 && errno == EINTR) continue;
    if (moved > 0 || result == 0 || errno == EAGAIN) break;
    return absl::ErrnoToStatus(
        errno, absl::StrCat("write a log in ", logs_.directory_));
  }
  return moved;
}

absl::Status CommandLog::Commit(Stream stream, uint32_t length) {
  pending_ = {length, end_, stream, NowNs()};
  return WriteHeader();
}

absl::Status CommandLog::WriteHeader() {
  if (pending_.length == 0) return absl::OkStatus();
  char header[kHeaderBytes];
  EncodeHeader(pending_, active_id(), header);
  const ssize_t written =
      pwrite(file_.get(), header, kHeaderBytes, active_->size);
  if (written != static_cast<ssize_t>(kHeaderBytes)) {
    return absl::ErrnoToStatus(
        written < 0 ? errno : ENOSPC,
        absl::StrCat("write a log in ", logs_.directory_));
  }
  end_ += pending_.length;
  active_->end = end_;
  unacknowledged_ += pending_.length;
  logs_.unacknowledged_ += pending_.length;
  logs_.kept_ += pending_.length;
  const uint64_t size = active_->size + kHeaderBytes + pending_.length;
  logs_.SetSizes(*active_, size, std::max(size, active_->file_size));
  pending_.length = 0;
  return absl::OkStatus();
}

void CommandLog::Close() {
  if (!has_active()) return;
  // Best effort, as this may be the end of the process: what can't be written
  // was reported when it was tried first.
  WriteHeader().IgnoreError();
  pending_.length = 0;
  // The rest of a file that was another segment.
  if (active_->file_size > active_->size &&
      ftruncate(file_.get(), active_->size) == 0) {
    logs_.SetSizes(*active_, active_->size, active_->size);
  }
  file_.reset();
  active_ = logs_.segments_.end();
}

}  // namespace berth::agent

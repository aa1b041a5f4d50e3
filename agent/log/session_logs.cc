#include "agent/log/session_logs.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/log/command_log.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr uint64_t kMinLimit = 1 << 20;
// Large enough that a bulk writer seldom opens a file, small enough that a
// lagging reader frees space often.
constexpr uint64_t kMaxSegmentBytes = 4 << 20;
// A session with a small limit still has several segments to free.
constexpr uint64_t kMinSegmentsInLimit = 8;

uint64_t Charge(uint64_t file_size) {
  return (file_size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

}  // namespace

SessionLogs::SessionLogs(std::string directory, UniqueFd dir_fd, uint64_t limit,
                         WhenFull when_full)
    : directory_(std::move(directory)),
      dir_fd_(std::move(dir_fd)),
      limit_(limit),
      when_full_(when_full),
      segment_bytes_(std::min(limit / kMinSegmentsInLimit, kMaxSegmentBytes)) {}

SessionLogs::~SessionLogs() {
  for (auto& [sequence, log] : logs_) log->Close();
}

absl::StatusOr<std::unique_ptr<SessionLogs>> SessionLogs::Open(
    const std::string& directory, uint64_t limit, WhenFull when_full) {
  if (limit < kMinLimit) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a log limit of ", limit, " bytes is too small: at least ", kMinLimit));
  }
  UniqueFd dir_fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir_fd.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", directory));
  }
  return std::unique_ptr<SessionLogs>(
      new SessionLogs(directory, std::move(dir_fd), limit, when_full));
}

absl::StatusOr<CommandLog*> SessionLogs::Create(uint64_t sequence) {
  auto [it, added] = logs_.try_emplace(sequence);
  if (!added) {
    return absl::AlreadyExistsError(
        absl::StrCat("command ", sequence, " has a log already"));
  }
  it->second.reset(new CommandLog(*this, sequence));
  return it->second.get();
}

CommandLog* SessionLogs::Find(uint64_t sequence) const {
  const auto it = logs_.find(sequence);
  return it == logs_.end() ? nullptr : it->second.get();
}

void SessionLogs::Finish(uint64_t sequence) {
  CommandLog* log = Find(sequence);
  if (log == nullptr) return;
  log->finished_ = true;
  log->Close();
  MaybeForget(log);
}

void SessionLogs::MaybeForget(CommandLog* log) {
  if (log->finished_ && log->segment_count_ == 0) logs_.erase(log->sequence_);
}

absl::Status SessionLogs::NewSegment(CommandLog& log) {
  const std::string name = SegmentName({log.sequence_, log.end_});
  if (used_ + segment_bytes_ > limit_) {
    // Overwriting a file that has its pages and blocks is nearly twice as fast
    // as deleting it and filling a new one.
    const auto old = Victim(segments_.end());
    if (old != segments_.end() && old->file_size >= segment_bytes_ / 2 &&
        Recycle(old, name, log)) {
      return absl::OkStatus();
    }
  }
  for (;;) {
    log.file_.reset(openat(dir_fd_.get(), name.c_str(),
                           O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (log.file_.valid()) break;
    const int error = errno;
    if ((error != ENOSPC && error != EDQUOT) || !FreeOne(segments_.end())) {
      return absl::ErrnoToStatus(
          error, absl::StrCat("create ", name, " in ", directory_));
    }
  }
  log.active_ = segments_.insert(segments_.end(), {&log, log.end_, log.end_});
  ++log.segment_count_;
  return absl::OkStatus();
}

bool SessionLogs::Recycle(Segments::iterator old, const std::string& name,
                          CommandLog& log) {
  const SegmentId old_id{old->log->sequence_, old->offset};
  // Renamed before a byte of it changes: a reader that still finds the old
  // name afterwards knows that what it read was good.
  if (renameat(dir_fd_.get(), SegmentName(old_id).c_str(), dir_fd_.get(),
               name.c_str()) != 0) {
    return false;
  }
  const uint64_t file_size = old->file_size;
  Forget(old);
  log.file_.reset(openat(dir_fd_.get(), name.c_str(), O_WRONLY | O_CLOEXEC));
  if (!log.file_.valid()) {
    unlinkat(dir_fd_.get(), name.c_str(), 0);
    return false;
  }
  log.active_ = segments_.insert(segments_.end(), {&log, log.end_, log.end_});
  ++log.segment_count_;
  SetSizes(*log.active_, 0, file_size);
  return true;
}

absl::StatusOr<uint64_t> SessionLogs::MakeRoom(Segments::iterator segment,
                                               uint64_t wanted) {
  for (;;) {
    const uint64_t others = used_ - Charge(segment->file_size);
    const uint64_t may_be = (limit_ - others) / kBlockBytes * kBlockBytes;
    const uint64_t room = may_be - std::min(may_be, segment->size);
    if (room >= wanted) return wanted;
    const auto victim = Victim(segment);
    if (victim == segments_.end() || victim == segment) {
      if (room > kHeaderBytes) return room;
      if (victim != segment) return FullError();
      Erase(victim);
      return 0;
    }
    Erase(victim);
  }
}

bool SessionLogs::FreeOne(Segments::iterator in_use) {
  const auto victim = Victim(in_use);
  if (victim == segments_.end()) return false;
  Erase(victim);
  return true;
}

SessionLogs::Segments::iterator SessionLogs::Victim(Segments::iterator in_use) {
  auto oldest = segments_.end();
  for (auto it = segments_.begin(); it != segments_.end(); ++it) {
    const bool active = it->log->active_ == it;
    if (active && it->log->pending_.length != 0) continue;
    if (it == in_use && it->size == 0) continue;
    if (it->end <= it->log->acked_ &&
        (!until_recorded_ || it->end <= it->log->recorded_)) {
      return it;
    }
    if (oldest == segments_.end()) oldest = it;
  }
  return when_full_ == WhenFull::kDrop ? oldest : segments_.end();
}

void SessionLogs::Erase(Segments::iterator segment) {
  const SegmentId id{segment->log->sequence_, segment->offset};
  unlinkat(dir_fd_.get(), SegmentName(id).c_str(), 0);
  Forget(segment);
}

void SessionLogs::Forget(Segments::iterator segment) {
  CommandLog* log = segment->log;
  if (log->active_ == segment) {
    log->active_ = segments_.end();
    log->file_.reset();
  }
  --log->segment_count_;
  const uint64_t begin = std::max(segment->offset, log->acked_);
  const uint64_t lost = segment->end - std::min(segment->end, begin);
  kept_ -= segment->end - segment->offset;
  log->unacknowledged_ -= lost;
  unacknowledged_ -= lost;
  dropped_ += lost;
  used_ -= Charge(segment->file_size);
  segments_.erase(segment);
  MaybeForget(log);
}

void SessionLogs::SetSizes(Segment& segment, uint64_t size,
                           uint64_t file_size) {
  used_ -= Charge(segment.file_size);
  segment.size = size;
  segment.file_size = file_size;
  used_ += Charge(file_size);
}

absl::Status SessionLogs::FullError() const {
  return absl::ResourceExhaustedError(absl::StrCat(
      "the session's logs in ", directory_, " reached their limit of ", limit_,
      " bytes, and none of it was acknowledged: receive the session's output, "
      "or raise log_limit"));
}

}  // namespace berth::agent

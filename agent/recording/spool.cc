#include "agent/recording/spool.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/recording/segment.h"
#include "base/status_macros.h"

namespace berth::agent {

std::string Spool::DirectoryOf(absl::string_view instance_id) const {
  return absl::StrCat(directory_, "/", instance_id);
}

std::string Spool::PathOf(absl::string_view instance_id, uint64_t index) const {
  return absl::StrCat(DirectoryOf(instance_id), "/",
                      RecordingSegmentName(index));
}

absl::Status Spool::Adopt(const std::string& instance_id, uint64_t next_index) {
  Recording recording;
  recording.published = next_index;
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(DirectoryOf(instance_id), error)) {
    const std::string name = entry.path().filename();
    uint64_t index = 0;
    if (!absl::EndsWith(name, ".seg") ||
        !absl::SimpleHexAtoi(name.substr(0, name.size() - 4), &index) ||
        name != RecordingSegmentName(index)) {
      continue;
    }
    if (index >= next_index) {
      unlink(entry.path().c_str());
      continue;
    }
    std::error_code ignored;
    const uint64_t size = entry.file_size(ignored);
    recording.segments[index] = ignored ? 0 : size;
    bytes += recording.segments[index];
  }
  if (error) return ErrnoToStatus(error.value(), DirectoryOf(instance_id));
  MutexLock lock(mu_);
  recordings_[instance_id] = std::move(recording);
  bytes_ += bytes;
  changed_.NotifyAll();
  return absl::OkStatus();
}

absl::StatusOr<bool> Spool::Add(const std::string& instance_id, uint64_t index,
                                absl::string_view bytes, bool force) {
  {
    MutexLock lock(mu_);
    if (!force && bytes_ + bytes.size() > limit_) return false;
  }
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(PathOf(instance_id, index), bytes));
  MutexLock lock(mu_);
  uint64_t& size = recordings_[instance_id].segments[index];
  bytes_ += bytes.size() - size;  // It may be there from a try before.
  size = bytes.size();
  return true;
}

void Spool::Publish(const std::string& instance_id, uint64_t index) {
  MutexLock lock(mu_);
  recordings_[instance_id].published = index + 1;
  changed_.NotifyAll();
}

void Spool::Finish(const std::string& instance_id) {
  {
    MutexLock lock(mu_);
    recordings_[instance_id].finished = true;
  }
  RemoveIfDone(instance_id);
}

void Spool::Discard(const std::string& instance_id) {
  {
    MutexLock lock(mu_);
    Recording& recording = recordings_[instance_id];
    for (const auto& [index, size] : recording.segments) bytes_ -= size;
    recording.segments.clear();
    recording.finished = true;
  }
  RemoveIfDone(instance_id);
}

void Spool::RemoveIfDone(const std::string& instance_id) {
  {
    MutexLock lock(mu_);
    const auto it = recordings_.find(instance_id);
    if (it == recordings_.end() || !it->second.finished ||
        !it->second.segments.empty()) {
      return;
    }
    recordings_.erase(it);
  }
  std::error_code ignored;
  std::filesystem::remove_all(DirectoryOf(instance_id), ignored);
}

std::optional<Spool::Sealed> Spool::WaitNext() {
  MutexLock lock(mu_);
  for (;;) {
    if (stopping_) return std::nullopt;
    const absl::Time now = MonotonicNow();
    absl::Time soonest = absl::InfiniteFuture();
    // One after another, beginning behind the one that was last.
    const Recording* chosen = nullptr;
    std::string name;
    bool behind = false;
    for (const auto& [id, recording] : recordings_) {
      if (recording.segments.empty() ||
          recording.segments.begin()->first >= recording.published) {
        continue;
      }
      soonest = std::min(soonest, recording.not_before);
      if (recording.not_before > now || behind) continue;
      behind = id > last_;
      if (chosen != nullptr && !behind) continue;
      chosen = &recording;
      name = id;
    }
    if (chosen != nullptr) {
      last_ = name;
      return Sealed{name, chosen->segments.begin()->first, true};
    }
    if (soonest == absl::InfiniteFuture()) {
      changed_.Wait(mu_);
    } else {
      changed_.WaitFor(mu_, soonest - now);
    }
  }
}

absl::StatusOr<std::string> Spool::Read(const Sealed& sealed) const {
  return ReadFile(PathOf(sealed.instance_id, sealed.index),
                  kMaxRecordingSegmentBytes);
}

void Spool::Stored(const std::string& instance_id, uint64_t next_index) {
  std::vector<uint64_t> stored;
  {
    MutexLock lock(mu_);
    const auto it = recordings_.find(instance_id);
    if (it == recordings_.end()) return;
    auto& segments = it->second.segments;
    const uint64_t end = std::min(next_index, it->second.published);
    while (!segments.empty() && segments.begin()->first < end) {
      stored.push_back(segments.begin()->first);
      bytes_ -= segments.begin()->second;
      segments.erase(segments.begin());
    }
  }
  for (const uint64_t index : stored) {
    unlink(PathOf(instance_id, index).c_str());
  }
  RemoveIfDone(instance_id);
}

void Spool::PutOff(const std::string& instance_id, absl::Duration delay) {
  MutexLock lock(mu_);
  const auto it = recordings_.find(instance_id);
  if (it != recordings_.end()) it->second.not_before = MonotonicNow() + delay;
}

bool Spool::Sleep(absl::Duration time) {
  const absl::Time end = MonotonicNow() + time;
  MutexLock lock(mu_);
  while (!stopping_ && MonotonicNow() < end) {
    changed_.WaitFor(mu_, end - MonotonicNow());
  }
  return !stopping_;
}

void Spool::Stop() {
  MutexLock lock(mu_);
  stopping_ = true;
  changed_.NotifyAll();
}

uint64_t Spool::bytes() const {
  MutexLock lock(mu_);
  return bytes_;
}

}  // namespace berth::agent

#include "agent/log/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/log/crc32c.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr size_t kFrameBytes = 8;  // Length and checksum.
// Far more than any record has; a longer one is damage.
constexpr uint32_t kMaxRecordBytes = 256 << 10;
constexpr size_t kReadBytes = 64 << 10;
constexpr uint64_t kAll = ~uint64_t{0};

void PutU32(char* out, uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetU32(const char* in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  }
  return value;
}

// Takes one whole record from the front of `data`; false if there is none.
bool TakeRecord(absl::string_view& data, holder::v1::JournalRecord& record) {
  if (data.size() < kFrameBytes) return false;
  const uint32_t length = GetU32(data.data());
  if (length > kMaxRecordBytes || data.size() - kFrameBytes < length) {
    return false;
  }
  const absl::string_view body = data.substr(kFrameBytes, length);
  if (Crc32c(body) != GetU32(data.data() + 4) ||
      !record.ParseFromArray(body.data(), body.size())) {
    return false;
  }
  data.remove_prefix(kFrameBytes + length);
  return true;
}

absl::StatusOr<JournalExtent> ReadFrom(
    int fd, const std::string& path, uint64_t offset, uint64_t max_bytes,
    absl::FunctionRef<bool(const holder::v1::JournalRecord&)> visit) {
  JournalExtent extent;
  extent.bytes = offset;
  std::string pending;
  holder::v1::JournalRecord record;
  for (;;) {
    const size_t had = pending.size();
    pending.resize(had + kReadBytes);
    ssize_t got = 0;
    do {
      got = pread(fd, pending.data() + had, kReadBytes, extent.bytes + had);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return absl::DataLossError(absl::ErrnoToStatus(errno, path).message());
    }
    pending.resize(had + got);
    absl::string_view rest = pending;
    bool wanted = true;
    for (absl::string_view next = rest; wanted && TakeRecord(next, record);) {
      wanted = visit(record);
      if (!wanted) break;
      ++extent.records;
      rest = next;
    }
    extent.bytes += pending.size() - rest.size();
    if (!wanted) return extent;
    pending.erase(0, pending.size() - rest.size());
    const bool damaged = pending.size() >= kFrameBytes + kMaxRecordBytes;
    if (extent.bytes - offset >= max_bytes) return extent;
    if (got == 0 || damaged) {
      extent.torn = !pending.empty();
      return extent;
    }
  }
}

}  // namespace

absl::StatusOr<Journal> Journal::Open(const std::string& path) {
  UniqueFd file(
      open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  BERTH_ASSIGN_OR_RETURN(
      const JournalExtent extent,
      ReadFrom(file.get(), path, 0, kAll,
               [](const holder::v1::JournalRecord&) { return true; }));
  if (extent.torn && ftruncate(file.get(), extent.bytes) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("truncate ", path));
  }
  return Journal(std::move(file), extent.bytes, path);
}

absl::Status Journal::Append(const holder::v1::JournalRecord& record) {
  std::string frame(kFrameBytes, '\0');
  if (!record.AppendToString(&frame)) {
    return absl::InternalError("a journal record can't be serialized");
  }
  const absl::string_view body = absl::string_view(frame).substr(kFrameBytes);
  if (body.size() > kMaxRecordBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a journal record of ", body.size(),
                     " bytes is too long: at most ", kMaxRecordBytes));
  }
  PutU32(frame.data(), body.size());
  PutU32(frame.data() + 4, Crc32c(body));
  const ssize_t written =
      pwrite(file_.get(), frame.data(), frame.size(), size_);
  if (written != static_cast<ssize_t>(frame.size())) {
    const int error = written < 0 ? errno : ENOSPC;
    // What got there is a torn tail: the next record is written over it, and a
    // reader stops before it.
    return absl::ErrnoToStatus(error, absl::StrCat("write ", path_));
  }
  size_ += frame.size();
  return absl::OkStatus();
}

absl::Status Journal::Prepare() {
  if (size_ + kReserve <= prepared_) return absl::OkStatus();
  // Twice as much at once, so that it is seldom.
  if (fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, size_, 2 * kReserve) == 0) {
    prepared_ = size_ + 2 * kReserve;
    return absl::OkStatus();
  }
  if (errno == EOPNOTSUPP) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("write ", path_));
}

absl::StatusOr<JournalExtent> ReadJournal(
    const std::string& path,
    absl::FunctionRef<void(const holder::v1::JournalRecord&)> visit) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  return ReadFrom(file.get(), path, 0, kAll,
                  [&](const holder::v1::JournalRecord& record) {
                    visit(record);
                    return true;
                  });
}

absl::StatusOr<JournalExtent> ReadJournalPart(
    const std::string& path, uint64_t offset,
    absl::FunctionRef<bool(const holder::v1::JournalRecord&)> visit) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  return ReadFrom(file.get(), path, offset, kReadBytes, visit);
}

}  // namespace berth::agent

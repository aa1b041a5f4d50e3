#include "broker/audit/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kSuffix = ".jsonl";
constexpr size_t kDigits = 20;
constexpr size_t kReadBytes = 64 << 10;

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

}  // namespace

std::string AuditSegmentName(uint64_t first_seq) {
  return absl::StrFormat("%020d%s", first_seq, kSuffix);
}

absl::StatusOr<std::vector<AuditSegment>> ListAuditSegments(
    const std::string& directory) {
  std::unique_ptr<DIR, CloseDir> dir(opendir(directory.c_str()));
  if (dir == nullptr) return ErrnoToStatus(errno, directory);
  std::vector<AuditSegment> segments;
  while (const dirent* entry = readdir(dir.get())) {
    const absl::string_view name(entry->d_name);
    uint64_t seq = 0;
    if (name.size() == kDigits + kSuffix.size() &&
        absl::EndsWith(name, kSuffix) &&
        absl::SimpleAtoi(name.substr(0, kDigits), &seq) && seq > 0) {
      segments.push_back({seq, absl::StrCat(directory, "/", name)});
    }
  }
  std::sort(segments.begin(), segments.end(),
            [](const AuditSegment& a, const AuditSegment& b) {
              return a.first_seq < b.first_seq;
            });
  return segments;
}

AuditLineReader::AuditLineReader(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
  if (!fd_.valid()) status_ = ErrnoToStatus(errno, path);
}

bool AuditLineReader::Next(absl::string_view* line) {
  size_t searched = begin_;
  while (status_.ok()) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      *line = absl::string_view(buffer_).substr(begin_, end - begin_);
      offset_ += line->size() + 1;
      begin_ = end + 1;
      return true;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    if (searched > kMaxLineBytes) {
      status_ = absl::DataLossError("a line is too long");
      return false;
    }
    buffer_.resize(searched + kReadBytes);
    const ssize_t n = read(fd_.get(), buffer_.data() + searched, kReadBytes);
    buffer_.resize(searched + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n == 0 || (n < 0 && errno != EINTR)) {
      if (n < 0) status_ = ErrnoToStatus(errno, "read");
      return false;
    }
  }
  return false;
}

}  // namespace berth::broker

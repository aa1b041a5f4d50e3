#include "agent/log/log_tail.h"

#include <fcntl.h>

#include <cstring>
#include <deque>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "agent/log/log_reader.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::agent {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

// What one segment says about lines.
struct Scan {
  // Offsets right after a newline, at most as many as wanted: the last ones.
  std::deque<uint64_t> starts;
  // Where the log's data ends, and that of the wanted stream; 0: it has none.
  uint64_t end = 0;
  uint64_t wanted_end = 0;
};

absl::StatusOr<Scan> ScanRange(const std::string& directory, uint64_t sequence,
                               uint64_t from, uint64_t to, size_t lines,
                               std::optional<Stream> only) {
  BERTH_ASSIGN_OR_RETURN(LogReader reader,
                         LogReader::Open(directory, sequence, from));
  std::vector<char> buffer(kBufferBytes);
  Scan scan;
  scan.end = from;
  while (reader.offset() < to) {
    BERTH_ASSIGN_OR_RETURN(const LogReader::Chunk chunk,
                           reader.Read(absl::MakeSpan(buffer), to));
    if (chunk.kind == LogReader::Chunk::kEnd) break;
    // What is missing up to an end that nobody told is no output.
    if (chunk.kind == LogReader::Chunk::kGap) continue;
    scan.end = chunk.offset + chunk.length;
    if (only.has_value() && chunk.stream != *only) continue;
    scan.wanted_end = scan.end;
    const char* const begin = buffer.data();
    const char* at = begin;
    while (const void* newline =
               memchr(at, '\n', chunk.length - (at - begin))) {
      at = static_cast<const char*>(newline) + 1;
      scan.starts.push_back(chunk.offset + (at - begin));
      // One more than wanted: the last may start no line.
      if (scan.starts.size() > lines + 1) scan.starts.pop_front();
    }
  }
  return scan;
}

}  // namespace

absl::StatusOr<uint64_t> FindTail(const std::string& directory,
                                  uint64_t sequence, size_t lines,
                                  std::optional<Stream> only) {
  const UniqueFd dir(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", directory));
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<uint64_t> segments,
                         ListSegments(dir.get(), sequence));
  size_t missing = lines;
  bool at_end = true;  // No wanted data was seen yet.
  uint64_t to = LogReader::kUnknownEnd;
  for (auto start = segments.rbegin(); start != segments.rend(); ++start) {
    BERTH_ASSIGN_OR_RETURN(
        Scan scan, ScanRange(directory, sequence, *start, to, missing, only));
    if (lines == 0) return scan.end;
    if (at_end && scan.wanted_end != 0) {
      at_end = false;
      // The newline at the very end ends a line and starts none.
      if (!scan.starts.empty() && scan.starts.back() == scan.wanted_end) {
        scan.starts.pop_back();
      }
    }
    if (scan.starts.size() >= missing) {
      return scan.starts[scan.starts.size() - missing];
    }
    missing -= scan.starts.size();
    to = *start;
  }
  return segments.empty() ? 0 : segments.front();
}

}  // namespace berth::agent

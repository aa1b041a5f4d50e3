#include "cli/run/line_matcher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {

absl::StatusOr<std::unique_ptr<LineMatcher>> LineMatcher::Make(
    const std::string& expression) {
  auto matcher = std::unique_ptr<LineMatcher>(new LineMatcher());
  const int error = regcomp(&matcher->expression_, expression.c_str(),
                            REG_EXTENDED | REG_NOSUB);
  if (error == 0) return matcher;
  char why[200];
  regerror(error, &matcher->expression_, why, sizeof(why));
  // What was not compiled is not there to be freed.
  regcomp(&matcher->expression_, "", REG_NOSUB);
  return absl::InvalidArgumentError(
      absl::StrCat("'", EscapeForTerminal(expression),
                   "': not a regular expression: ", why));
}

absl::Status LineMatcher::Write(v1::OutputStream stream, uint64_t offset,
                                absl::Span<iovec> pieces, size_t size) {
  std::string& line = stream == v1::OUTPUT_STREAM_STDERR ? err_ : out_;
  for (const iovec& piece : pieces) {
    Add(line, {static_cast<const char*>(piece.iov_base), piece.iov_len});
  }
  passed_ = offset + size;
  return absl::OkStatus();
}

absl::Status LineMatcher::Flush() {
  for (std::string* line : {&out_, &err_}) {
    if (!line->empty()) Try(*line);
    line->clear();
  }
  return absl::OkStatus();
}

void LineMatcher::Add(std::string& line, absl::string_view data) {
  while (!match_ && !data.empty()) {
    const size_t length = std::min(data.find('\n'), data.size());
    const size_t taken = std::min(length, kMaxLine - line.size());
    line.append(data.data(), taken);
    const bool ended = taken == length && length < data.size();
    if (ended || line.size() == kMaxLine) {
      Try(line);
      line.clear();
    }
    data.remove_prefix(taken + (ended ? 1 : 0));
  }
}

void LineMatcher::Try(absl::string_view line) {
  if (match_) return;
  regmatch_t range;
  range.rm_so = 0;
  range.rm_eo = static_cast<regoff_t>(line.size());
  // REG_STARTEND: a line may hold NULs.
  if (regexec(&expression_, line.data(), 1, &range, REG_STARTEND) == 0) {
    match_ = std::string(line);
  }
}

}  // namespace berth::cli

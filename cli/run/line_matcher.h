#ifndef BERTH_CLI_RUN_LINE_MATCHER_H_
#define BERTH_CLI_RUN_LINE_MATCHER_H_

#include <regex.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/run/output_sink.h"

namespace berth::cli {

// Prints nothing, but looks for a line of output that a POSIX extended regular
// expression matches. The last line of a command counts without its newline,
// too. Used by one thread.
class LineMatcher : public OutputSink {
 public:
  // A longer line is matched in pieces.
  static constexpr size_t kMaxLine = 1 << 20;

  // InvalidArgument: not an expression.
  static absl::StatusOr<std::unique_ptr<LineMatcher>> Make(
      const std::string& expression);
  ~LineMatcher() override { regfree(&expression_); }
  LineMatcher(const LineMatcher&) = delete;
  LineMatcher& operator=(const LineMatcher&) = delete;

  absl::Status Write(v1::OutputStream stream, uint64_t offset,
                     absl::Span<iovec> pieces, size_t size) override;
  absl::Status Flush() override;
  void StartAt(uint64_t offset) override { passed_ = offset; }
  uint64_t written() const override { return passed_; }

  // The first line that matched, without its newline.
  const std::optional<std::string>& match() const { return match_; }

 private:
  LineMatcher() = default;
  void Add(std::string& line, absl::string_view data);
  void Try(absl::string_view line);

  regex_t expression_;
  std::string out_;  // The line that has not ended, of each stream.
  std::string err_;
  std::optional<std::string> match_;
  uint64_t passed_ = 0;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_LINE_MATCHER_H_

#ifndef BERTH_CLI_RENDER_LINE_TAGGER_H_
#define BERTH_CLI_RENDER_LINE_TAGGER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace berth::cli {

// Turns pieces of one output stream into whole lines, each with a tag in front
// ("web01: "). A line that is not complete is kept until it is; or until it is
// longer than kLongestLine, when it is let out in parts.
class LineTagger {
 public:
  static constexpr size_t kLongestLine = 1 << 20;

  explicit LineTagger(std::string tag) : tag_(std::move(tag)) {}

  // Takes bytes that start at `offset` of the log. Returns the lines that are
  // complete now.
  std::string Add(uint64_t offset, absl::string_view data);

  // The line that was not complete, as if it were. Empty if there is none.
  std::string Flush();

  // Where the oldest byte that is kept stands in the log.
  std::optional<uint64_t> kept_offset() const { return kept_offset_; }

 private:
  const std::string tag_;
  std::string kept_;
  std::optional<uint64_t> kept_offset_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_LINE_TAGGER_H_

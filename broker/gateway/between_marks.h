#ifndef BERTH_BROKER_GATEWAY_BETWEEN_MARKS_H_
#define BERTH_BROKER_GATEWAY_BETWEEN_MARKS_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace berth::gateway {

// Passes what a terminal prints between two marks, and drops the rest and the
// marks. Holds back only what may be the beginning of a mark. Not thread-safe.
class BetweenMarks {
 public:
  // All passes.
  BetweenMarks() = default;
  BetweenMarks(std::string begin, std::string end)
      : begin_(std::move(begin)), end_(std::move(end)) {}

  // What is left of the next piece.
  std::string Take(absl::string_view data) {
    if (begin_.empty() && end_.empty()) return std::string(data);
    kept_.append(data.data(), data.size());
    if (!begin_.empty() && !Skip()) return {};
    if (over_) kept_.clear();
    const size_t at = kept_.find(end_);
    over_ = over_ || at != kept_.npos;
    const size_t passed = at != kept_.npos ? at : kept_.size() - MaybeEnd();
    std::string left = kept_.substr(0, passed);
    kept_.erase(0, passed);
    return left;
  }

 private:
  // Looks for the first mark. True: it is behind us.
  bool Skip() {
    const size_t at = kept_.find(begin_);
    if (at == kept_.npos) {
      if (kept_.size() >= begin_.size()) {
        kept_.erase(0, kept_.size() - begin_.size() + 1);
      }
      return false;
    }
    kept_.erase(0, at + begin_.size());
    begin_.clear();
    return true;
  }

  // How much at the end may be the beginning of the second mark.
  size_t MaybeEnd() const {
    size_t size = end_.empty() ? 0 : end_.size() - 1;
    for (; size > 0; --size) {
      if (size <= kept_.size() &&
          kept_.compare(kept_.size() - size, size, end_, 0, size) == 0) {
        return size;
      }
    }
    return 0;
  }

  std::string begin_;
  std::string end_;
  std::string kept_;
  bool over_ = false;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_BETWEEN_MARKS_H_

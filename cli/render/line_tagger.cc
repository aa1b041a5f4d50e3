#include "cli/render/line_tagger.h"

#include "absl/strings/str_cat.h"

namespace berth::cli {

std::string LineTagger::Add(uint64_t offset, absl::string_view data) {
  std::string out;
  for (size_t end = data.find('\n'); end != data.npos; end = data.find('\n')) {
    absl::StrAppend(&out, tag_, kept_, data.substr(0, end + 1));
    kept_.clear();
    kept_offset_.reset();
    data.remove_prefix(end + 1);
    offset += end + 1;
  }
  if (data.empty()) return out;
  if (!kept_offset_) kept_offset_ = offset;
  absl::StrAppend(&kept_, data);
  if (kept_.size() > kLongestLine) absl::StrAppend(&out, Flush());
  return out;
}

std::string LineTagger::Flush() {
  if (kept_.empty()) return "";
  std::string out = absl::StrCat(tag_, kept_, "\n");
  kept_.clear();
  kept_offset_.reset();
  return out;
}

}  // namespace berth::cli

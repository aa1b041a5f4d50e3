#include "cli/fanout/link_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/fanout/summary.h"
#include "cli/render/duration.h"

namespace berth::cli {

void LinkReport::Lost(const std::string& label, absl::string_view why,
                      absl::Time now) {
  if (lost_.empty() && !told_) {
    since_ = now;
    why_ = std::string(why);
    due_ = now + kGather;
  }
  lost_.insert(label);
}

void LinkReport::Back(const std::string& label, absl::Time now) {
  lost_.erase(label);
  // That all are back is told when no other is lost at once.
  if (lost_.empty()) due_ = told_ ? now + kGather : absl::InfiniteFuture();
}

std::optional<std::string> LinkReport::Next(absl::Time now) {
  if (now < due_) return std::nullopt;
  if (lost_.empty()) {
    told_ = false;
    due_ = absl::InfiniteFuture();
    return "reconnected";
  }
  const std::string names =
      FoldShort(std::vector<std::string>(lost_.begin(), lost_.end()));
  const std::string left =
      ShortDuration(std::max(absl::ZeroDuration(), since_ + patience_ - now));
  due_ = now + kRemind;
  if (told_) {
    return absl::StrCat("still reconnecting to ", names, ", for ", left);
  }
  told_ = true;
  return absl::StrCat("connection to ", names, " lost; reconnecting for ",
                      ShortDuration(patience_), " (", why_, ")");
}

}  // namespace berth::cli

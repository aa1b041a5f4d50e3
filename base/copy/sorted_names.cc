#include "base/copy/sorted_names.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/files.h"

namespace berth::copy {
namespace {

bool Before(const SortedNames::Name& a, const SortedNames::Name& b) {
  return a.text < b.text;
}

}  // namespace

absl::StatusOr<SortedNames> SortedNames::Open(UniqueFd folder,
                                              std::string after,
                                              size_t window) {
  DIR* const stream = fdopendir(folder.get());
  if (stream == nullptr) return ErrnoToStatus(errno, "reading a folder");
  folder.release();
  return SortedNames(stream, std::move(after), window);
}

SortedNames::SortedNames(SortedNames&& other) noexcept
    : folder_(std::exchange(other.folder_, nullptr)),
      last_(std::move(other.last_)),
      window_(other.window_),
      more_(other.more_),
      names_(std::move(other.names_)),
      next_(other.next_),
      status_(std::move(other.status_)) {}

SortedNames::~SortedNames() {
  if (folder_ != nullptr) closedir(folder_);
}

bool SortedNames::Next(Name& name) {
  if (next_ == names_.size() && more_ && status_.ok()) Fill();
  if (next_ == names_.size()) return false;
  name = std::move(names_[next_++]);
  last_ = name.text;
  return true;
}

void SortedNames::SkipAll() {
  next_ = names_.size();
  more_ = false;
}

void SortedNames::Fill() {
  names_.clear();
  next_ = 0;
  more_ = false;
  rewinddir(folder_);
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(folder_);
    if (entry == nullptr) break;
    Keep(*entry);
  }
  if (errno != 0) status_ = ErrnoToStatus(errno, "reading the folder");
  std::sort(names_.begin(), names_.end(), Before);
}

void SortedNames::Keep(const dirent& entry) {
  const absl::string_view text = entry.d_name;
  if (text == "." || text == ".." || text <= last_) return;
  if (names_.size() == window_) {
    more_ = true;
    if (!(text < names_.front().text)) return;
    std::pop_heap(names_.begin(), names_.end(), Before);
    names_.pop_back();
  }
  names_.push_back({std::string(text), entry.d_type});
  // A heap is needed only once a name may have to go.
  if (names_.size() < window_) return;
  if (!more_) {
    std::make_heap(names_.begin(), names_.end(), Before);
  } else {
    std::push_heap(names_.begin(), names_.end(), Before);
  }
}

}  // namespace berth::copy

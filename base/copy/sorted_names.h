#ifndef BERTH_BASE_COPY_SORTED_NAMES_H_
#define BERTH_BASE_COPY_SORTED_NAMES_H_

#include <dirent.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace berth::copy {

// The names in one folder, in ascending order of their bytes, without "." and
// "..". A folder may have millions of entries, so only kWindow names are in
// memory: it is read anew for the next ones. Order is what lets a copy go on
// after a cut without a list of what was done. Not thread-safe.
class SortedNames {
 public:
  static constexpr size_t kWindow = 64 << 10;

  struct Name {
    std::string text;
    unsigned char type;  // DT_REG etc.; DT_UNKNOWN if it takes a stat().
  };

  // Of the open `folder`: the names after `after`. `window` is for tests.
  static absl::StatusOr<SortedNames> Open(UniqueFd folder, std::string after,
                                          size_t window = kWindow);
  SortedNames(SortedNames&& other) noexcept;
  ~SortedNames();

  // The next name; false: there is none, or the folder can't be read.
  bool Next(Name& name);
  const absl::Status& status() const { return status_; }
  void ClearStatus() { status_ = absl::OkStatus(); }
  // There is no next name from now on.
  void SkipAll();

  int fd() const { return dirfd(folder_); }

 private:
  SortedNames(DIR* folder, std::string after, size_t window)
      : folder_(folder), last_(std::move(after)), window_(window) {}
  // Reads the names after last_, as many as there is room for.
  void Fill();
  void Keep(const dirent& entry);

  DIR* folder_;
  std::string last_;  // All names up to here were given out.
  const size_t window_;
  bool more_ = true;         // There are names after those in `names_`.
  std::vector<Name> names_;  // A heap while it is filled; then sorted.
  size_t next_ = 0;
  absl::Status status_;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_SORTED_NAMES_H_

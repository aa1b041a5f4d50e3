#ifndef BERTH_BASE_COPY_QUOTA_H_
#define BERTH_BASE_COPY_QUOTA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace berth::copy {

// How much may be stored in a folder with a limit. Counts in blocks of 4 KiB,
// one at least for each entry, so that empty files are no way around it. Not
// thread-safe.
class Quota {
 public:
  // In bytes; `used` as sums of Cost().
  Quota(uint64_t limit, uint64_t used) : limit_(limit), used_(used) {}

  static uint64_t Cost(uint64_t size) {
    return size / kBlock * kBlock + kBlock;
  }

  // RESOURCE_EXHAUSTED: there is no room for an entry of `size` bytes.
  absl::Status Take(uint64_t size) {
    if (size > limit_ || used_ + Cost(size) > limit_) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "no room: the files of this session may take ", limit_,
          " bytes (`copy_limit` of its configuration), and take ", used_));
    }
    used_ += Cost(size);
    return absl::OkStatus();
  }
  void Give(uint64_t size) { used_ -= used_ < Cost(size) ? used_ : Cost(size); }

 private:
  static constexpr uint64_t kBlock = 4096;
  const uint64_t limit_;
  uint64_t used_;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_QUOTA_H_

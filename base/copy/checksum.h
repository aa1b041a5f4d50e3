#ifndef BERTH_BASE_COPY_CHECKSUM_H_
#define BERTH_BASE_COPY_CHECKSUM_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

struct evp_mac_ctx_st;

namespace berth::copy {

// The checksum of files on their way: a GMAC (see files.proto), since hardware
// computes it ten times faster than SHA-256. Its key is new for each stream, so
// no two files can be made to share one beforehand. Not thread-safe.
class Checksum {
 public:
  static constexpr size_t kKeySize = 16;
  static constexpr size_t kSize = 16;

  static std::string NewKey();

  // `key` has kKeySize bytes.
  explicit Checksum(absl::string_view key);
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  // Begins anew.
  void Reset();
  void Update(const void* data, size_t size);
  void UpdateZeros(size_t size);
  // Of all since the last Reset(), which must come next.
  std::string Finish();

 private:
  const std::string key_;
  evp_mac_ctx_st* const context_;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_CHECKSUM_H_

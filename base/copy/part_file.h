#ifndef BERTH_BASE_COPY_PART_FILE_H_
#define BERTH_BASE_COPY_PART_FILE_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/copy/checksum.h"
#include "base/unique_fd.h"

namespace berth::copy {

// A file on its way into a folder: under a name of its own until it is
// complete, and locked, so that two copies can't write one. What was received
// is kept for the next attempt if it is worth it. Errors carry the kernel's
// reason, without the path. Not thread-safe.
class PartFile {
 public:
  // How long to wait for another copy to let go of the part: as long as the
  // broker may take to notice that a client of ours is gone.
  static constexpr absl::Duration kLockLimit = absl::Seconds(40);

  // Opens the part for `name` in the open `folder`, which must outlive it.
  // What is there is kept if `size`, the file's, is worth it. ABORTED: another
  // copy writes it; or `stopped` said so while waiting for that.
  static absl::StatusOr<PartFile> Open(int folder, std::string name,
                                       uint64_t size,
                                       const std::function<bool()>& stopped);
  PartFile(PartFile&&) = default;
  PartFile& operator=(PartFile&&) = default;
  // Removes the part, unless it was committed or is worth keeping.
  ~PartFile();

  // Bytes that an earlier attempt left.
  uint64_t kept() const { return kept_; }
  // Adds the first `size` bytes to both checksums. ABORTED: `stopped` said so.
  absl::Status Sum(uint64_t size, Checksum& one, Checksum& other,
                   const std::function<bool()>& stopped) const;

  absl::Status Write(absl::Span<const iovec> data, uint64_t offset);
  absl::Status Truncate(uint64_t size);

  struct Attributes {
    mode_t mode = 0600;
    bool set_time = false;
    absl::Time time;
  };
  // Gives the file its name. FAILED_PRECONDITION: something is there that is
  // neither a file nor a link.
  absl::Status Commit(const Attributes& attributes);

  // Removes it, whatever it is worth.
  void Discard();

 private:
  PartFile(int folder, std::string name, std::string part)
      : folder_(folder), name_(std::move(name)), part_(std::move(part)) {}
  absl::Status Lock(const std::function<bool()>& stopped);
  bool IsStillThere() const;
  absl::Status Rename();

  int folder_;
  std::string name_;
  std::string part_;
  UniqueFd file_;
  uint64_t kept_ = 0;
  bool worth_keeping_ = false;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_PART_FILE_H_

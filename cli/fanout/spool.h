#ifndef BERTH_CLI_FANOUT_SPOOL_H_
#define BERTH_CLI_FANOUT_SPOOL_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace berth::cli {

// A file in /var/tmp that has no name, and goes with its last descriptor.
absl::StatusOr<UniqueFd> OpenNamelessFile();

// Where spools keep what is too much for memory: one file without a name, that
// goes with the process. Used by one thread.
class SpoolStore {
 public:
  // Together, spools keep about so many bytes in memory.
  explicit SpoolStore(size_t memory = 64 << 20) : memory_(memory) {}

 private:
  friend class Spool;

  bool Full() const { return used_ > memory_; }
  // Appends to the file; returns where. Errors name the directory.
  absl::StatusOr<uint64_t> Append(absl::string_view data);

  const size_t memory_;
  size_t used_ = 0;
  UniqueFd file_;
  uint64_t end_ = 0;
};

// Bytes that are kept, in memory or in the store's file. Used by one thread.
class Spool {
 public:
  explicit Spool(SpoolStore& store) : store_(&store) {}
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&&) = delete;
  ~Spool() { store_->used_ -= tail_.size(); }

  absl::Status Append(absl::string_view data);
  uint64_t size() const { return size_; }

  // Calls `take` with all bytes, in order, in pieces of at most 1 MiB.
  absl::Status ForEach(
      const std::function<absl::Status(absl::string_view)>& take) const;
  // All at once; ResourceExhausted if there are over `limit`.
  absl::StatusOr<std::string> Read(size_t limit) const;
  // SHA-256.
  absl::StatusOr<std::string> Hash() const;

 private:
  struct Part {
    uint64_t offset;
    uint64_t size;
  };

  SpoolStore* store_;
  std::vector<Part> parts_;  // In the file, before `tail_`.
  std::string tail_;
  uint64_t size_ = 0;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SPOOL_H_

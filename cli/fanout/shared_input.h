#ifndef BERTH_CLI_FANOUT_SHARED_INPUT_H_
#define BERTH_CLI_FANOUT_SHARED_INPUT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/invocation/input.h"

namespace berth::cli {

// Standard input that goes to several targets: read once, on a thread of its
// own, only as far as the fastest target wants it, and kept for the others; in
// memory at first, then in a file without a name. Thread-safe.
class SharedInput {
 public:
  // `on_data` is called on the thread when more was read, or the input ended.
  SharedInput(Input& input, std::function<void()> on_data);
  // Ends the thread.
  ~SharedInput();

  // Somebody can take input before `end`.
  void Want(uint64_t end) ABSL_LOCKS_EXCLUDED(mu_);

  // What stands at `offset`, at most `size` bytes; empty: not read yet, or the
  // end. Errors: what was kept can't be read.
  absl::StatusOr<std::string> Read(uint64_t offset, size_t size) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Where it ends, once that is known.
  std::optional<uint64_t> end() const ABSL_LOCKS_EXCLUDED(mu_);

  // Why it can't be kept; it then ends there.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr size_t kMemory = 4 << 20;

  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  bool Wanted() const ABSL_LOCKS_EXCLUDED(mu_);
  void Keep(absl::string_view data) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status KeepInFile(absl::string_view data)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End() ABSL_LOCKS_EXCLUDED(mu_);

  Input& input_;
  const std::function<void()> on_data_;
  const UniqueFd wake_;

  mutable Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t wanted_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t have_ ABSL_GUARDED_BY(mu_) = 0;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  std::string memory_ ABSL_GUARDED_BY(mu_);  // The first kMemory bytes.
  UniqueFd file_ ABSL_GUARDED_BY(mu_);       // What follows.

  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SHARED_INPUT_H_

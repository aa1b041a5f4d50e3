#ifndef BERTH_CLI_CLIENT_RECEIPTS_H_
#define BERTH_CLI_CLIENT_RECEIPTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace berth::cli {

// How far the output of commands was written out by this process, for streams
// that ended before their acknowledgements had surely arrived: what the session
// then sends again is not written again. Of the latest kMost commands.
// Thread-safe.
class Receipts {
 public:
  static constexpr size_t kMost = 1024;

  // Everything of a command up to `offset` was written.
  void Note(absl::string_view command_id, uint64_t offset)
      ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    const auto [it, is_new] = written_.try_emplace(command_id, offset);
    it->second = std::max(it->second, offset);
    if (!is_new) return;
    order_.emplace_back(command_id);
    if (order_.size() <= kMost) return;
    written_.erase(order_.front());
    order_.pop_front();
  }

  // 0: nothing is known.
  uint64_t Find(absl::string_view command_id) const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    const auto it = written_.find(command_id);
    return it == written_.end() ? 0 : it->second;
  }

 private:
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, uint64_t> written_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mu_);  // The oldest first.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_RECEIPTS_H_

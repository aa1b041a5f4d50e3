#ifndef BERTH_BROKER_REGISTRY_STORE_THREAD_H_
#define BERTH_BROKER_REGISTRY_STORE_THREAD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "broker/registry/store.h"

namespace berth::broker {

// StoreThread does all work on a Store on one thread of its own, so that
// nobody else ever waits for a disk. Whatever came in while it was busy is
// committed as one group. Thread-safe.
//
// Work without a `done` is kept if its group fails (disk full), and tried again
// with the next group or after kRetry.
class StoreThread {
 public:
  // If the store fails it (disk full), its whole group fails. Work that fails
  // for a reason of its own must not have changed anything.
  using Work = std::function<absl::Status(Store&)>;
  using Done = std::function<void(absl::Status)>;

  // Work that may wait; over it, new work is refused.
  static constexpr size_t kMaxWaiting = 100000;
  static constexpr absl::Duration kRetry = absl::Seconds(1);

  explicit StoreThread(std::unique_ptr<Store> store);
  // Does what is left, once, then stops.
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // Runs `work`, then `done` (which must not block) with its status once it is
  // committed, on the store's thread. ResourceExhausted if too much waits.
  void Do(Work work, Done done = nullptr) ABSL_LOCKS_EXCLUDED(mu_);

  // How the last group went: not OK while the store can't be written.
  absl::Status health() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Item {
    Work work;
    Done done;
    absl::Status status;
  };

  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for work and takes all of it. Empty: stopping.
  std::vector<Item> TakeAll() ABSL_LOCKS_EXCLUDED(mu_);
  // Says when the store begins to fail, and when it is well again.
  void Log(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // Runs and commits `items`, and tells how it went.
  absl::Status CommitGroup(std::vector<Item>& items);
  void Finish(std::vector<Item> items, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);

  const std::unique_ptr<Store> store_;  // Of the thread alone.
  mutable Mutex mu_;
  CondVar changed_;
  std::vector<Item> waiting_ ABSL_GUARDED_BY(mu_);
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_STORE_THREAD_H_

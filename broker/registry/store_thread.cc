#include "broker/registry/store_thread.h"

#include <spdlog/spdlog.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

// Whether the store is to blame, and the same may work later.
bool IsStoreFailure(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsDataLoss(status);
}

}  // namespace

StoreThread::StoreThread(std::unique_ptr<Store> store)
    : store_(std::move(store)), thread_([this] { Run(); }) {}

StoreThread::~StoreThread() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void StoreThread::Do(Work work, Done done) {
  {
    MutexLock lock(mu_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({std::move(work), std::move(done), absl::OkStatus()});
      work = nullptr;
    }
  }
  if (work == nullptr) {
    changed_.NotifyOne();
  } else if (done) {
    done(absl::ResourceExhaustedError(
        absl::StrCat("the registry has ", kMaxWaiting,
                     " changes waiting for its disk; try again later")));
  }
}

absl::Status StoreThread::health() const {
  MutexLock lock(mu_);
  return health_;
}

void StoreThread::Run() {
  while (true) {
    std::vector<Item> items = TakeAll();
    if (items.empty()) return;
    const absl::Status status = CommitGroup(items);
    Finish(std::move(items), status);
  }
}

std::vector<StoreThread::Item> StoreThread::TakeAll() {
  MutexLock lock(mu_);
  // After a failure, what was kept alone is no reason to go on at once.
  if (!health_.ok() && !stopping_) changed_.WaitFor(mu_, kRetry);
  while (waiting_.empty() && !stopping_) changed_.Wait(mu_);
  return std::exchange(waiting_, {});
}

absl::Status StoreThread::CommitGroup(std::vector<Item>& items) {
  absl::Status status = store_->Begin();
  if (!status.ok()) return status;
  for (Item& item : items) {
    item.status = item.work(*store_);
    if (IsStoreFailure(item.status)) {
      status = item.status;
      break;
    }
  }
  if (status.ok()) status = store_->Commit();
  if (!status.ok()) store_->Rollback();
  return status;
}

void StoreThread::Log(const absl::Status& status) {
  const absl::Status before = health();
  if (before.ok() && !status.ok()) {
    SPDLOG_ERROR(
        "the registry can't be written, so no new sessions are made; what is "
        "known is served: {}",
        status.ToString());
  } else if (!before.ok() && status.ok()) {
    SPDLOG_WARN("the registry can be written again");
  }
}

void StoreThread::Finish(std::vector<Item> items, const absl::Status& status) {
  std::vector<Item> kept;
  for (Item& item : items) {
    const absl::Status& result = status.ok() ? item.status : status;
    if (item.done) {
      item.done(result);
    } else if (!status.ok()) {
      kept.push_back(std::move(item));
    }
  }
  Log(status);
  MutexLock lock(mu_);
  health_ = status;
  if (stopping_) return;
  // Older work goes first.
  waiting_.insert(waiting_.begin(), std::make_move_iterator(kept.begin()),
                  std::make_move_iterator(kept.end()));
}

}  // namespace berth::broker

#include "broker/services/archive_threads.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace berth::broker {

ArchiveThreads::~ArchiveThreads() {
  MutexLock lock(mu_);
  while (running_ > 0) done_.Wait(mu_);
}

absl::Status ArchiveThreads::Start(std::function<void()> work) {
  {
    MutexLock lock(mu_);
    if (running_ >= kMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat(running_, " of ", kMax,
                       " calls on the archive of recordings are at work; try "
                       "again when one has ended"));
    }
    ++running_;
  }
  std::thread([this, work = std::move(work)] {
    work();
    MutexLock lock(mu_);
    --running_;
    done_.NotifyAll();
  }).detach();
  return absl::OkStatus();
}

}  // namespace berth::broker

#include "broker/users/open_calls.h"

#include <utility>

namespace berth::broker {

OpenCalls::Ticket::Ticket(OpenCalls& calls,
                          std::shared_ptr<const CertificateInfo> certificate,
                          End end, std::function<void()> cut)
    : calls_(calls),
      entry_(std::make_shared<Entry>(std::move(certificate), std::move(end),
                                     std::move(cut))) {
  if (entry_->certificate == nullptr) return;
  {
    MutexLock lock(calls_.mu_);
    calls_.entries_.insert(entry_);
  }
  // Whoever revoked it before may have looked before this was there.
  calls_.EndIfRefused(entry_);
}

OpenCalls::Ticket::~Ticket() {
  {
    MutexLock lock(calls_.mu_);
    calls_.entries_.erase(entry_);
  }
  MutexLock lock(entry_->mu);
  entry_->over = true;
}

void OpenCalls::EndRefused() {
  std::vector<std::shared_ptr<Entry>> entries;
  {
    MutexLock lock(mu_);
    entries.assign(entries_.begin(), entries_.end());
  }
  for (const std::shared_ptr<Entry>& entry : entries) EndIfRefused(entry);
}

void OpenCalls::EndIfRefused(const std::shared_ptr<Entry>& entry) {
  const absl::Status status = check_(*entry->certificate);
  if (status.ok()) return;
  {
    MutexLock lock(entry->mu);
    if (entry->over) return;
    entry->end(status);
  }
  timer_.After(kCutAfter, [entry] {
    MutexLock lock(entry->mu);
    if (!entry->over) entry->cut();
  });
}

}  // namespace berth::broker

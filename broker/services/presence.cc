#include "broker/services/presence.h"

namespace berth::broker {

void Presence::Join(const Client& client) {
  MutexLock lock(mu_);
  Entry& entry = clients_[client];
  entry.streams++;
  entry.joins++;
  if (entry.timer != 0) timer_.Cancel(entry.timer);
  entry.timer = 0;
}

void Presence::Leave(const Client& client) {
  MutexLock lock(mu_);
  auto entry = clients_.find(client);
  if (entry == clients_.end() || --entry->second.streams > 0) return;
  entry->second.timer = timer_.After(
      grace_,
      [this, client, joins = entry->second.joins] { Expire(client, joins); });
}

void Presence::Expire(const Client& client, uint64_t joins) {
  {
    MutexLock lock(mu_);
    auto entry = clients_.find(client);
    if (entry == clients_.end() || entry->second.joins != joins) return;
    clients_.erase(entry);
  }
  on_absent_(client);
}

bool Presence::IsPresent(const Client& client) const {
  MutexLock lock(mu_);
  auto entry = clients_.find(client);
  return entry != clients_.end() && entry->second.streams > 0;
}

bool Presence::IsAbsent(const Client& client) const {
  MutexLock lock(mu_);
  return !clients_.contains(client);
}

}  // namespace berth::broker

#include "broker/services/list_tally.h"

#include "absl/strings/str_cat.h"

namespace berth::broker {

void ListTally::Note(AuditEvent event) {
  const std::string caller =
      absl::StrCat(event.user, "\n", event.certificate, "\n", event.purpose);
  std::string name =
      absl::StrCat(event.verb, "\n", event.outcome, "\n", event.code, "\n",
                   event.computer, "\n", event.session, "\n", event.detail);
  bool begins = false;
  {
    MutexLock lock(mu_);
    auto found = callers_.find(caller);
    if (found == callers_.end() && callers_.size() < kMaxCallers) {
      found = callers_.emplace(caller, Kinds()).first;
      begins = true;
    }
    if (found != callers_.end()) {
      Kinds& kinds = found->second;
      if (kinds.size() >= kMaxKinds && !kinds.contains(name)) name.clear();
      const auto [kind, is_new] = kinds.try_emplace(name);
      if (!is_new) {
        ++kind->second.more;
        kind->second.event = std::move(event);
        return;
      }
      kind->second.event = event;
    }
  }
  record_(std::move(event));
  if (!begins) return;
  timer_.After(window_, [weak = weak_from_this(), caller] {
    if (auto tally = weak.lock()) tally->EndWindow(caller);
  });
}

void ListTally::EndWindow(const std::string& caller) {
  Kinds kinds;
  {
    MutexLock lock(mu_);
    const auto found = callers_.find(caller);
    if (found == callers_.end()) return;
    kinds = std::move(found->second);
    callers_.erase(found);
  }
  Write(std::move(kinds));
}

void ListTally::Flush() {
  absl::flat_hash_map<std::string, Kinds> callers;
  {
    MutexLock lock(mu_);
    callers.swap(callers_);
  }
  for (auto& [caller, kinds] : callers) Write(std::move(kinds));
}

void ListTally::Write(Kinds kinds) {
  for (auto& [name, kind] : kinds) {
    if (kind.more == 0) continue;
    AuditEvent& event = kind.event;
    absl::StrAppend(&event.detail, event.detail.empty() ? "" : " ",
                    name.empty() ? "(and others) " : "", "more=", kind.more,
                    " within ", absl::FormatDuration(window_));
    record_(std::move(event));
  }
}

}  // namespace berth::broker

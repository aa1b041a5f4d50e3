#include "agent/sessions/terminals.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/foreign_client.h"
#include "base/proto_time.h"

namespace berth::agent {
namespace {

bool MayType(const Terminals::Visitor& visitor) {
  return visitor.mode != v1::TERMINAL_MODE_PEEK;
}

std::string NameOf(const v1::Client& client) {
  const std::string name = EscapeForTerminal(client.name());
  return name.empty() ? "another client" : name;
}

std::string ByWhom(const v1::Client& client, absl::Time when) {
  return absl::StrCat("by ", NameOf(client), " at ",
                      absl::FormatTime("%H:%M UTC", when, absl::UTCTimeZone()));
}

const char* WhatComes(v1::TerminalMode mode) {
  switch (mode) {
    case v1::TERMINAL_MODE_PEEK:
      return " watches";
    case v1::TERMINAL_MODE_SHARE:
      return " came and types along";
    default:
      return " came";
  }
}

}  // namespace

absl::Status TypedInput::Take(uint64_t offset, absl::string_view data,
                              const Pass& pass) {
  MutexLock lock(mu_);
  if (!begun_) {
    begun_ = true;
    offset_ = offset;
  }
  if (offset > offset_) {
    return absl::InvalidArgumentError(
        absl::StrCat("input at offset ", offset, " leaves a gap after ",
                     offset_, ", where the last ended"));
  }
  const uint64_t known = offset_ - offset;
  if (known >= data.size()) return absl::OkStatus();
  data.remove_prefix(known);
  absl::Status status = pass(data);
  if (status.ok()) offset_ += data.size();
  return status;
}

uint64_t TypedInput::offset() const {
  MutexLock lock(mu_);
  return offset_;
}

absl::Status Terminals::Check(const Visitor& visitor) const {
  MutexLock lock(mu_);
  return CheckLocked(visitor);
}

absl::Status Terminals::CheckLocked(const Visitor& visitor) const {
  size_t others = 0;
  for (const auto& [key, terminal] : attached_) {
    if (terminal.visitor.id == visitor.id || terminal.mail.ended) continue;
    ++others;
    if (visitor.mode != v1::TERMINAL_MODE_UNSPECIFIED ||
        !MayType(terminal.visitor)) {
      continue;
    }
    const v1::Client& client = terminal.visitor.client;
    const std::string session =
        EscapeForTerminal(SessionFor(owner_, session_, visitor.client.id()));
    return absl::FailedPreconditionError(absl::StrCat(
        "session ", session, " has the terminal of ",
        EscapeForTerminal(DescribeClient(owner_, client.id(), client.name())),
        " attached since ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", terminal.since,
                         absl::UTCTimeZone()),
        "; to take it over: berth enter ", session,
        " --take; or with --share type along, or with --peek watch"));
  }
  if (others >= kMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("session ", session_, " has ", others, " of ", kMax,
                     " terminals attached: try again when one has left"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Terminals::Attach(const Visitor& visitor,
                                           absl::Time now,
                                           std::function<void()> wake) {
  MutexLock lock(mu_);
  const absl::Status free = CheckLocked(visitor);
  if (!free.ok()) return free;
  if (visitor.mode == v1::TERMINAL_MODE_TAKE) {
    TakeLocked(visitor.client, visitor.id, now);
  }
  Terminal terminal{.visitor = visitor,
                    .since = now,
                    .input = nullptr,
                    .wake = std::move(wake),
                    .warned_of = {},
                    .mail = {}};
  bool goes_on = false;
  for (auto& [key, other] : attached_) {
    if (other.visitor.id != visitor.id ||
        other.visitor.client.id() != visitor.client.id() ||
        other.mail.replaced) {
      continue;
    }
    // Its stream has not noticed yet that it is broken.
    goes_on = true;
    terminal.since = other.since;
    terminal.input = other.input;
    terminal.typed_at = other.typed_at;
    other.mail.replaced = true;
    other.wake();
  }
  if (!goes_on) {
    terminal.input = ResumeLocked(visitor, now);
    NotifyLocked(absl::StrCat(NameOf(visitor.client), WhatComes(visitor.mode)));
  }
  attached_.emplace(++last_key_, std::move(terminal));
  return last_key_;
}

void Terminals::TakeLocked(const v1::Client& by, const std::string& id,
                           absl::Time now) {
  for (auto& [key, other] : attached_) {
    if (!MayType(other.visitor) || other.visitor.id == id || other.mail.ended) {
      continue;
    }
    other.mail.ended.emplace().set_why(v1::TerminalEnded::TAKEN);
    other.mail.ended->set_detail(ByWhom(by, now));
    other.wake();
  }
}

std::shared_ptr<TypedInput> Terminals::ResumeLocked(const Visitor& visitor,
                                                    absl::Time now) {
  for (auto visit = visits_.begin(); visit != visits_.end(); ++visit) {
    if (visit->id != visitor.id || visit->client_id != visitor.client.id() ||
        visit->until < now) {
      continue;
    }
    std::shared_ptr<TypedInput> input = std::move(visit->input);
    visits_.erase(visit);
    return input;
  }
  return std::make_shared<TypedInput>();
}

bool Terminals::Knows(absl::string_view id, absl::Time now) const {
  MutexLock lock(mu_);
  for (const auto& [key, terminal] : attached_) {
    if (terminal.visitor.id == id) return true;
  }
  return std::any_of(visits_.begin(), visits_.end(), [&](const Visit& visit) {
    return visit.id == id && visit.until >= now;
  });
}

void Terminals::Detach(uint64_t key, bool may_return, absl::Time now) {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  if (it == attached_.end()) return;
  const Terminal terminal = std::move(it->second);
  attached_.erase(it);
  if (terminal.mail.replaced) return;
  if (may_return) RememberLocked(terminal, now);
  NotifyLocked(absl::StrCat(NameOf(terminal.visitor.client), " left"));
}

void Terminals::RememberLocked(const Terminal& terminal, absl::Time now) {
  visits_.remove_if([&](const Visit& visit) { return visit.until < now; });
  if (visits_.size() >= kMaxVisits) visits_.pop_front();
  visits_.push_back({terminal.visitor.id, terminal.visitor.client.id(),
                     terminal.input, now + kRemember});
}

std::shared_ptr<TypedInput> Terminals::Input(uint64_t key) const {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  return it == attached_.end() ? std::make_shared<TypedInput>()
                               : it->second.input;
}

bool Terminals::Type(uint64_t key) {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  if (it == attached_.end() || !MayType(it->second.visitor) ||
      it->second.mail.ended) {
    return false;
  }
  it->second.typed_at = ++typed_count_;
  return true;
}

bool Terminals::TypedLast(uint64_t key) const {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  if (it == attached_.end() || !MayType(it->second.visitor)) return false;
  return std::none_of(attached_.begin(), attached_.end(),
                      [&](const auto& entry) {
                        const Terminal& other = entry.second;
                        return other.visitor.id != it->second.visitor.id &&
                               MayType(other.visitor) && !other.mail.ended &&
                               other.typed_at > it->second.typed_at;
                      });
}

void Terminals::Resize(uint64_t key, const v1::TerminalSize& size) {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  if (it != attached_.end()) it->second.visitor.size = size;
}

std::optional<v1::TerminalSize> Terminals::Size() const {
  MutexLock lock(mu_);
  std::optional<v1::TerminalSize> size;
  for (const auto& [key, terminal] : attached_) {
    if (!MayType(terminal.visitor) || terminal.mail.ended ||
        terminal.mail.replaced) {
      continue;
    }
    const v1::TerminalSize& its = terminal.visitor.size;
    if (!size) {
      size = its;
      continue;
    }
    size->set_rows(std::min(size->rows(), its.rows()));
    size->set_columns(std::min(size->columns(), its.columns()));
  }
  return size;
}

Terminals::Mail Terminals::TakeMail(uint64_t key) {
  MutexLock lock(mu_);
  const auto it = attached_.find(key);
  if (it == attached_.end()) return {};
  Mail mail = it->second.mail;
  it->second.mail.notices.clear();
  return mail;
}

std::vector<v1::AttachedTerminal> Terminals::List(uint64_t except) const {
  MutexLock lock(mu_);
  std::vector<v1::AttachedTerminal> list;
  for (const auto& [key, terminal] : attached_) {
    if (key == except || terminal.mail.ended || terminal.mail.replaced) {
      continue;
    }
    v1::AttachedTerminal& its = list.emplace_back();
    *its.mutable_client() = terminal.visitor.client;
    its.set_mode(terminal.visitor.mode);
    *its.mutable_since() = ToProto(terminal.since);
  }
  return list;
}

size_t Terminals::typing() const {
  MutexLock lock(mu_);
  return std::count_if(
      attached_.begin(), attached_.end(),
      [](const auto& entry) { return MayType(entry.second.visitor); });
}

void Terminals::NotifyAll(const std::string& text) {
  MutexLock lock(mu_);
  NotifyLocked(text);
}

void Terminals::NotifyLocked(const std::string& text) {
  for (auto& [key, terminal] : attached_) Notify(terminal, text);
}

void Terminals::Notify(Terminal& terminal, const std::string& text) {
  if (terminal.mail.ended || terminal.mail.replaced) return;
  std::vector<std::string>& notices = terminal.mail.notices;
  if (notices.size() >= kMaxNotices) notices.erase(notices.begin());
  notices.push_back(text);
  terminal.wake();
}

void Terminals::WarnOfEnd(absl::Duration idle_since, const std::string& text) {
  MutexLock lock(mu_);
  for (auto& [key, terminal] : attached_) {
    if (terminal.warned_of == idle_since) continue;
    terminal.warned_of = idle_since;
    Notify(terminal, text);
  }
}

void Terminals::SessionTaken(const v1::Client& client, absl::Time now) {
  MutexLock lock(mu_);
  for (auto& [key, other] : attached_) {
    if (!MayType(other.visitor) || other.mail.ended ||
        other.visitor.client.id() == client.id()) {
      continue;
    }
    other.mail.ended.emplace().set_why(v1::TerminalEnded::TAKEN);
    other.mail.ended->set_detail(ByWhom(client, now));
    other.wake();
  }
}

}  // namespace berth::agent

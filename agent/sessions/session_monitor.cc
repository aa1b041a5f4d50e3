#include "agent/sessions/session_monitor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/session_events.h"
#include "base/status_macros.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// A command that begins and ends within this time makes no report: nobody
// could have seen it, and there may be hundreds in a second.
constexpr absl::Duration kSettle = absl::Milliseconds(20);
// What such commands have changed is told so often at most.
constexpr absl::Duration kDetails = absl::Milliseconds(250);
constexpr uint64_t kWakeKey = 0;
// epoll_wait takes milliseconds as int; a longer time is waited for in parts.
constexpr int64_t kMaxWaitMs = 3'600'000;

epoll_event OneShot(uint64_t key) {
  epoll_event event{};
  // Once: what comes while changes settle is read after that.
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = key;
  return event;
}

// The name of what looks at a session's idle clock.
std::string IdleCheck(const std::string& instance_id) {
  return absl::StrCat("idle ", instance_id);
}

}  // namespace

SessionMonitor::SessionMonitor(Handlers handlers)
    : handlers_(std::move(handlers)) {}

SessionMonitor::~SessionMonitor() { Stop(); }

absl::Status SessionMonitor::Start() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeKey;
  if (!epoll_.valid() || !wake_.valid() ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return ErrnoToStatus(errno, "epoll");
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void SessionMonitor::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void SessionMonitor::Wake() {
  const uint64_t one = 1;
  // It can only fail if it is readable already.
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof(one));
}

absl::Status SessionMonitor::Follow(Session session,
                                    HolderConnection connection) {
  auto followed = std::make_shared<Followed>(
      Followed{std::move(session), std::move(connection), 0});
  {
    MutexLock lock(mu_);
    followed->key = ++last_key_;
    followed_[followed->key] = followed;
  }
  epoll_event event = OneShot(followed->key);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, followed->connection.fd(),
                &event) != 0) {
    return ErrnoToStatus(errno, "epoll");
  }
  return absl::OkStatus();
}

void SessionMonitor::Touch(const Session& session) {
  LookAfter(kSettle, session);
}

void SessionMonitor::Flush(const Session& session) {
  After(absl::ZeroDuration(), [this, session] {
    std::shared_ptr<Followed> its;
    {
      MutexLock lock(mu_);
      for (const auto& [key, followed] : followed_) {
        if (followed->session == session) its = followed;
      }
    }
    if (its != nullptr) Receive(*its);  // If it is gone, epoll tells as well.
    Look(session);
  });
}

void SessionMonitor::AfterAs(const std::string& name, absl::Duration delay,
                             std::function<void()> task) {
  const absl::Duration when = SteadyNow() + delay;
  Task replaced;  // What it holds is let go without the lock.
  {
    MutexLock lock(mu_);
    const bool first = due_.empty() || when < due_.begin()->first;
    const auto added = due_.emplace(when, Task{name, std::move(task)});
    if (!name.empty()) {
      auto [named, is_new] = named_.try_emplace(name, added);
      if (!is_new) {
        replaced = std::move(named->second->second);
        due_.erase(std::exchange(named->second, added));
      }
    }
    if (!first || thread_.get_id() == std::this_thread::get_id()) return;
  }
  Wake();
}

void SessionMonitor::Drop(const std::string& name) {
  Task dropped;
  MutexLock lock(mu_);
  const auto named = named_.find(name);
  if (named == named_.end()) return;
  dropped = std::move(named->second->second);
  due_.erase(named->second);
  named_.erase(named);
}

void SessionMonitor::LookAfter(absl::Duration delay, const Session& session) {
  {
    MutexLock lock(mu_);
    if (!pending_looks_.insert(session->instance_id()).second) {
      return;
    }
  }
  After(delay, [this, session] {
    {
      MutexLock lock(mu_);
      pending_looks_.erase(session->instance_id());
    }
    Look(session);
  });
}

void SessionMonitor::Run() {
  for (;;) {
    epoll_event events[64];
    const int count =
        epoll_wait(epoll_.get(), events, std::size(events), NextTimeout());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeKey) {
        uint64_t ignored;
        [[maybe_unused]] const ssize_t n =
            read(wake_.get(), &ignored, sizeof(ignored));
        continue;
      }
      if (auto followed = Find(events[i].data.u64); followed != nullptr) {
        OnReadable(followed);
      }
    }
    RunDue();
    MutexLock lock(mu_);
    if (stopping_) return;
  }
}

int SessionMonitor::NextTimeout() {
  MutexLock lock(mu_);
  if (due_.empty()) return -1;
  const int64_t left = absl::ToInt64Milliseconds(
      absl::Ceil(due_.begin()->first - SteadyNow(), absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(left, 0, kMaxWaitMs));
}

void SessionMonitor::RunDue() {
  for (;;) {
    Task task;
    {
      MutexLock lock(mu_);
      if (due_.empty() || due_.begin()->first > SteadyNow()) return;
      task = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      if (!task.name.empty()) named_.erase(task.name);
    }
    task.run();
  }
}

std::shared_ptr<SessionMonitor::Followed> SessionMonitor::Find(uint64_t key) {
  MutexLock lock(mu_);
  const auto it = followed_.find(key);
  return it == followed_.end() ? nullptr : it->second;
}

bool SessionMonitor::Receive(Followed& followed) {
  for (;;) {
    auto event = followed.connection.TryReceive();
    if (!event.ok()) return false;
    if (!event->has_value()) return true;
    if ((*event)->has_state()) followed.session->OnState((*event)->state());
    if ((*event)->has_notice()) {
      SPDLOG_WARN("session {}: {}", followed.session->instance_id(),
                  EscapeForTerminal((*event)->notice().text()));
    }
  }
}

void SessionMonitor::OnReadable(const std::shared_ptr<Followed>& followed) {
  const int fd = followed->connection.fd();
  if (Receive(*followed)) {
    After(kSettle, [this, followed, fd] {
      Receive(*followed);  // If it is gone, epoll tells that next.
      Look(followed->session);
      epoll_event event = OneShot(followed->key);
      epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    });
    return;
  }
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  {
    MutexLock lock(mu_);
    followed_.erase(followed->key);
  }
  Drop(IdleCheck(followed->session->instance_id()));
  handlers_.holder_gone(followed->session);
}

void SessionMonitor::Look(const Session& session) {
  handlers_.changed(session, /*details=*/false);
  LookAtDetails(session);
  CheckIdle(session);
}

void SessionMonitor::LookAtDetails(const Session& session) {
  if (!session->HasNewDetails()) return;
  {
    MutexLock lock(mu_);
    if (!pending_details_.insert(session->instance_id()).second) return;
  }
  After(kDetails, [this, session] {
    {
      MutexLock lock(mu_);
      pending_details_.erase(session->instance_id());
    }
    handlers_.changed(session, /*details=*/true);
  });
}

void SessionMonitor::CheckIdle(const Session& session) {
  const std::optional<absl::Duration> left = session->IdleLeft();
  if (!left.has_value()) return;
  if (*left <= absl::ZeroDuration()) return handlers_.idle(session);
  if (*left <= kIdleWarning) session->WarnOfIdleEnd();
  const absl::Duration wait =
      *left > kIdleWarning ? *left - kIdleWarning : *left;
  const absl::Duration when = SteadyNow() + wait;
  const std::string name = IdleCheck(session->instance_id());
  {
    MutexLock lock(mu_);
    const auto it = named_.find(name);
    // One check that comes too early puts itself off.
    if (it != named_.end() && it->second->first <= when) return;
  }
  // It may have ended since, and nothing would drop this.
  AfterAs(name, wait, [this, weak = std::weak_ptr(session)] {
    if (const Session it = weak.lock()) CheckIdle(it);
  });
}

}  // namespace berth::agent

#include "agent/sessions/managed_session.h"

#include <time.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/config.h"
#include "agent/sessions/session_record.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {

absl::Duration SteadyNow() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

ManagedSession::ManagedSession(std::string directory, v1::Session session,
                               absl::Duration max_idle_timeout)
    : directory_(std::move(directory)),
      instance_id_(session.instance_id()),
      owner_(session.owner()),
      max_idle_timeout_(max_idle_timeout),
      terminals_(absl::StrCat(session.id())),
      session_(std::move(session)),
      hold_(absl::StrCat(session_.id())),
      clock_(FromProto(session_.idle_timeout())) {
  if (session_.has_holder()) hold_.Restore(session_.holder());
  session_.clear_terminals();  // They come back by themselves.
  // A session starts in use until its holder says otherwise.
  state_.set_kind(holder::v1::State::STARTING);
  state_.set_since_ns(absl::ToUnixNanos(absl::Now()));
  state_.set_shell_pid(session_.shell_pid());
  state_.set_cwd(session_.cwd());
}

v1::Session ManagedSession::Snapshot() const {
  MutexLock lock(mu_);
  return SnapshotLocked();
}

v1::Session ManagedSession::SnapshotLocked() const {
  v1::Session session = session_;
  session.clear_holder();
  session.clear_expires_at();
  if (!state_.cwd().empty()) session.set_cwd(state_.cwd());
  if (state_.shell_pid() != 0) session.set_shell_pid(state_.shell_pid());
  if (hold_.held()) {
    *session.mutable_holder() = hold_.holder();
    session.clear_disconnected_at();
  }
  for (v1::AttachedTerminal& terminal : terminals_.List()) {
    *session.add_terminals() = std::move(terminal);
  }
  if (session.has_end()) return session;
  v1::Activity& activity = *session.mutable_activity();
  switch (state_.kind()) {
    case holder::v1::State::IDLE:
      activity.set_kind(v1::Activity::IDLE);
      break;
    case holder::v1::State::COMMAND:
      activity.set_kind(v1::Activity::COMMAND);
      break;
    case holder::v1::State::TERMINAL:
      activity.set_kind(v1::Activity::TERMINAL);
      break;
    case holder::v1::State::REPLACED:
      activity.set_kind(v1::Activity::REPLACED);
      break;
    default:
      activity.set_kind(v1::Activity::STARTING);
  }
  activity.set_what(state_.what());
  activity.set_command_id(state_.command_id());
  activity.set_queued(state_.queued());
  *activity.mutable_since() = ToProto(absl::FromUnixNanos(state_.since_ns()));
  if (const auto left = clock_.Left(SteadyNow()); left.has_value()) {
    *session.mutable_expires_at() = ToProto(absl::Now() + *left);
  }
  return session;
}

std::optional<v1::Session> ManagedSession::TakeReport() {
  MutexLock lock(mu_);
  if (gone_) return std::nullopt;
  v1::Session session = SnapshotLocked();
  // A command that began and ended since the last report changed nothing but
  // these; they come with the next report that says more.
  v1::Session essence = session;
  const bool running = essence.has_expires_at();
  essence.clear_expires_at();
  essence.clear_disconnected_at();
  if (essence.activity().kind() == v1::Activity::IDLE) {
    essence.mutable_activity()->clear_since();
  }
  std::string fingerprint =
      absl::StrCat(running ? "r" : "-", essence.SerializeAsString());
  if (fingerprint == reported_) return std::nullopt;
  reported_ = std::move(fingerprint);
  return session;
}

void ManagedSession::OnState(const holder::v1::State& state) {
  MutexLock lock(mu_);
  state_ = state;
  UpdateClockLocked();
}

void ManagedSession::UpdateClockLocked() {
  const bool idle = state_.kind() == holder::v1::State::IDLE &&
                    state_.queued() == 0 && !session_.has_end();
  // It has been idle for as long as both have been so: nothing runs in it, and
  // nobody holds it. Both are known over a restart of the agent.
  const absl::Time since = std::max(absl::FromUnixNanos(state_.since_ns()),
                                    FromProto(session_.disconnected_at()));
  const absl::Duration already =
      std::clamp(absl::Now() - since, absl::ZeroDuration(), clock_.timeout());
  const bool used = hold_.held() || terminals_.typing() > 0;
  clock_.Update(used || !idle, SteadyNow(), already);
}

absl::Status ManagedSession::CheckLivesLocked() const {
  if (!session_.has_end()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("session ", session_.id(),
                   " has ended; its output can be received: "
                   "berth receive -s ",
                   session_.id()));
}

absl::Status ManagedSession::SetHolder(
    const link::v1::SetHolderRequest& request) {
  MutexLock lock(mu_);
  if (!request.has_holder() && session_.has_end()) return absl::OkStatus();
  BERTH_RETURN_IF_ERROR(CheckLivesLocked());
  absl::Duration timeout = clock_.timeout();
  if (request.has_idle_timeout()) {
    timeout = FromProto(request.idle_timeout());
    if (timeout < kMinIdleTimeout || timeout > max_idle_timeout_) {
      return absl::InvalidArgumentError(absl::StrCat(
          "an idle timeout of ", absl::FormatDuration(timeout),
          " is out of bounds: ", absl::FormatDuration(kMinIdleTimeout), " to ",
          absl::FormatDuration(max_idle_timeout_)));
    }
  }
  const bool held = hold_.held();
  BERTH_RETURN_IF_ERROR(hold_.Set(request, absl::Now()));
  if (held && !hold_.held()) {
    *session_.mutable_disconnected_at() = ToProto(absl::Now());
  }
  clock_.set_timeout(timeout);
  *session_.mutable_idle_timeout() = ToProto(timeout);
  UpdateClockLocked();
  return absl::OkStatus();
}

absl::Status ManagedSession::Enter(const v1::Client& client) {
  MutexLock lock(mu_);
  BERTH_RETURN_IF_ERROR(CheckLivesLocked());
  BERTH_RETURN_IF_ERROR(hold_.Enter(client, absl::Now()));
  UpdateClockLocked();
  return absl::OkStatus();
}

void ManagedSession::Leave(const v1::Client& client) {
  MutexLock lock(mu_);
  const bool held = hold_.held();
  hold_.Leave(client);
  if (held && !hold_.held()) {
    *session_.mutable_disconnected_at() = ToProto(absl::Now());
  }
  UpdateClockLocked();
}

absl::Status ManagedSession::CheckLives() const {
  MutexLock lock(mu_);
  return CheckLivesLocked();
}

void ManagedSession::TerminalsChanged() {
  MutexLock lock(mu_);
  UpdateClockLocked();
}

std::optional<absl::Duration> ManagedSession::IdleLeft() const {
  MutexLock lock(mu_);
  return clock_.Left(SteadyNow());
}

void ManagedSession::End(const v1::SessionEnd& end) {
  MutexLock lock(mu_);
  if (session_.has_end()) return;
  *session_.mutable_end() = end;
  if (!state_.cwd().empty()) session_.set_cwd(state_.cwd());
  link::v1::SetHolderRequest nobody;
  nobody.set_take(true);
  hold_.Set(nobody, absl::Now()).IgnoreError();
  UpdateClockLocked();
  ended_.NotifyAll();
}

bool ManagedSession::ended() const {
  MutexLock lock(mu_);
  return session_.has_end();
}

bool ManagedSession::WaitEnded(absl::Duration limit) {
  const absl::Duration deadline = SteadyNow() + limit;
  MutexLock lock(mu_);
  while (!session_.has_end()) {
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration()) return false;
    ended_.WaitFor(mu_, left);
  }
  return true;
}

bool ManagedSession::StartEnding() {
  MutexLock lock(mu_);
  return !std::exchange(ending_, true);
}

absl::Status ManagedSession::Save() {
  MutexLock io_lock(io_mu_);
  if (forgotten_) return absl::OkStatus();
  v1::Session record;
  {
    MutexLock lock(mu_);
    record = SnapshotLocked();
    // What only an open call holds is not held after a restart.
    if (!hold_.lasting() && record.has_holder()) {
      *record.mutable_disconnected_at() = ToProto(absl::Now());
      record.clear_holder();
    }
  }
  return SaveSessionRecord(directory_, record);
}

void ManagedSession::Forget() {
  {
    MutexLock lock(mu_);
    gone_ = true;
  }
  MutexLock io_lock(io_mu_);
  forgotten_ = true;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace berth::agent

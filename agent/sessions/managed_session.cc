#include "agent/sessions/managed_session.h"

#include <time.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/activity.h"
#include "agent/sessions/configuration.h"
#include "agent/sessions/session_record.h"
#include "base/end_reason.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {

absl::Duration SteadyNow() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

namespace {

absl::Duration TimeoutOf(const v1::Session& session) {
  return session.never_idles() ? absl::InfiniteDuration()
                               : FromProto(session.idle_timeout());
}

}  // namespace

ManagedSession::ManagedSession(std::string directory, v1::Session session,
                               const v1::Configuration& profile)
    : directory_(std::move(directory)),
      instance_id_(session.instance_id()),
      owner_(session.owner()),
      max_idle_timeout_(FromProto(profile.max_idle_timeout())),
      may_never_idle_(profile.may_never_idle()),
      idle_while_busy_(profile.idle_while_busy()),
      terminals_(session.owner(), absl::StrCat(session.id())),
      session_(std::move(session)),
      hold_(session_.owner(), absl::StrCat(session_.id())),
      clock_(TimeoutOf(session_)),
      life_(session_.has_end() ? state::Session::kEnded
                               : state::Session::kLive),
      made_for_(session_.holder().client().id()) {
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
  if (state_.log_bytes() != 0 || state_.has_last_ended()) {
    session.set_log_bytes(state_.log_bytes());
    session.set_unacknowledged_bytes(state_.unacknowledged_bytes());
    session.set_dropped_bytes(state_.dropped_bytes());
  }
  if (session.has_end()) return session;
  *session.mutable_activity() = ToActivity(state_);
  if (const auto left = clock_.Left(SteadyNow()); left.has_value()) {
    *session.mutable_expires_at() = ToProto(absl::Now() + *left);
  }
  return session;
}

std::string ManagedSession::EssenceLocked(const v1::Session& session) const {
  v1::Session essence = session;
  essence.clear_expires_at();
  essence.clear_disconnected_at();
  essence.clear_log_bytes();
  essence.clear_unacknowledged_bytes();
  essence.clear_dropped_bytes();
  essence.clear_last_command();
  if (essence.activity().kind() == v1::Activity::IDLE) {
    essence.mutable_activity()->clear_since();
  }
  return absl::StrCat(session.has_expires_at() ? "r" : "-",
                      essence.SerializeAsString());
}

std::string ManagedSession::DetailsLocked(const v1::Session& session) const {
  return absl::StrCat(
      session.last_command().sequence(), session.last_command().what(), " ",
      session.log_bytes(), " ", session.unacknowledged_bytes(), " ",
      session.dropped_bytes(), " ",
      absl::FormatDuration(clock_.started().value_or(absl::ZeroDuration())));
}

std::optional<v1::Session> ManagedSession::TakeReport(bool details) {
  MutexLock lock(mu_);
  if (life_.state() == state::Session::kForgotten || session_.temporary()) {
    return std::nullopt;
  }
  v1::Session session = SnapshotLocked();
  std::string essence = EssenceLocked(session);
  std::string all = DetailsLocked(session);
  if (essence == reported_ && (!details || all == reported_details_)) {
    return std::nullopt;
  }
  reported_ = std::move(essence);
  reported_details_ = std::move(all);
  return session;
}

uint64_t ManagedSession::CommandOfUnknownTextLocked() const {
  const v1::CommandSummary& last = session_.last_command();
  const bool unknown = last.what().empty() && last.sequence() != text_sought_;
  return unknown ? last.sequence() : 0;
}

uint64_t ManagedSession::CommandOfUnknownText() const {
  MutexLock lock(mu_);
  return CommandOfUnknownTextLocked();
}

void ManagedSession::SetCommandText(uint64_t sequence,
                                    const std::string& what) {
  MutexLock lock(mu_);
  text_sought_ = sequence;
  if (session_.last_command().sequence() == sequence) {
    session_.mutable_last_command()->set_what(what);
  }
}

bool ManagedSession::HasNewDetails() const {
  MutexLock lock(mu_);
  return life_.state() != state::Session::kForgotten && !session_.temporary() &&
         (DetailsLocked(SnapshotLocked()) != reported_details_ ||
          CommandOfUnknownTextLocked() != 0);
}

void ManagedSession::OnState(const holder::v1::State& state) {
  MutexLock lock(mu_);
  state_ = state;
  // Between a command's end and the prompt there is none.
  if (!state.command_id().empty()) {
    command_id_ = state.command_id();
    command_what_ = state.what();
  }
  if (state.has_last_ended()) {
    v1::CommandSummary& last = *session_.mutable_last_command();
    const std::string what =
        last.sequence() == state.last_ended().sequence() ? last.what() : "";
    last = ToSummary(state.last_ended());
    last.set_what(last.command_id() == command_id_ ? command_what_ : what);
  }
  UpdateClockLocked();
}

void ManagedSession::UpdateClockLocked() {
  const bool idle =
      !session_.has_end() &&
      (idle_while_busy_ ||
       (state_.kind() == holder::v1::State::IDLE && state_.queued() == 0));
  // It has been idle for as long as both have been so: nothing runs in it, and
  // nobody holds it. Both are known over a restart of the agent.
  const absl::Time free_since = FromProto(session_.disconnected_at());
  const absl::Time since =
      idle_while_busy_
          ? free_since
          : std::max(absl::FromUnixNanos(state_.since_ns()), free_since);
  const absl::Duration already =
      std::clamp(absl::Now() - since, absl::ZeroDuration(), clock_.timeout());
  const bool used = hold_.held() || terminals_.typing() > 0;
  clock_.Update(used || !idle, SteadyNow(), already);
}

absl::Status ManagedSession::CheckLivesLocked() const {
  if (!session_.has_end()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "session ", session_.id(), " ('", session_.name(), "') has ended (",
      EndReasonText(session_.end().reason()), "); `berth receive ",
      session_.id(), "` shows its output, `berth rm ", session_.id(),
      "` forgets it"));
}

absl::Status ManagedSession::CheckNotTemporaryLocked() const {
  if (!session_.temporary()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("session ", session_.id(),
                   " is temporary: it is for one run or enter alone, and ends "
                   "with that; to keep one, make it with 'berth new'"));
}

absl::StatusOr<absl::Duration> ManagedSession::NewTimeoutLocked(
    const link::v1::SetHolderRequest& request) const {
  if (request.never_idles()) {
    if (may_never_idle_) return absl::InfiniteDuration();
    return absl::PermissionDeniedError(absl::StrCat(
        "session ", session_.id(),
        " must have an idle timeout: its configuration '",
        session_.configuration(), "' has no may_never_idle; at most ",
        absl::FormatDuration(max_idle_timeout_)));
  }
  if (!request.has_idle_timeout()) return clock_.timeout();
  const absl::Duration timeout = FromProto(request.idle_timeout());
  if (timeout < kMinIdleTimeout || timeout > max_idle_timeout_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "an idle timeout of ", absl::FormatDuration(timeout),
        " is out of bounds for configuration '", session_.configuration(),
        "': ", absl::FormatDuration(kMinIdleTimeout), " to ",
        absl::FormatDuration(max_idle_timeout_)));
  }
  return timeout;
}

void ManagedSession::SetTimeoutLocked(absl::Duration timeout) {
  clock_.set_timeout(timeout);
  session_.set_never_idles(timeout == absl::InfiniteDuration());
  if (session_.never_idles()) {
    session_.clear_idle_timeout();
  } else {
    *session_.mutable_idle_timeout() = ToProto(timeout);
  }
}

absl::Status ManagedSession::SetHolder(
    const link::v1::SetHolderRequest& request) {
  MutexLock lock(mu_);
  if (!request.has_holder() && session_.has_end()) return absl::OkStatus();
  BERTH_RETURN_IF_ERROR(CheckLivesLocked());
  if (request.has_holder()) BERTH_RETURN_IF_ERROR(CheckNotTemporaryLocked());
  BERTH_ASSIGN_OR_RETURN(const absl::Duration timeout,
                         NewTimeoutLocked(request));
  const bool held = hold_.held();
  BERTH_RETURN_IF_ERROR(hold_.Set(request, absl::Now()));
  if (held && !hold_.held()) {
    *session_.mutable_disconnected_at() = ToProto(absl::Now());
  }
  session_.set_temporary(false);
  SetTimeoutLocked(timeout);
  UpdateClockLocked();
  return absl::OkStatus();
}

absl::StatusOr<Hold::Tenure> ManagedSession::Enter(const v1::Client& client,
                                                   absl::string_view visit) {
  MutexLock lock(mu_);
  BERTH_RETURN_IF_ERROR(CheckLivesLocked());
  if (session_.temporary()) {
    const bool again = visit_.has_value();
    if (client.id() != made_for_ ||
        (again && (visit.empty() || *visit_ != visit))) {
      return CheckNotTemporaryLocked();
    }
    visit_ = std::string(visit);
    ++visits_open_;
  }
  BERTH_ASSIGN_OR_RETURN(const Hold::Tenure tenure,
                         hold_.Enter(client, absl::Now()));
  UpdateClockLocked();
  return tenure;
}

bool ManagedSession::Leave(Hold::Tenure tenure, bool complete) {
  MutexLock lock(mu_);
  if (session_.temporary()) {
    --visits_open_;
    hold_.Leave(tenure);
    if (complete) return true;
    // Another stream of the same visit goes on.
    if (visits_open_ > 0) return false;
    PromoteLocked();
  } else {
    const bool held = hold_.held();
    hold_.Leave(tenure);
    if (held && !hold_.held()) {
      *session_.mutable_disconnected_at() = ToProto(absl::Now());
    }
  }
  UpdateClockLocked();
  return false;
}

void ManagedSession::PromoteLocked() {
  if (!session_.temporary()) return;
  session_.set_temporary(false);
  link::v1::SetHolderRequest nobody;
  nobody.set_take(true);
  hold_.Set(nobody, absl::Now()).IgnoreError();
  *session_.mutable_disconnected_at() = ToProto(absl::Now());
}

void ManagedSession::Promote() {
  MutexLock lock(mu_);
  PromoteLocked();
  UpdateClockLocked();
}

bool ManagedSession::temporary() const {
  MutexLock lock(mu_);
  return session_.temporary();
}

absl::Status ManagedSession::CheckNotTemporary() const {
  MutexLock lock(mu_);
  return CheckNotTemporaryLocked();
}

void ManagedSession::SetBuffering(v1::BufferingMode mode) {
  MutexLock lock(mu_);
  session_.set_buffering(mode);
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

void ManagedSession::WarnOfIdleEnd() {
  MutexLock lock(mu_);
  const std::optional<absl::Duration> left = clock_.Left(SteadyNow());
  if (!left.has_value()) return;
  const absl::Duration shown =
      absl::Ceil(std::max(*left, absl::Seconds(1)), absl::Seconds(1));
  terminals_.WarnOfEnd(
      *clock_.started(),
      absl::StrCat("this idle session ends at ",
                   absl::FormatTime("%H:%M UTC", absl::Now() + *left,
                                    absl::UTCTimeZone()),
                   ", in ", absl::FormatDuration(shown),
                   ", unless somebody connects"));
}

bool ManagedSession::End(const v1::SessionEnd& end) {
  MutexLock lock(mu_);
  if (life_.Apply(state::SessionEvent::kGone, end.reason()) ==
      state::SessionLife::Step::kRefused) {
    return false;
  }
  *session_.mutable_end() = end;
  if (!state_.cwd().empty()) session_.set_cwd(state_.cwd());
  link::v1::SetHolderRequest nobody;
  nobody.set_take(true);
  hold_.Set(nobody, absl::Now()).IgnoreError();
  UpdateClockLocked();
  ended_.NotifyAll();
  return true;
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
  return life_.state() == state::Session::kLive &&
         life_.Apply(state::SessionEvent::kAsk) !=
             state::SessionLife::Step::kRefused;
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
    // Of one that never came to be, nobody has waited for an end.
    life_.Apply(state::SessionEvent::kGone);
    life_.Apply(state::SessionEvent::kForget);
  }
  MutexLock io_lock(io_mu_);
  forgotten_ = true;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace berth::agent

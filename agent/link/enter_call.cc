#include "agent/link/enter_call.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/link/caller.h"
#include "agent/sessions/holder_version.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// When a holder goes away it takes this long at most until it is known why.
constexpr absl::Duration kEndLimit = absl::Seconds(5);
constexpr absl::Duration kWaitLimit = absl::Minutes(1);
// Longer than any event of a watched terminal.
constexpr size_t kMaxEvent = 128 << 10;

std::string What(const holder::v1::State& state) {
  if (state.kind() == holder::v1::State::STARTING) {
    return "its shell reads its start-up files";
  }
  return absl::StrCat("it runs '", EscapeForTerminal(state.what()), "'");
}

}  // namespace

EnterCall::EnterCall(CallContext context, link::v1::OpenCall open)
    : context_(std::move(context)),
      open_(std::move(open)),
      stream_(context_.channel, open_.call_id()) {}

void EnterCall::Cancel() { stream_.Cancel(); }

void EnterCall::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = Serve();
  Close();
  stream_.WritesDone();
  context_.ended(open_.call_id(), stream_.frames_written(), status);
  stream_.Finish();
}

void EnterCall::Close() {
  uint64_t key = 0;
  {
    MutexLock lock(mu_);
    key = key_;
  }
  if (key != 0) {
    // Whoever did not say goodbye may come back.
    session_->terminals().Detach(key, /*may_return=*/!over_, absl::Now());
    if (!session_->ended()) ApplySize();
    session_->TerminalsChanged();
  }
  if (tenure_.has_value()) {
    context_.sessions.EndVisit(session_, *tenure_, /*complete=*/over_);
  }
  if (key != 0 || tenure_.has_value()) context_.sessions.Touch(session_);
}

absl::Status EnterCall::Prepare() {
  BERTH_RETURN_IF_ERROR(CheckRequest());
  BERTH_ASSIGN_OR_RETURN(session_, context_.sessions.table().FindOwned(
                                       OwnerOf(open_), open_.instance_id()));
  const v1::Session now = session_->Snapshot();
  if (now.shell() == v1::SHELL_KIND_RESTRICTED) {
    return absl::FailedPreconditionError(absl::StrCat(
        "session ", now.id(), " of configuration '", now.configuration(),
        "' has no terminal: run its programs with berth run -s ", now.id()));
  }
  BERTH_RETURN_IF_ERROR(session_->terminals().Check(visitor_));
  resumes_ = first_.open().has_from_offset() ||
             session_->terminals().Knows(visitor_.id, absl::Now());
  wait_until_ = MonotonicNow() + FromProto(first_.open().wait());
  BERTH_RETURN_IF_ERROR(Hold());
  knows_visits_ = HolderVersionOf(session_->directory()) >= kScreensVersion;
  follower_.emplace(knows_visits_);
  // Without screens nothing could be left out.
  paced_ = first_.open().paced() && knows_visits_;
  BERTH_RETURN_IF_ERROR(Connect());
  return stream_.Open(
      context_.workers, [this] { return OnRequest(first_, /*first=*/true); },
      [this](const grpc::ByteBuffer& frame) { return OnFrame(frame); });
}

absl::Status EnterCall::Hold() {
  if (visitor_.mode == v1::TERMINAL_MODE_PEEK) {
    BERTH_RETURN_IF_ERROR(session_->CheckNotTemporary());
    return session_->CheckLives();
  }
  absl::StatusOr<Hold::Tenure> held =
      session_->Enter(visitor_.client, visitor_.id);
  if (absl::IsFailedPrecondition(held.status()) && !session_->ended() &&
      !session_->temporary()) {
    if (visitor_.mode == v1::TERMINAL_MODE_SHARE) return absl::OkStatus();
    if (visitor_.mode == v1::TERMINAL_MODE_TAKE) {
      link::v1::SetHolderRequest nobody;
      nobody.set_take(true);
      BERTH_RETURN_IF_ERROR(session_->SetHolder(nobody));
      held = session_->Enter(visitor_.client, visitor_.id);
    }
  }
  BERTH_ASSIGN_OR_RETURN(tenure_, held);
  return absl::OkStatus();
}

absl::Status EnterCall::Connect() {
  absl::StatusOr<HolderConnection> connection =
      HolderConnection::Connect(session_->directory());
  if (!connection.ok()) {
    // It may just be ending.
    if (!absl::IsUnavailable(connection.status()) ||
        !session_->WaitEnded(kEndLimit)) {
      return connection.status();
    }
    return session_->CheckLives();
  }
  connection->set_max_event(kMaxEvent);
  holder::v1::Request request;
  request.mutable_attach();
  BERTH_RETURN_IF_ERROR(connection->Send(request));
  MutexLock lock(mu_);
  holder_ = std::make_shared<HolderConnection>(*std::move(connection));
  return absl::OkStatus();
}

absl::Status EnterCall::Serve() {
  while (!over_) {
    BERTH_RETURN_IF_ERROR(TakeEvents());
    if (!over_) BERTH_RETURN_IF_ERROR(SendWaiting(/*all=*/false));
    if (!over_) BERTH_RETURN_IF_ERROR(TakeMail());
    if (!over_) BERTH_RETURN_IF_ERROR(TakeClientsWishes());
    if (!over_) BERTH_RETURN_IF_ERROR(SendInputTaken());
    if (!over_) Wait();
  }
  return absl::OkStatus();
}

absl::Status EnterCall::TakeEvents() {
  const std::shared_ptr<HolderConnection> connection = holder();
  while (!over_) {
    auto event = connection->TryReceive();
    if (!event.ok()) return OnHolderGone();
    if (!event->has_value()) return absl::OkStatus();
    BERTH_RETURN_IF_ERROR(OnEvent(**event));
  }
  return absl::OkStatus();
}

absl::Status EnterCall::OnEvent(holder::v1::Event& event) {
  if (event.has_state()) return OnState(event.state());
  if (event.has_notice()) {
    v1::TerminalEvent notice;
    notice.mutable_notice()->set_text(event.notice().text());
    return Send(notice);
  }
  if (event.has_exit_typed()) return OnExitTyped();
  if (event.has_terminal_taken()) {
    v1::TerminalEvent taken;
    taken.mutable_input_taken()->set_offset(event.terminal_taken().offset());
    return Send(taken);
  }
  std::optional<v1::TerminalEvent> shown;
  if (event.has_terminal_screen()) {
    shown = follower_->OnScreen(*event.mutable_terminal_screen());
  } else if (event.has_terminal_output()) {
    shown = follower_->OnOutput(*event.mutable_terminal_output());
  }
  if (shown) BERTH_RETURN_IF_ERROR(Show(*std::move(shown)));
  return SendWaiting(/*all=*/false);
}

absl::Status EnterCall::OnState(const holder::v1::State& state) {
  {
    MutexLock lock(mu_);
    if (key_ != 0) return absl::OkStatus();
  }
  // Who sees what is typed there may see it at any time; and what was typed is
  // the terminal's own business.
  const bool busy = state.kind() == holder::v1::State::COMMAND ||
                    state.kind() == holder::v1::State::STARTING;
  if (busy && !resumes_ && visitor_.mode != v1::TERMINAL_MODE_PEEK) {
    return Busy(state);
  }
  return Attach();
}

absl::Status EnterCall::Busy(const holder::v1::State& state) {
  const absl::Time since = absl::FromUnixNanos(state.since_ns());
  if (MonotonicNow() >= wait_until_) {
    return absl::AbortedError(absl::StrCat(
        "session ", session_->Snapshot().id(), " is busy: ", What(state),
        " since ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", since, absl::UTCTimeZone()),
        "; wait for it with --wait, or watch with --peek"));
  }
  if (std::exchange(told_waiting_, true)) return absl::OkStatus();
  v1::TerminalEvent event;
  v1::Activity& behind = *event.mutable_waiting()->mutable_behind();
  behind.set_kind(state.kind() == holder::v1::State::COMMAND
                      ? v1::Activity::COMMAND
                      : v1::Activity::STARTING);
  behind.set_what(state.what());
  behind.set_command_id(state.command_id());
  *behind.mutable_since() = ToProto(since);
  behind.set_queued(state.queued());
  return Send(event);
}

absl::Status EnterCall::Attach() {
  {
    MutexLock lock(mu_);
    visitor_.size = size_;
  }
  BERTH_ASSIGN_OR_RETURN(const uint64_t key, session_->terminals().Attach(
                                                 visitor_, absl::Now(),
                                                 [this] { stream_.Wake(); }));
  v1::TerminalEvent event;
  v1::TerminalOpened& opened = *event.mutable_opened();
  {
    MutexLock lock(mu_);
    key_ = key;
    input_ = session_->terminals().Input(key);
    input_told_ = input_->offset();
    opened.set_input_offset(input_told_);
  }
  session_->TerminalsChanged();
  context_.sessions.Touch(session_);
  *opened.mutable_session() = session_->Snapshot();
  for (v1::AttachedTerminal& other : session_->terminals().List(key)) {
    *opened.add_others() = std::move(other);
  }
  BERTH_RETURN_IF_ERROR(Send(event));
  ApplySize();
  std::optional<uint64_t> from_offset;
  if (first_.open().has_from_offset()) {
    from_offset = first_.open().from_offset();
  }
  Watch(follower_->Begin(from_offset));
  // After that, so that it comes without what was scrolled out before.
  if (from_offset && first_.redraw()) {
    if (const auto request = follower_->Redraw()) Watch(*request);
  }
  return absl::OkStatus();
}

void EnterCall::Watch(holder::v1::Request request) {
  if (knows_visits_) {
    request.mutable_watch_terminal()->set_exit_leaves(
        visitor_.mode != v1::TERMINAL_MODE_PEEK &&
        !first_.open().exit_ends_session());
  }
  Ask(request);
}

absl::Status EnterCall::OnExitTyped() {
  uint64_t key = 0;
  {
    MutexLock lock(mu_);
    key = key_;
  }
  // All who may type are told; it was the one who typed last.
  if (!session_->terminals().TypedLast(key)) return absl::OkStatus();
  v1::TerminalEnded ended;
  ended.set_why(v1::TerminalEnded::DETACHED);
  ended.set_detail("exit");
  return SendEnded(std::move(ended));
}

absl::Status EnterCall::OnHolderGone() {
  if (session_->ended()) return SendSessionEnded();
  absl::StatusOr<HolderConnection> connection =
      HolderConnection::Connect(session_->directory());
  if (!connection.ok()) {
    if (!session_->WaitEnded(kEndLimit)) return connection.status();
    return SendSessionEnded();
  }
  // It lives: it has let go of a peer that was too slow.
  BERTH_RETURN_IF_ERROR(SendWaiting(/*all=*/true));
  BERTH_RETURN_IF_ERROR(Connect());
  follower_.emplace(knows_visits_);
  bool attached = false;
  {
    MutexLock lock(mu_);
    attached = key_ != 0;
  }
  if (attached) Watch(follower_->Begin(std::nullopt));
  return absl::OkStatus();
}

absl::Status EnterCall::TakeMail() {
  uint64_t key = 0;
  {
    MutexLock lock(mu_);
    key = key_;
  }
  if (key == 0) return absl::OkStatus();
  const Terminals::Mail mail = session_->terminals().TakeMail(key);
  if (mail.replaced) {
    return absl::AbortedError("this visit goes on on another stream");
  }
  for (const std::string& text : mail.notices) {
    v1::TerminalEvent notice;
    notice.mutable_notice()->set_text(text);
    BERTH_RETURN_IF_ERROR(Send(notice));
  }
  return mail.ended ? SendEnded(*mail.ended) : absl::OkStatus();
}

absl::Status EnterCall::TakeClientsWishes() {
  const CallStream::State state = stream_.state();
  bool detach = false;
  bool redraw = false;
  bool attached = false;
  {
    MutexLock lock(mu_);
    detach = detach_;
    redraw = std::exchange(redraw_, false);
    attached = key_ != 0;
  }
  if (detach) {
    v1::TerminalEnded ended;
    ended.set_why(v1::TerminalEnded::DETACHED);
    return SendEnded(std::move(ended));
  }
  BERTH_RETURN_IF_ERROR(state.error);
  if (state.half_closed) {
    return absl::CancelledError("the client has nothing more to say");
  }
  if (redraw && attached) {
    if (const auto request = follower_->Redraw()) Watch(*request);
  }
  if (!attached && told_waiting_ && MonotonicNow() >= wait_until_) {
    holder::v1::Request request;
    request.mutable_describe();  // Its answer says what to refuse it with.
    Ask(request);
  }
  return absl::OkStatus();
}

void EnterCall::Wait() {
  const absl::Time now = MonotonicNow();
  absl::Duration limit = std::min(kWaitLimit, input_taken_at_ - now);
  if (told_waiting_ && wait_until_ > now) {
    limit = std::min(limit, wait_until_ - now);
  }
  const int64_t ms = absl::ToInt64Milliseconds(
      absl::Ceil(std::max(limit, absl::ZeroDuration()), absl::Milliseconds(1)));
  pollfd fds[2] = {{holder()->fd(), POLLIN, 0}, {stream_.wake_fd(), POLLIN, 0}};
  if (poll(fds, 2, static_cast<int>(ms)) > 0 && fds[1].revents != 0) {
    stream_.ClearWake();
  }
}

std::shared_ptr<HolderConnection> EnterCall::holder() {
  MutexLock lock(mu_);
  return holder_;
}

// A holder that does not take it has gone, or goes now: then the writer sees
// to that.
void EnterCall::Ask(const holder::v1::Request& request) {
  holder()->Send(request).IgnoreError();
}

void EnterCall::ApplySize() {
  const std::optional<v1::TerminalSize> size = session_->terminals().Size();
  if (!size) return;
  holder::v1::Request request;
  request.mutable_resize_terminal()->set_rows(size->rows());
  request.mutable_resize_terminal()->set_columns(size->columns());
  Ask(request);
}

}  // namespace berth::agent

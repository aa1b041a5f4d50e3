#include "agent/link/run_call.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/link/caller.h"
#include "agent/link/frames.h"
#include "agent/link/holder_requests.h"
#include "agent/sessions/session_journal.h"
#include "base/pause_point.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::agent {
namespace {

// As sessions.proto says of Client.name.
constexpr size_t kMaxClientName = 200;
// How long `started` waits for what comes after it: for a short command that
// is its end, and both travel together.
constexpr int kStartedMs = 1;
// When a holder goes away it takes this long at most until it is known why.
constexpr absl::Duration kEndLimit = absl::Seconds(5);
// Waiting goes on after this; it ends when the client's stream does.
constexpr absl::Duration kWaitLimit = absl::Minutes(1);
constexpr absl::Duration kAckLimit = absl::Seconds(1);

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed frame: ", what));
}

}  // namespace

RunCall::RunCall(CallContext context, link::v1::OpenCall open)
    : context_(std::move(context)),
      open_(std::move(open)),
      stream_(context_.channel, open_.call_id()) {}

void RunCall::Cancel() { stream_.Cancel(); }

void RunCall::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = Serve();
  Close(status);
  stream_.WritesDone();
  context_.ended(open_.call_id(), stream_.frames_written(), status);
  stream_.Finish();
}

void RunCall::Close(const absl::Status& status) {
  bool goes_on = false;
  bool complete = false;
  {
    MutexLock lock(mu_);
    // What was refused won't come again; but a client that went away may.
    complete = end_acked_ || (!asked_ && status.ok()) ||
               (number_ == 0 && !status.ok() && !absl::IsCancelled(status));
    goes_on = phase_ != Phase::kNone;
    phase_ = Phase::kNone;
    changed_.NotifyAll();
  }
  if (!tenure_.has_value()) return;
  context_.sessions.EndVisit(session_, *tenure_, complete);
  if (goes_on) {
    context_.sessions.Flush(session_);
  } else {
    context_.sessions.Touch(session_);
  }
}

absl::Status RunCall::Prepare() {
  if (!first_.ParseFromString(open_.first_message()) || !first_.has_open()) {
    return Malformed("the first one must carry `open`");
  }
  BERTH_ASSIGN_OR_RETURN(session_, context_.sessions.table().FindOwned(
                                       OwnerOf(open_), open_.instance_id()));
  follower_.emplace(session_->directory(), stream_);
  if (first_.open().paced()) follower_->Pace();
  const v1::Client& said = first_.open().client();
  if (!IsUuid(said.id()) || said.name().size() > kMaxClientName) {
    return Malformed("`open` needs a client with a UUID");
  }
  client_ = ClientOf(open_, said);
  const absl::StatusOr<Hold::Tenure> entered =
      session_->Enter(client_, first_.start().command_id());
  if (session_->ended()) return ServeEndedSession(entered.status());
  BERTH_ASSIGN_OR_RETURN(tenure_, entered);
  absl::StatusOr<HolderConnection> connection =
      HolderConnection::Connect(session_->directory());
  if (!connection.ok()) {
    if (!absl::IsUnavailable(connection.status()) ||
        !session_->WaitEnded(kEndLimit)) {
      return connection.status();
    }
    return ServeEndedSession(connection.status());
  }
  {
    MutexLock lock(mu_);
    holder_ = std::make_shared<HolderConnection>(*std::move(connection));
  }
  // Before the stream is there, so that the shell is at work meanwhile.
  if (first_.has_start()) BERTH_RETURN_IF_ERROR(Start(first_.start()));
  return OpenStream();
}

absl::Status RunCall::OpenStream() {
  v1::CommandEvent opened;
  *opened.mutable_opened()->mutable_session() = session_->Snapshot();
  follower_->Send(opened);
  return stream_.Open(
      context_.workers, [this] { return OnRequest(first_, /*first=*/true); },
      [this](const grpc::ByteBuffer& frame) { return OnFrame(frame); });
}

absl::Status RunCall::ServeEndedSession(const absl::Status& refused) {
  holder_gone_ = true;
  if (!first_.has_start()) return refused;
  BERTH_ASSIGN_OR_RETURN(const SessionJournal journal,
                         ReadSessionJournal(session_->directory()));
  const uint64_t number = journal.Find(first_.start().command_id());
  if (number == 0) return refused;
  BERTH_RETURN_IF_ERROR(CheckSameText(number, journal.commands.at(number),
                                      first_.start().script()));
  // It ended with its session, or before, and here is how.
  follower_->Expect(first_.start().command_id(), first_.start().from_offset());
  BERTH_RETURN_IF_ERROR(follower_->OnJournal(
      number, journal.commands.at(number), /*running=*/false));
  return OpenStream();
}

absl::Status RunCall::Serve() {
  absl::Duration limit = kWaitLimit;
  for (;;) {
    if (!holder_gone_) BERTH_RETURN_IF_ERROR(TakeEvents());
    const CallStream::State state = stream_.state();
    BERTH_RETURN_IF_ERROR(state.error);
    if (left_) return absl::OkStatus();
    if (detach_ && follower_->started()) return follower_->Flush();
    if (skips_) follower_->SkipAhead();
    if (follower_->HasWork()) {
      BERTH_RETURN_IF_ERROR(Pump());
      continue;
    }
    if (IsOver(state)) return absl::OkStatus();
    if (holder_gone_) {
      // The client may still acknowledge what it got.
      if (limit == kAckLimit) return absl::OkStatus();
      limit = kAckLimit;
    }
    Wait(limit);
  }
}

bool RunCall::IsOver(const CallStream::State& state) {
  MutexLock lock(mu_);
  return state.half_closed && phase_ == Phase::kNone;
}

void RunCall::TakeNext() {
  MutexLock lock(mu_);
  if (!next_.has_value()) return;
  follower_->Expect(next_->command_id, next_->from_offset);
  detach_ = next_->detach;
  skips_ = false;
  next_.reset();
}

absl::Status RunCall::TakeEvents() {
  const std::shared_ptr<HolderConnection> connection = holder();
  for (;;) {
    auto event = connection->TryReceive();
    if (!event.ok()) return OnHolderGone();
    if (!event->has_value()) return absl::OkStatus();
    // The holder answers a start after it was noted.
    TakeNext();
    PausePoint("agent.run.after_answer");
    const absl::Status status = follower_->OnEvent(**event);
    Share();
    BERTH_RETURN_IF_ERROR(status);
  }
}

void RunCall::Share() {
  MutexLock lock(mu_);
  if (phase_ == Phase::kNone || next_.has_value()) return;
  started_ = follower_->started();
  if (follower_->finished()) {
    phase_ = Phase::kNone;
  } else if (phase_ == Phase::kAsked && follower_->number() != 0) {
    phase_ = Phase::kNumbered;
    number_ = follower_->number();
  } else {
    return;
  }
  changed_.NotifyAll();
}

absl::Status RunCall::OnHolderGone() {
  TakeNext();
  absl::StatusOr<HolderConnection> connection =
      HolderConnection::Connect(session_->directory());
  if (connection.ok()) {
    // It lives: it has let go of a peer that was too slow.
    {
      MutexLock lock(mu_);
      holder_ = std::make_shared<HolderConnection>(*std::move(connection));
    }
    return FollowAgain();
  }
  holder_gone_ = true;
  if (!session_->WaitEnded(kEndLimit)) return connection.status();
  {
    MutexLock lock(mu_);
    if (phase_ == Phase::kNone) {
      return absl::FailedPreconditionError("the session has ended");
    }
  }
  BERTH_ASSIGN_OR_RETURN(const SessionJournal journal,
                         ReadSessionJournal(session_->directory()));
  const uint64_t number = journal.Find(follower_->command_id());
  if (number == 0) {
    return absl::FailedPreconditionError(
        "the session has ended, before it took the command");
  }
  {
    MutexLock lock(mu_);
    BERTH_RETURN_IF_ERROR(
        CheckSameDigest(number, journal.commands.at(number), digest_));
  }
  return follower_->OnJournal(number, journal.commands.at(number),
                              /*running=*/false);
}

absl::Status RunCall::FollowAgain() {
  {
    MutexLock lock(mu_);
    if (phase_ == Phase::kNone) return absl::OkStatus();
  }
  holder::v1::Request request;
  request.mutable_start()->set_command_id(follower_->command_id());
  request.mutable_start()->set_follow_only(true);
  Send(request);
  return absl::OkStatus();
}

absl::Status RunCall::Pump() {
  if (follower_->CanWait() && !holder_gone_) {
    pollfd readable{holder()->fd(), POLLIN, 0};
    if (poll(&readable, 1, kStartedMs) == 1) {
      BERTH_RETURN_IF_ERROR(TakeEvents());
    }
  }
  if (follower_->ends_next()) {
    // Before it is sent: the client may answer at once.
    MutexLock lock(mu_);
    ended_number_ = follower_->number();
    ended_offset_ = follower_->end_offset();
    phase_ = Phase::kNone;
    changed_.NotifyAll();
  }
  return follower_->Pump();
}

void RunCall::Wait(absl::Duration limit) {
  pollfd fds[2] = {{holder_gone_ ? -1 : holder()->fd(), POLLIN, 0},
                   {stream_.wake_fd(), POLLIN, 0}};
  if (poll(fds, 2, absl::ToInt64Milliseconds(limit)) > 0 &&
      fds[1].revents != 0) {
    stream_.ClearWake();
  }
}

std::shared_ptr<HolderConnection> RunCall::holder() {
  MutexLock lock(mu_);
  return holder_;
}

void RunCall::Send(const holder::v1::Request& request, int fd) {
  if (const auto connection = holder(); connection != nullptr) {
    connection->Send(request, fd).IgnoreError();
  }
}

}  // namespace berth::agent

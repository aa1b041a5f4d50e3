#include "agent/link/receive_call.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/link/caller.h"
#include "agent/link/frames.h"
#include "agent/link/holder_requests.h"
#include "agent/log/log_tail.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr absl::Duration kEndLimit = absl::Seconds(5);
// Waiting goes on after this; it ends when the client's stream does.
constexpr absl::Duration kWaitLimit = absl::Minutes(1);
constexpr absl::Duration kCatchUpLimit = absl::Seconds(2);
constexpr absl::Duration kAckLimit = absl::Seconds(1);
constexpr uint32_t kMaxTailLines = 1'000'000;

absl::Status HolderLost() {
  return absl::UnavailableError(
      "the session's holder has ended the connection: try again");
}

}  // namespace

ReceiveCall::ReceiveCall(CallContext context, link::v1::OpenCall open)
    : context_(std::move(context)),
      open_(std::move(open)),
      stream_(context_.channel, open_.call_id()) {}

void ReceiveCall::Cancel() { stream_.Cancel(); }

void ReceiveCall::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = ShowAll();
  if (status.ok() && !left_) AwaitAcks();
  stream_.WritesDone();
  context_.ended(open_.call_id(), stream_.frames_written(), status);
  stream_.Finish();
}

absl::Status ReceiveCall::Prepare() {
  if (!first_.ParseFromString(open_.first_message()) || !first_.has_open()) {
    return absl::InvalidArgumentError(
        "malformed frame: the first one must carry `open`");
  }
  BERTH_RETURN_IF_ERROR(CheckOpen());
  BERTH_ASSIGN_OR_RETURN(session_, context_.sessions.table().FindOwned(
                                       OwnerOf(open_), open_.instance_id()));
  BERTH_RETURN_IF_ERROR(session_->CheckNotTemporary());
  if (!session_->ended()) {
    auto connection = HolderConnection::Connect(session_->directory());
    if (connection.ok()) {
      holder_ = std::make_unique<HolderConnection>(*std::move(connection));
      CatchUp();
    } else if (!absl::IsUnavailable(connection.status()) ||
               !session_->WaitEnded(kEndLimit)) {
      return connection.status();
    }
  }
  BERTH_RETURN_IF_ERROR(Select());
  follower_.emplace(session_->directory(), stream_);
  follower_->Only(first_.open().stream());
  if (first_.open().paced()) follower_->Pace();
  v1::CommandEvent opened;
  *opened.mutable_opened()->mutable_session() = session_->Snapshot();
  follower_->Send(opened);
  return stream_.Open(
      context_.workers, [this] { return OnRequest(first_); },
      [this](const grpc::ByteBuffer& frame) { return OnFrame(frame); });
}

absl::Status ReceiveCall::CheckOpen() const {
  const v1::OpenReceive& open = first_.open();
  if (open.tail_lines() > kMaxTailLines) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tail of ", open.tail_lines(),
                     " lines is too long: ", kMaxTailLines, " at most"));
  }
  if (open.stream() != v1::OUTPUT_STREAM_UNSPECIFIED &&
      open.stream() != v1::OUTPUT_STREAM_STDOUT &&
      open.stream() != v1::OUTPUT_STREAM_STDERR) {
    return absl::InvalidArgumentError(
        "malformed frame: `stream` is neither stdout nor stderr");
  }
  return absl::OkStatus();
}

void ReceiveCall::CatchUp() {
  holder::v1::Request request;
  request.mutable_describe();
  // Should it fail, that shows again when the first command is followed.
  if (holder_->Send(request).ok()) {
    holder_->Receive(kCatchUpLimit).status().IgnoreError();
  }
}

absl::Status ReceiveCall::Select() {
  BERTH_ASSIGN_OR_RETURN(journal_, ReadSessionJournal(session_->directory()));
  const v1::OpenReceive& open = first_.open();
  if (open.has_from_offset()) from_offset_ = open.from_offset();
  if (!open.command_id().empty()) {
    const uint64_t number = journal_.Find(open.command_id());
    if (number == 0) {
      return absl::NotFoundError(
          absl::StrCat("no command ", EscapeForTerminal(open.command_id()),
                       " in this session"));
    }
    selected_.push_back(number);
  } else if (from_offset_.has_value()) {
    if (journal_.commands.empty()) {
      return absl::NotFoundError("nothing was run in this session yet");
    }
    selected_.push_back(journal_.commands.rbegin()->first);
  } else {
    for (const auto& [number, command] : journal_.commands) {
      const bool got_all = command.end_acked && command.ended.has_value() &&
                           command.acked_offset >= command.ended->end_offset();
      if (!got_all) selected_.push_back(number);
    }
  }
  return absl::OkStatus();
}

absl::Status ReceiveCall::ShowAll() {
  for (const uint64_t number : selected_) {
    BERTH_RETURN_IF_ERROR(Show(number, /*selected=*/true));
    if (left_) return absl::OkStatus();
  }
  // What was opened, if there was nothing to show.
  BERTH_RETURN_IF_ERROR(PumpAll());
  return first_.open().follow_session() ? ShowLater() : absl::OkStatus();
}

absl::Status ReceiveCall::ShowLater() {
  if (holder_ == nullptr) return absl::OkStatus();
  if (first_.open().command_id().empty() && !from_offset_.has_value()) {
    last_shown_ =
        journal_.commands.empty() ? 0 : journal_.commands.rbegin()->first;
  } else {
    last_shown_ = selected_.back();
  }
  holder::v1::Request request;
  request.mutable_attach();
  holder_->Send(request).IgnoreError();  // Met again when it is read from.
  while (!left_) {
    BERTH_RETURN_IF_ERROR(stream_.state().error);
    if (commands_changed_) {
      BERTH_RETURN_IF_ERROR(ShowNext());
      continue;
    }
    if (holder_gone_) return absl::OkStatus();
    const absl::Status status = TakeEvents();
    if (absl::IsUnavailable(status)) {
      if (!session_->WaitEnded(kEndLimit)) return HolderLost();
      holder_gone_ = true;
      commands_changed_ = true;  // One last look.
      continue;
    }
    BERTH_RETURN_IF_ERROR(status);
    if (!commands_changed_) Wait(kWaitLimit);
  }
  return absl::OkStatus();
}

absl::Status ReceiveCall::ShowNext() {
  commands_changed_ = false;
  BERTH_ASSIGN_OR_RETURN(journal_, ReadSessionJournal(session_->directory()));
  const auto next = journal_.commands.upper_bound(last_shown_);
  if (next == journal_.commands.end()) return absl::OkStatus();
  last_shown_ = next->first;
  commands_changed_ = true;  // There may be more of them.
  return Show(last_shown_, /*selected=*/false);
}

absl::StatusOr<std::optional<uint64_t>> ReceiveCall::StartOf(
    uint64_t number) const {
  const v1::OpenReceive& open = first_.open();
  if (!open.has_tail_lines()) return from_offset_;
  std::optional<Stream> only;
  if (open.stream() != v1::OUTPUT_STREAM_UNSPECIFIED) {
    only = static_cast<Stream>(open.stream());
  }
  BERTH_ASSIGN_OR_RETURN(
      const uint64_t start,
      FindTail(session_->directory(), number, open.tail_lines(), only));
  return start;
}

absl::Status ReceiveCall::Show(uint64_t number, bool selected) {
  const JournalCommand& command = journal_.commands.at(number);
  {
    MutexLock lock(mu_);
    current_ = number;
  }
  // Of one that started later all is shown, also what its own client has.
  std::optional<uint64_t> start = 0;
  if (selected) {
    BERTH_ASSIGN_OR_RETURN(start, StartOf(number));
  }
  follower_->Expect(command.command_id, start);
  if (holder_ == nullptr || holder_gone_) {
    return ShowFromFiles(number, command, /*running=*/false);
  }
  if (!command.ended.has_value() && first_.open().no_follow()) {
    return ShowFromFiles(number, command, /*running=*/true);
  }
  return ShowLive(number, command);
}

absl::Status ReceiveCall::ShowLive(uint64_t number,
                                   const JournalCommand& command) {
  // One that never started has nothing that the holder could show.
  if (command.ended.has_value() &&
      command.ended->how() == v1::CommandEnded::NOT_STARTED) {
    return ShowFromFiles(number, command, /*running=*/false);
  }
  holder::v1::Request request;
  request.mutable_start()->set_follow_only(true);
  request.mutable_start()->set_sequence(number);
  request.mutable_start()->set_command_id(command.command_id);
  // If it can't be sent, that is met again right below.
  holder_->Send(request).IgnoreError();
  while (!follower_->finished()) {
    const absl::Status status = TakeEvents();
    if (absl::IsUnavailable(status)) return OnHolderGone(number);
    BERTH_RETURN_IF_ERROR(status);
    BERTH_RETURN_IF_ERROR(stream_.state().error);
    if (left_) return absl::OkStatus();
    if (follower_->HasWork()) {
      BERTH_RETURN_IF_ERROR(Pump());
    } else if (!follower_->finished()) {
      Wait(kWaitLimit);
    }
  }
  return absl::OkStatus();
}

absl::Status ReceiveCall::TakeEvents() {
  for (;;) {
    BERTH_ASSIGN_OR_RETURN(const auto event, holder_->TryReceive());
    if (!event.has_value()) return absl::OkStatus();
    if (event->has_state()) commands_changed_ = true;
    const absl::Status status = follower_->OnEvent(*event);
    if (absl::IsUnavailable(status))
      return absl::InternalError(status.message());
    BERTH_RETURN_IF_ERROR(status);
  }
}

absl::Status ReceiveCall::OnHolderGone(uint64_t number) {
  if (!session_->WaitEnded(kEndLimit)) return HolderLost();
  holder_gone_ = true;
  BERTH_ASSIGN_OR_RETURN(journal_, ReadSessionJournal(session_->directory()));
  return ShowFromFiles(number, journal_.commands[number], /*running=*/false);
}

absl::Status ReceiveCall::ShowFromFiles(uint64_t number,
                                        const JournalCommand& command,
                                        bool running) {
  BERTH_RETURN_IF_ERROR(follower_->OnJournal(number, command, running));
  return PumpAll();
}

absl::Status ReceiveCall::PumpAll() {
  while (!left_) {
    BERTH_RETURN_IF_ERROR(stream_.state().error);
    if (follower_->HasWork()) {
      BERTH_RETURN_IF_ERROR(Pump());
    } else if (follower_->waits()) {
      AwaitWake(kWaitLimit);
    } else {
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status ReceiveCall::Pump() {
  if (follower_->ends_next()) {
    // Before it is sent: the client may answer at once.
    MutexLock lock(mu_);
    unacked_ends_[follower_->number()] = follower_->end_offset();
  }
  return follower_->Pump();
}

void ReceiveCall::Wait(absl::Duration limit) {
  const bool live = holder_ != nullptr && !holder_gone_;
  pollfd fds[2] = {{live ? holder_->fd() : -1, POLLIN, 0},
                   {stream_.wake_fd(), POLLIN, 0}};
  if (poll(fds, 2, absl::ToInt64Milliseconds(limit)) > 0 &&
      fds[1].revents != 0) {
    stream_.ClearWake();
  }
}

void ReceiveCall::AwaitWake(absl::Duration limit) {
  pollfd wake{stream_.wake_fd(), POLLIN, 0};
  if (poll(&wake, 1, absl::ToInt64Milliseconds(limit) + 1) > 0) {
    stream_.ClearWake();
  }
}

void ReceiveCall::AwaitAcks() {
  const absl::Time deadline = MonotonicNow() + kAckLimit;
  while (MonotonicNow() < deadline) {
    const CallStream::State state = stream_.state();
    if (state.half_closed || !state.error.ok()) return;
    {
      MutexLock lock(mu_);
      if (unacked_ends_.empty()) return;
    }
    AwaitWake(std::max(absl::ZeroDuration(), deadline - MonotonicNow()));
  }
}

absl::Status ReceiveCall::OnFrame(const grpc::ByteBuffer& frame) {
  v1::ReceiveRequest request;
  if (!ParseFrame(frame, request)) {
    return absl::InvalidArgumentError("malformed frame: not a ReceiveRequest");
  }
  if (request.has_open()) {
    return absl::FailedPreconditionError(
        "`open` belongs to the first frame alone");
  }
  return OnRequest(request);
}

absl::Status ReceiveCall::OnRequest(const v1::ReceiveRequest& request) {
  if (request.has_interrupt() && open_.read_only()) {
    return absl::PermissionDeniedError(
        "what this session prints may only be read: an interrupt takes the "
        "right to run commands in it");
  }
  if (request.has_interrupt()) {
    BERTH_RETURN_IF_ERROR(Interrupt(request.interrupt()));
  }
  if (request.has_ack()) Acknowledge(request.ack());
  if (request.leave()) {
    left_ = true;
    stream_.Wake();
  }
  return absl::OkStatus();
}

absl::Status ReceiveCall::Interrupt(const v1::Interrupt& interrupt) {
  uint64_t number = 0;
  if (interrupt.command_id().empty()) {
    MutexLock lock(mu_);
    number = current_;
  } else {
    BERTH_ASSIGN_OR_RETURN(
        number, FindCommand(session_->directory(), interrupt.command_id()));
  }
  if (number == 0 || holder_ == nullptr) return absl::OkStatus();
  holder::v1::Request request;
  request.mutable_interrupt()->set_sequence(number);
  request.mutable_interrupt()->set_force(interrupt.force());
  // If it has gone, so has the command.
  holder_->Send(request).IgnoreError();
  return absl::OkStatus();
}

void ReceiveCall::Acknowledge(const v1::Ack& ack) {
  holder::v1::Request request;
  holder::v1::Ack& acked = *request.mutable_ack();
  acked.set_sequence(ack.sequence());
  acked.set_offset(ack.offset());
  {
    MutexLock lock(mu_);
    const auto it = unacked_ends_.find(ack.sequence());
    if (it != unacked_ends_.end() && ack.offset() >= it->second) {
      acked.set_ended(true);
      unacked_ends_.erase(it);
    }
  }
  follower_->Shown(ack.sequence(), ack.shown());
  // Who only reads takes nothing away from the owner, for whom it stays new.
  if (open_.read_only()) return;
  if (session_->ended()) {
    AcknowledgeEnded(*session_, acked);
  } else if (holder_ != nullptr) {
    holder_->Send(request).IgnoreError();  // Then it is delivered again.
  }
  stream_.Wake();
}

}  // namespace berth::agent

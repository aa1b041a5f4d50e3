#include "agent/link/command_follower.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/link/frames.h"
#include "agent/sessions/activity.h"
#include "base/monotonic.h"
#include "base/pause_point.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// What is to be said of a command whose session ended, but not it.
const char* UnseenEnd(const JournalCommand& command) {
  if (command.surely_not_started) return "the session ended before it started";
  if (command.started_at_ns != 0) {
    return "the session ended while it ran, and its end was not seen";
  }
  return "the session ended when its shell was about to get it: it may have "
         "run";
}

}  // namespace

void CommandFollower::Expect(std::string command_id,
                             std::optional<uint64_t> from_offset) {
  command_id_ = std::move(command_id);
  from_offset_ = from_offset;
  number_ = sequence_ = 0;
  reader_.reset();
  offset_ = logged_end_ = ended_offset_ = 0;
  end_unknown_ = false;
  view_ = state::View::kWaits;
  shows_end_ = true;
  skips_ = false;
  last_.reset();
  paced_sequence_ = 0;
  window_.Begin();
}

bool CommandFollower::Shown(uint64_t sequence, uint64_t offset) {
  return sequence != 0 && sequence == paced_sequence_ &&
         window_.Shown(offset, MonotonicNow());
}

bool CommandFollower::Step(state::ViewEvent event) {
  const state::ViewRow* row = Find(state::ViewTable(), view_, event);
  if (row != nullptr) view_ = row->to;
  return row != nullptr;
}

void CommandFollower::Send(const v1::CommandEvent& event) {
  frames_.push_back(event);
  only_start_ = false;
}

absl::Status CommandFollower::OnEvent(const holder::v1::Event& event) {
  if (finished()) return absl::OkStatus();  // Of a command before.
  if (event.has_queued()) {
    if (!Step(state::ViewEvent::kQueued)) return absl::OkStatus();
    number_ = event.queued().sequence();
    v1::CommandEvent queued;
    *queued.mutable_queued()->mutable_behind() =
        ToActivity(event.queued().behind());
    Send(queued);
  } else if (event.has_started()) {
    // It may be followed again.
    if (!Step(state::ViewEvent::kStarted)) return absl::OkStatus();
    const holder::v1::Started& from = event.started();
    v1::CommandStarted started;
    started.set_command_id(from.command_id());
    started.set_sequence(from.sequence());
    *started.mutable_started_at() =
        ToProto(absl::FromUnixNanos(from.started_at_ns()));
    started.set_attached(from.attached());
    started.set_what(from.what());
    return Begin(started, from.acked_offset());
  } else if (event.has_refused()) {
    Step(state::ViewEvent::kRefused);
    return absl::Status(static_cast<absl::StatusCode>(event.refused().code()),
                        event.refused().message());
  } else if (event.has_advanced() && event.advanced().sequence() == sequence_) {
    logged_end_ = std::max(logged_end_, event.advanced().offset());
  } else if (event.has_stdin_credit() &&
             event.stdin_credit().sequence() == sequence_) {
    v1::CommandEvent credit;
    credit.mutable_stdin_credit()->set_limit(event.stdin_credit().limit());
    Send(credit);
  } else if (event.has_notice()) {
    v1::CommandEvent notice;
    notice.mutable_notice()->set_text(event.notice().text());
    Send(notice);
  } else if (event.has_ended() && event.ended().sequence() == sequence_) {
    return SetEnded(event.ended());
  }
  return absl::OkStatus();
}

absl::Status CommandFollower::OnJournal(uint64_t sequence,
                                        const JournalCommand& command,
                                        bool running) {
  if (Step(state::ViewEvent::kStarted)) {
    v1::CommandStarted started;
    started.set_command_id(command.command_id);
    started.set_sequence(sequence);
    *started.mutable_started_at() =
        ToProto(absl::FromUnixNanos(command.started_at_ns));
    started.set_attached(true);
    started.set_what(command.what);
    BERTH_RETURN_IF_ERROR(Begin(started, command.acked_offset));
  }
  end_unknown_ = true;
  shows_end_ = !running;
  if (command.ended.has_value()) return SetEnded(*command.ended);
  holder::v1::Ended unknown;
  unknown.set_sequence(sequence);
  unknown.set_command_id(command.command_id);
  unknown.set_how(command.surely_not_started ? v1::CommandEnded::NOT_STARTED
                                             : v1::CommandEnded::UNKNOWN);
  unknown.set_exit_code(-1);
  unknown.set_detail(UnseenEnd(command));
  return SetEnded(unknown);
}

absl::Status CommandFollower::Begin(const v1::CommandStarted& started,
                                    uint64_t acked_offset) {
  number_ = sequence_ = started.sequence();
  paced_sequence_ = sequence_;
  command_id_ = started.command_id();
  offset_ = from_offset_.value_or(acked_offset);
  v1::CommandEvent event;
  *event.mutable_started() = started;
  event.mutable_started()->set_from_offset(offset_);
  only_start_ = frames_.empty() || frames_.back().has_opened();
  frames_.push_back(std::move(event));
  return absl::OkStatus();
}

absl::Status CommandFollower::SetEnded(const holder::v1::Ended& ended) {
  if (!Step(state::ViewEvent::kEnded)) return absl::OkStatus();
  ended_offset_ = ended.end_offset();
  logged_end_ = std::max(logged_end_, ended_offset_);
  if (offset_ > logged_end_ && !end_unknown_) return BeyondEnd();
  last_.emplace();
  *last_->mutable_ended() = ToEnded(ended);
  return absl::OkStatus();
}

absl::Status CommandFollower::BeyondEnd() const {
  return absl::OutOfRangeError(
      absl::StrCat("offset ", offset_, " lies beyond the end of command ",
                   sequence_, ", which has ", logged_end_, " bytes"));
}

// After the log was read to its end: nothing was found where it was asked for.
bool CommandFollower::asked_beyond_end() const {
  return from_offset_.has_value() && offset_ == *from_offset_ &&
         offset_ > logged_end_ && last_.has_value() &&
         last_->ended().how() != v1::CommandEnded::UNKNOWN;
}

bool CommandFollower::HasOutput() const {
  return !finished() && started() &&
         (offset_ < logged_end_ || (end_unknown_ && last_.has_value()));
}

bool CommandFollower::HasWork() {
  if (!frames_.empty()) return true;
  return HasOutput() ? Room() > 0 : last_.has_value();
}

// The tail of what was skipped comes with the end, whatever else is under way.
size_t CommandFollower::Room() {
  if (!paces_ || (skips_ && last_.has_value())) return kMaxOutputBytes;
  return window_.Room();
}

bool CommandFollower::CanWait() const {
  return only_start_ && !HasOutput() && !last_.has_value();
}

bool CommandFollower::Wants(Stream stream) const {
  return only_ == v1::OUTPUT_STREAM_UNSPECIFIED ||
         only_ == static_cast<v1::OutputStream>(stream);
}

absl::Status CommandFollower::WriteFrames(bool more) {
  while (!frames_.empty()) {
    const bool last = frames_.size() == 1;
    if (!stream_.Write(ToFrame(frames_.front()), more || !last)) {
      return absl::CancelledError("the client went away");
    }
    frames_.pop_front();
  }
  only_start_ = false;
  return absl::OkStatus();
}

absl::Status CommandFollower::Pump() {
  BERTH_RETURN_IF_ERROR(WriteFrames(HasOutput() || last_.has_value()));
  if (HasOutput()) return Room() > 0 ? PumpOutput() : absl::OkStatus();
  if (!last_.has_value()) return absl::OkStatus();
  Step(state::ViewEvent::kShown);
  PausePoint("agent.run.before_end");
  const v1::CommandEvent last = *std::exchange(last_, std::nullopt);
  if (shows_end_ && !stream_.Write(ToFrame(last), /*more=*/false)) {
    return absl::CancelledError("the client went away");
  }
  return absl::OkStatus();
}

void CommandFollower::SkipToTail() {
  if (end_unknown_ || logged_end_ - offset_ <= kTail) return;
  v1::CommandEvent skipped;
  skipped.mutable_skipped()->set_offset(offset_);
  skipped.mutable_skipped()->set_length(logged_end_ - kTail - offset_);
  Send(skipped);
  offset_ = logged_end_ - kTail;
  reader_.reset();  // Opened anew, where that is.
}

absl::Status CommandFollower::PumpOutput() {
  if (skips_) {
    SkipToTail();
    BERTH_RETURN_IF_ERROR(WriteFrames(/*more=*/true));
  }
  if (!reader_.has_value()) {
    BERTH_ASSIGN_OR_RETURN(LogReader reader,
                           LogReader::Open(directory_, sequence_, offset_));
    reader_.emplace(std::move(reader));
  }
  const uint64_t known_end =
      end_unknown_ ? LogReader::kUnknownEnd : logged_end_;
  const uint64_t ahead = std::min<uint64_t>(known_end - offset_, Room());
  OutputFrame frame(ahead);
  BERTH_ASSIGN_OR_RETURN(const LogReader::Chunk chunk,
                         reader_->Read(frame.buffer(), known_end));
  switch (chunk.kind) {
    case LogReader::Chunk::kEnd:
      // Only what the journal told of has no known end. What it knows to be
      // missing is a gap, and where an end is not known it is here.
      if (asked_beyond_end()) return BeyondEnd();
      if (offset_ < logged_end_) {
        v1::CommandEvent gap;
        gap.mutable_gap()->set_offset(offset_);
        gap.mutable_gap()->set_length(logged_end_ - offset_);
        Send(gap);
        offset_ = logged_end_;
      }
      end_unknown_ = false;
      logged_end_ = offset_;
      if (last_.has_value() &&
          last_->ended().how() == v1::CommandEnded::UNKNOWN) {
        ended_offset_ = offset_;
        last_->mutable_ended()->set_end_offset(offset_);
      }
      return absl::OkStatus();
    case LogReader::Chunk::kGap: {
      v1::CommandEvent gap;
      gap.mutable_gap()->set_offset(chunk.offset);
      gap.mutable_gap()->set_length(chunk.length);
      Send(gap);
      break;
    }
    case LogReader::Chunk::kData: {
      PausePoint("agent.run.before_output");
      if (!Wants(chunk.stream) || !Step(state::ViewEvent::kOutput)) break;
      const bool more = last_.has_value() && !end_unknown_ &&
                        chunk.offset + chunk.length >= logged_end_;
      if (paces_) {
        // Before it is: the client may answer at once.
        const uint64_t end = chunk.offset + chunk.length;
        window_.Sent(end, chunk.length, /*all=*/end >= logged_end_,
                     MonotonicNow());
      }
      if (!stream_.Write(frame.Finish(chunk.offset, chunk.stream, chunk.time_ns,
                                      chunk.length),
                         more)) {
        return absl::CancelledError("the client went away");
      }
    }
  }
  offset_ = chunk.offset + chunk.length;
  return absl::OkStatus();
}

}  // namespace berth::agent

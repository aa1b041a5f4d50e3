#include "cli/terminal/visit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "cli/run/patience.h"

namespace berth::cli {
namespace {

// For people who look away; the oldest go first.
constexpr size_t kMaxNotices = 16;
// As OpenTerminal.paced says.
constexpr uint64_t kShownBytes = 16 << 10;

v1::OpenTerminal WithId(v1::OpenTerminal open) {
  open.set_terminal_id(NewUuid());
  open.set_paced(true);
  return open;
}

std::string Describe(const v1::AttachedTerminal& other) {
  return absl::StrCat(
      other.client().name(),
      other.mode() == v1::TERMINAL_MODE_PEEK ? " watches" : " is here, too");
}

}  // namespace

Visit::Visit(Connection& connection, Invocation& invocation, Tty& tty,
             Display& display, v1::OpenTerminal open,
             std::function<void()> changed)
    : connection_(connection),
      invocation_(invocation),
      tty_(tty),
      display_(display),
      open_(WithId(std::move(open))),
      changed_(std::move(changed)),
      patience_(ReconnectPatience(invocation.environment())) {}

void Visit::Run() {
  for (;;) {
    const absl::Status status = Attempt();
    const bool retries = MayRetry(status) && WaitForRetry();
    MutexLock lock(mu_);
    if (retries && !left_) continue;
    outcome_.status = left_ ? absl::CancelledError("left") : status;
    state_.over = true;
    break;
  }
  changed_();
}

absl::Status Visit::Attempt() {
  generation_ = connection_.generation();
  const auto stream = std::make_shared<TerminalStream>(connection_);
  shown_ = shown_told_ = 0;
  {
    MutexLock lock(mu_);
    if (left_) return absl::CancelledError("left");
    attempt_ = stream;
  }
  if (stream->Open(First())) {
    v1::TerminalEvent event;
    while (stream->Read(event)) OnEvent(event);
  }
  {
    MutexLock lock(mu_);
    stream_ = nullptr;
    attempt_ = nullptr;
  }
  const absl::Status status = stream->Finish();
  from_broker_ = stream->from_broker();
  return status;
}

v1::TerminalRequest Visit::First() {
  v1::TerminalRequest request;
  v1::OpenTerminal& open = *request.mutable_open();
  open = open_;
  *open.mutable_size() = tty_.Size();
  MutexLock lock(mu_);
  if (!state_.attached) return request;
  // Who took the terminal once does not take it back from somebody else.
  if (open.mode() == v1::TERMINAL_MODE_TAKE) {
    open.set_mode(v1::TERMINAL_MODE_UNSPECIFIED);
  }
  open.set_from_offset(output_end_.value_or(0));
  request.set_redraw(!output_end_ || display_.spoiled());
  return request;
}

void Visit::OnEvent(v1::TerminalEvent& event) {
  switch (event.event_case()) {
    case v1::TerminalEvent::kOutput:
      display_.ShowOutput(event.output().data());
      output_end_ = event.output().offset() + event.output().data().size();
      return Shown(event.output().data().size());
    case v1::TerminalEvent::kScreen:
      display_.ShowScreen(event.screen().data(), event.screen().last(),
                          tty_.Size());
      if (event.screen().last()) output_end_ = event.screen().offset();
      return Shown(event.screen().data().size());
    case v1::TerminalEvent::kInputTaken: {
      bool had_room;
      {
        MutexLock lock(mu_);
        had_room = typed_.has_room();
        typed_.Taken(event.input_taken().offset());
        state_.unanswered_since =
            typed_.empty() ? absl::InfiniteFuture() : MonotonicNow();
      }
      Pump();
      if (had_room) return;
      break;  // There may be room to read more.
    }
    case v1::TerminalEvent::kOpened:
      OnOpened(event.opened());
      break;
    case v1::TerminalEvent::kWaiting:
      OnWaiting(event.waiting().behind());
      break;
    case v1::TerminalEvent::kNotice: {
      MutexLock lock(mu_);
      if (notices_.size() >= kMaxNotices) notices_.erase(notices_.begin());
      notices_.push_back(event.notice().text());
      break;
    }
    case v1::TerminalEvent::kEnded: {
      MutexLock lock(mu_);
      outcome_.ended = std::move(*event.mutable_ended());
      break;
    }
    case v1::TerminalEvent::EVENT_NOT_SET:
      return;  // From a later version.
  }
  changed_();
}

void Visit::Shown(size_t bytes) {
  shown_ += bytes;
  if (shown_ - shown_told_ < kShownBytes) return;
  shown_told_ = shown_;
  v1::TerminalRequest request;
  request.set_shown(shown_);
  Write(request);
}

void Visit::OnOpened(const v1::TerminalOpened& opened) {
  const absl::Status raw = tty_.MakeRaw();
  {
    MutexLock lock(mu_);
    if (!state_.attached) {
      for (const v1::AttachedTerminal& other : opened.others()) {
        notices_.push_back(Describe(other));
      }
    }
    state_.attached = true;
    state_.lost_at = absl::InfiniteFuture();
    outcome_.session = opened.session();
    typed_.Restart(opened.input_offset());
    state_.unanswered_since =
        typed_.empty() ? absl::InfiniteFuture() : MonotonicNow();
    stream_ = attempt_;
  }
  backoff_.Reset();
  if (!raw.ok()) return Leave();
  Pump();
  Resize();  // It may have changed since the first frame was made.
}

void Visit::OnWaiting(const v1::Activity& behind) {
  reached_ = true;
  invocation_.Say(
      absl::StrCat("the session is busy: ",
                   behind.kind() == v1::Activity::COMMAND
                       ? absl::StrCat("it runs '", behind.what(), "' since ")
                       : "its shell starts, since ",
                   absl::FormatTime("%H:%M:%S", FromProto(behind.since()),
                                    absl::LocalTimeZone()),
                   "; waiting for it (Ctrl-C gives up)"));
}

// Until the session has answered once, the broker's word is final. Afterwards
// it may only not know yet that the session's computer is coming back. It
// cancels a stream, which we have not, only when it goes down itself.
bool Visit::MayRetry(const absl::Status& status) const {
  MutexLock lock(mu_);
  if (left_ || outcome_.ended) return false;
  if (!state_.attached && !reached_) return false;
  return !from_broker_ || status.ok() || absl::IsCancelled(status) ||
         absl::IsUnavailable(status) ||
         // The certificate has ended, and there is another by now.
         (absl::IsUnauthenticated(status) &&
          generation_ < connection_.generation());
}

// False: patience is over, or the visit was left.
bool Visit::WaitForRetry() {
  const absl::Duration delay = backoff_.Next();
  const absl::Time now = MonotonicNow();
  {
    MutexLock lock(mu_);
    state_.lost_at = std::min(state_.lost_at, now);
    if (now + delay > state_.lost_at + patience_) return false;
  }
  changed_();
  MutexLock lock(mu_);
  while (!left_ && MonotonicNow() < now + delay) {
    left_changed_.WaitFor(mu_, now + delay - MonotonicNow());
  }
  return !left_;
}

Visit::State Visit::state() const {
  MutexLock lock(mu_);
  return state_;
}

Visit::Outcome Visit::outcome() const {
  MutexLock lock(mu_);
  return outcome_;
}

std::vector<std::string> Visit::TakeNotices() {
  MutexLock lock(mu_);
  return std::exchange(notices_, {});
}

size_t Visit::Type(absl::string_view typed) {
  size_t added = 0;
  {
    MutexLock lock(mu_);
    added = typed_.Add(typed);
    if (added > 0) {
      state_.unanswered_since =
          std::min(state_.unanswered_since, MonotonicNow());
    }
  }
  Pump();
  return added;
}

bool Visit::HasRoom() const {
  MutexLock lock(mu_);
  return typed_.has_room();
}

void Visit::Pump() {
  MutexLock order(pump_mu_);
  for (;;) {
    v1::TerminalRequest request;
    std::shared_ptr<TerminalStream> stream;
    {
      MutexLock lock(mu_);
      if (stream_ == nullptr) return;
      stream = stream_;
      TypedBuffer::Frame frame = typed_.Next();
      if (frame.data.empty()) return;
      request.mutable_input()->set_offset(frame.offset);
      request.mutable_input()->set_data(std::move(frame.data));
    }
    stream->Write(request);
  }
}

void Visit::Write(const v1::TerminalRequest& request) {
  std::shared_ptr<TerminalStream> stream;
  {
    MutexLock lock(mu_);
    stream = stream_;
  }
  if (stream != nullptr) stream->Write(request);
}

void Visit::Resize() {
  v1::TerminalRequest request;
  *request.mutable_size() = tty_.Size();
  Write(request);
}

void Visit::AskRedraw() {
  v1::TerminalRequest request;
  request.set_redraw(true);
  Write(request);
}

void Visit::Detach() {
  bool linked = false;
  {
    MutexLock lock(mu_);
    linked = stream_ != nullptr;
    if (linked) left_ = true;
  }
  if (!linked) return Leave();
  v1::TerminalRequest request;
  request.set_detach(true);
  Write(request);
}

void Visit::Leave() {
  MutexLock lock(mu_);
  left_ = true;
  if (attempt_ != nullptr) attempt_->Cancel();
  left_changed_.NotifyAll();
}

}  // namespace berth::cli

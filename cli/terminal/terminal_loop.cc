#include "cli/terminal/terminal_loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "cli/render/duration.h"
#include "cli/terminal/typed_buffer.h"

namespace berth::cli {
namespace {

constexpr size_t kReadBytes = 4096;
// With an escape character that the read before ended with.
static_assert(kReadBytes + 1 <= TypedBuffer::kMaxRead);
constexpr char kCtrlC = 'C' & 0x1f;
constexpr char kBreakKey[] = "\x03";

// A link that comes back so soon is not worth a word.
constexpr absl::Duration kBriefly = absl::Milliseconds(700);
// Typed bytes arrive in less, or something is wrong.
constexpr absl::Duration kUnanswered = absl::Seconds(3);
constexpr absl::Duration kStuck = absl::Seconds(2);
constexpr absl::Duration kNoticeTime = absl::Seconds(5);
constexpr absl::Duration kHelpTime = absl::Seconds(30);
// How long a goodbye may take.
constexpr absl::Duration kGoodbye = absl::Milliseconds(500);

}  // namespace

TerminalLoop::TerminalLoop(Invocation& invocation, Connection& connection,
                           v1::OpenTerminal open, std::optional<char> escape)
    : invocation_(invocation),
      peeks_(open.mode() == v1::TERMINAL_MODE_PEEK),
      escape_(escape),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      tty_(invocation.in_fd()),
      display_(invocation.out()),
      filter_(escape),
      visit_(connection, invocation, tty_, display_, std::move(open),
             [this] { Wake(); }) {}

TerminalLoop::~TerminalLoop() { invocation_.signals().OnTerminal(nullptr); }

void TerminalLoop::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

Visit::Outcome TerminalLoop::Run() {
  invocation_.signals().OnTerminal([this] { Wake(); });
  std::thread reader([this] { visit_.Run(); });
  while (Step()) {
  }
  visit_.Leave();
  reader.join();
  if (visit_.state().attached) display_.Hide();
  tty_.Restore();
  invocation_.signals().OnTerminal(nullptr);
  return visit_.outcome();
}

// False: it is over.
bool TerminalLoop::Step() {
  const Visit::State state = visit_.state();
  if (state.over || invocation_.signals().left() ||
      MonotonicNow() >= leave_at_) {
    return false;
  }
  if (state.attached && !suspended_) UpdateOverlay(state);
  // What there is no room for is read all the same once nothing seems to take
  // it: there may be an escape behind it.
  const bool stuck = MonotonicNow() >=
                     std::min(state.lost_at, state.unanswered_since) + kStuck;
  const bool reads = state.attached && !suspended_ && !detaching_ &&
                     (visit_.HasRoom() || stuck);
  pollfd fds[] = {{wake_.get(), POLLIN, 0},
                  {invocation_.signals().left_fd(), POLLIN, 0},
                  {reads ? tty_.fd() : -1, POLLIN, 0}};
  const absl::Duration timeout = Timeout(state);
  poll(fds, 3,
       timeout == absl::InfiniteDuration()
           ? -1
           : static_cast<int>(absl::ToInt64Milliseconds(timeout) + 1));
  uint64_t count;
  if (fds[0].revents != 0) (void)!read(wake_.get(), &count, sizeof(count));
  HandleSignals();
  if (fds[2].revents != 0) TakeKeys();
  return true;
}

absl::Duration TerminalLoop::Timeout(const Visit::State& state) const {
  const absl::Time now = MonotonicNow();
  absl::Time next = leave_at_;
  if (told_until_ > now) next = std::min(next, told_until_);
  // A line that counts seconds.
  for (const absl::Time begin :
       {state.lost_at + kBriefly, state.unanswered_since + kUnanswered}) {
    next = std::min(next, begin > now ? begin : now + absl::Seconds(1));
  }
  if (next == absl::InfiniteFuture()) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), next - now);
}

void TerminalLoop::HandleSignals() {
  SignalSource& signals = invocation_.signals();
  if (const int resizes = signals.resizes(); resizes != resizes_) {
    resizes_ = resizes;
    drawn_.clear();
    visit_.Resize();
  }
  if (const int continues = signals.continues(); continues != continues_) {
    continues_ = continues;
    Continue();
  }
}

void TerminalLoop::TakeKeys() {
  char keys[kReadBytes];
  const ssize_t count = tty_.Read(keys, sizeof(keys));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    // The terminal is gone. The signal for that may come later, or never.
    return invocation_.signals().Post(Signal::kHangup);
  }
  absl::string_view rest(keys, count);
  while (!rest.empty() && !detaching_) {
    const EscapeFilter::Result result = filter_.Take(rest);
    rest.remove_prefix(result.used);
    Type(result.typed);
    Do(result.escape);
  }
}

void TerminalLoop::Type(absl::string_view typed) {
  if (typed.empty()) return;
  if (!told_.empty() && told_until_ > MonotonicNow()) {
    told_until_ = MonotonicNow();  // It was read.
  }
  if (peeks_) {
    if (typed.find(kCtrlC) != typed.npos) return Do(Escape::kDetach);
    return Tell({"you only watch: leave with Ctrl-C"}, kNoticeTime);
  }
  if (visit_.Type(typed) < typed.size()) {
    Tell({"too much was typed while nothing could be sent: some of it is lost"},
         kNoticeTime);
  }
}

void TerminalLoop::Do(Escape escape) {
  switch (escape) {
    case Escape::kNone:
      return;
    case Escape::kDetach:
      detaching_ = true;
      leave_at_ = MonotonicNow() + kGoodbye;
      return visit_.Detach();
    case Escape::kHelp:
      return Tell(HelpLines(), kHelpTime);
    case Escape::kSuspend:
      return Suspend();
    case Escape::kRedraw:
      return visit_.AskRedraw();
    case Escape::kBreak:
      if (!peeks_) visit_.Type(kBreakKey);
      return;
  }
}

void TerminalLoop::Suspend() {
  display_.Hide();
  tty_.Restore();
  suspended_ = true;
  invocation_.Suspend();
}

// Also after the process was stopped from outside: its terminal may have been
// changed meanwhile.
void TerminalLoop::Continue() {
  if (!visit_.state().attached) return;
  tty_.Restore();
  if (!tty_.MakeRaw().ok()) return;
  suspended_ = false;
  drawn_.clear();
  display_.Show();
  visit_.Resize();
  visit_.AskRedraw();
}

std::vector<std::string> TerminalLoop::HelpLines() const {
  const std::string key(1, *escape_);
  return {
      absl::StrCat("At the beginning of a line (escape character: ", key, ")"),
      absl::StrCat("  ", key, ".   detach; the session goes on"),
      absl::StrCat("  ", key, "B   interrupt what runs, as Ctrl-C"),
      absl::StrCat("  ", key, "R   draw the screen again"),
      absl::StrCat("  ", key, "^Z  suspend berth"),
      absl::StrCat("  ", key, key, "   send the escape character"),
      absl::StrCat("  ", key, "?   this help; any key ends it"),
  };
}

void TerminalLoop::Tell(std::vector<std::string> lines, absl::Duration time) {
  told_ = std::move(lines);
  told_until_ = MonotonicNow() + time;
}

std::vector<std::string> TerminalLoop::Lines(const Visit::State& state) {
  for (const std::string& notice : visit_.TakeNotices()) {
    if (told_until_ <= MonotonicNow()) told_.clear();
    told_.push_back(absl::StrCat("berth: ", notice));
    told_until_ = MonotonicNow() + kNoticeTime;
  }
  std::vector<std::string> lines;
  const absl::Time now = MonotonicNow();
  if (told_until_ > now) lines = told_;
  const std::string way_out =
      escape_ ? absl::StrCat("; ", std::string(1, *escape_), ". detaches") : "";
  if (now >= state.lost_at + kBriefly) {
    lines.push_back(absl::StrCat("berth: connection lost for ",
                                 ShortDuration(now - state.lost_at),
                                 "; reconnecting", way_out));
  } else if (now >= state.unanswered_since + kUnanswered) {
    lines.push_back(absl::StrCat("berth: no answer for ",
                                 ShortDuration(now - state.unanswered_since),
                                 way_out));
  }
  return lines;
}

void TerminalLoop::UpdateOverlay(const Visit::State& state) {
  std::vector<std::string> lines = Lines(state);
  if (lines == drawn_) return;
  // What is not drawn any more the session has to draw over; whoever comes
  // back asks for that by itself.
  const bool lost = state.lost_at != absl::InfiniteFuture();
  if (lines.size() < drawn_.size() && !was_lost_) visit_.AskRedraw();
  was_lost_ = lost;
  if (!lines.empty()) display_.ShowOverlay(lines, tty_.Size());
  drawn_ = std::move(lines);
}

}  // namespace berth::cli

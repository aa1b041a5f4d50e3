#include "cli/recordings/player.h"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/monotonic.h"
#include "cli/recordings/rendering.h"
#include "cli/recordings/terminal_filter.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kStep = absl::Seconds(10);
// As `--speed` has them.
constexpr double kSlowest = 0.01;
constexpr double kFastest = 1000;
// Out of whatever was drawn, onto an empty screen.
constexpr char kClear[] = "\x1b[?1049l\x1b[!p\x1b[H\x1b[2J";
constexpr char kLeave[] = "\x1b[?1049l\x1b[!p\x1b[0m\r\n";
// So that keys are taken at least so often.
constexpr absl::Duration kLook = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<absl::Duration> ParsePlace(absl::string_view text,
                                          absl::Time begin,
                                          absl::TimeZone zone) {
  absl::Duration after;
  if (absl::ParseDuration(std::string(text), &after) &&
      after >= absl::ZeroDuration()) {
    return after;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  int numbers[3] = {0, 0, 0};
  bool good = parts.size() == 2 || parts.size() == 3;
  for (size_t i = 0; good && i < parts.size(); ++i) {
    good = absl::SimpleAtoi(parts[i], &numbers[i]) && numbers[i] >= 0 &&
           numbers[i] < (i == 0 ? 24 : 60);
  }
  if (!good) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text,
        "' is no place in a recording; write 10:31 or 10:31:05, or "
        "how long after its beginning, such as 90s or 1h5m"));
  }
  const absl::CivilDay day = absl::ToCivilDay(begin, zone);
  const auto on = [&](absl::CivilDay which) {
    return absl::FromCivil(
        absl::CivilSecond(which.year(), which.month(), which.day(), numbers[0],
                          numbers[1], numbers[2]),
        zone);
  };
  const absl::Time time =
      on(day) < absl::FromUnixSeconds(absl::ToUnixSeconds(begin)) ? on(day + 1)
                                                                  : on(day);
  return std::max(absl::ZeroDuration(), time - begin);
}

int Player::Play() {
  target_ = options_.from;
  tty_.emplace(invocation_.in_fd());
  if (!tty_->MakeRaw().ok()) tty_.reset();  // Then there are no keys.
  absl::Status status;
  do {
    again_ = begun_ = false;
    at_ = absl::ZeroDuration();
    status = PlayOnce();
  } while (again_ && status.ok());
  invocation_.out().Write(kLeave).IgnoreError();
  tty_.reset();
  if (invocation_.signals().left()) return invocation_.signals().exit_code();
  return EndReading(invocation_, reading_, status);
}

absl::Status Player::PlayOnce() {
  RecordingRendering rendering;
  TerminalFilter filter(TerminalFilter::Keep::kDrawing);
  absl::Status written = invocation_.out().Write(kClear);
  if (!written.ok()) return written;
  const absl::Status read = ReadRecording(
      invocation_, connection_, recording_.info().instance_id(), reading_,
      [&](const v1::RecordingEntry& entry) {
        const Next next = Show(entry);
        again_ = next == Next::kAgain;
        if (next != Next::kGoOn) return false;
        written = invocation_.out().Write(filter.Take(rendering.Render(entry)));
        return written.ok();
      });
  return written.ok() ? read : written;
}

Player::Next Player::Show(const v1::RecordingEntry& entry) {
  if (!begun_) first_ns_ = entry.time_ns();
  begun_ = true;
  // A clock that was put back makes no pause.
  const absl::Duration at =
      std::max(at_, absl::Nanoseconds(entry.time_ns() - first_ns_));
  const absl::Duration pause = at - std::max(at_, target_);
  const Next next = pause > absl::ZeroDuration() ? Wait(pause) : Next::kGoOn;
  if (next == Next::kGoOn) at_ = at;
  return next;
}

Player::Next Player::Wait(absl::Duration pause) {
  // What is left of it, as the recording counts time.
  absl::Duration left = std::min(pause, options_.max_idle);
  const absl::Duration target = target_;
  while (waits_ || left > absl::ZeroDuration()) {
    const absl::Time began = MonotonicNow();
    const bool waited = waits_;
    const double speed = speed_;
    const Next next =
        TakeKeys(began + (waits_ ? kLook : std::min(left / speed, kLook)));
    if (next != Next::kGoOn) return next;
    if (target_ > target) return Next::kGoOn;  // Further on.
    if (!waited) left -= (MonotonicNow() - began) * speed;
  }
  return Next::kGoOn;
}

Player::Next Player::TakeKeys(absl::Time end) {
  pollfd fds[] = {{invocation_.signals().left_fd(), POLLIN, 0},
                  {tty_.has_value() ? tty_->fd() : -1, POLLIN, 0}};
  const absl::Duration left =
      std::max(end - MonotonicNow(), absl::ZeroDuration());
  poll(fds, 2, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
  if (invocation_.signals().left()) return Next::kLeave;
  if (fds[1].revents == 0) return Next::kGoOn;
  char keys[64];
  const ssize_t got = tty_->Read(keys, sizeof(keys));
  if (got == 0 || (got < 0 && (fds[1].revents & POLLHUP))) return Next::kLeave;
  if (got < 0) return Next::kGoOn;
  return OnKeys(absl::string_view(keys, static_cast<size_t>(got)));
}

// Keys that were pressed quickly come together.
Player::Next Player::OnKeys(absl::string_view keys) {
  while (!keys.empty()) {
    const bool arrow = keys.size() >= 3 && keys[0] == '\x1b' &&
                       (keys[1] == '[' || keys[1] == 'O');
    const Next next = OnKey(keys.substr(0, arrow ? 3 : 1));
    if (next != Next::kGoOn) return next;
    keys.remove_prefix(arrow ? 3 : 1);
  }
  return Next::kGoOn;
}

Player::Next Player::OnKey(absl::string_view key) {
  if (key == "q" || key == "\x03") return Next::kLeave;
  if (key == " ") waits_ = !waits_;
  if (key == "+") speed_ = std::min(kFastest, 2 * speed_);
  if (key == "-") speed_ = std::max(kSlowest, speed_ / 2);
  if (key == "\x1b[C" || key == "\x1bOC") return Seek(kStep);
  if (key == "\x1b[D" || key == "\x1bOD") return Seek(-kStep);
  return Next::kGoOn;
}

Player::Next Player::Seek(absl::Duration by) {
  target_ = std::max(absl::ZeroDuration(), std::max(at_, target_) + by);
  // What was drawn can't be taken back, so it is drawn again up to there.
  return by < absl::ZeroDuration() ? Next::kAgain : Next::kGoOn;
}

}  // namespace berth::cli

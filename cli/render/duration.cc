#include "cli/render/duration.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kLongest = absl::Hours(366 * 24);

// Removes leading days ("2d") from `text`.
absl::Duration ConsumeDays(absl::string_view& text) {
  const size_t end = text.find('d');
  int days = 0;
  if (end == text.npos || !absl::SimpleAtoi(text.substr(0, end), &days) ||
      days < 0 || days > 10000) {
    return absl::ZeroDuration();
  }
  text.remove_prefix(end + 1);
  return absl::Hours(24) * days;
}

}  // namespace

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text) {
  absl::string_view rest = text;
  absl::Duration days = ConsumeDays(rest);
  absl::Duration duration;
  const bool only_days = rest.empty() && !text.empty();
  if (!only_days && !absl::ParseDuration(rest, &duration)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", EscapeForTerminal(text), "' is not a time; write 90s, 5m or 2h"));
  }
  duration += days;
  if (duration < absl::ZeroDuration() || duration > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", EscapeForTerminal(text),
                     "' is out of range; a time is from 0s to 366d"));
  }
  return duration;
}

std::string ShortDuration(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 0) return "0s";
  if (seconds < 60) return absl::StrCat(seconds, "s");
  const int64_t minutes = seconds / 60;
  if (minutes < 10 && seconds % 60 != 0) {
    return absl::StrCat(minutes, "m", seconds % 60, "s");
  }
  if (minutes < 60) return absl::StrCat(minutes, "m");
  const int64_t hours = minutes / 60;
  if (hours < 24) {
    return minutes % 60 == 0 ? absl::StrCat(hours, "h")
                             : absl::StrCat(hours, "h", minutes % 60, "m");
  }
  const int64_t days = hours / 24;
  return hours % 24 == 0 ? absl::StrCat(days, "d")
                         : absl::StrCat(days, "d", hours % 24, "h");
}

}  // namespace berth::cli

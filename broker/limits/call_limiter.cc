#include "broker/limits/call_limiter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

constexpr double kAllStrangers = 10;

absl::Status TooOften(absl::string_view who, absl::string_view what,
                      const TokenBuckets& limit, absl::Duration wait,
                      absl::string_view key) {
  // Rounded up, so that who waits so long comes in time.
  const absl::Duration shown =
      absl::Ceil(std::max(wait, absl::Milliseconds(1)), absl::Milliseconds(1));
  return absl::ResourceExhaustedError(absl::StrCat(
      who, " makes more than ", limit.per_second(), " ", what,
      " a second, after ", limit.burst(), " at once; try again in ",
      absl::FormatDuration(shown), " (`", key, "` in [limits])"));
}

}  // namespace

CallLimiter::CallLimiter(const Limits& limits)
    : calls_(limits.calls_per_second, limits.calls_burst),
      enrolments_(limits.enrolments_per_second, limits.enrolments_burst),
      strangers_(kAllStrangers * limits.enrolments_per_second,
                 kAllStrangers * limits.enrolments_burst) {}

absl::Status CallLimiter::Check(const absl::StatusOr<Identity>& caller,
                                absl::Time now) {
  if (!caller.ok()) {
    const absl::Duration wait = strangers_.Take("all", now);
    if (wait == absl::ZeroDuration()) return absl::OkStatus();
    return TooOften("all without a certificate", "calls", strangers_, wait,
                    "enrolments_per_second");
  }
  const std::string who =
      absl::StrCat(PurposeName(caller->purpose), " '", caller->name, "'");
  const absl::Duration wait = calls_.Take(who, now);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return TooOften(who, "calls", calls_, wait, "calls_per_second");
}

absl::Status CallLimiter::CheckEnrolment(const std::string& peer,
                                         absl::Time now) {
  const absl::string_view address = AddressOf(peer);
  const absl::Duration wait = enrolments_.Take(address, now);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return TooOften(absl::StrCat("address ", address), "enrolments", enrolments_,
                  wait, "enrolments_per_second");
}

absl::string_view AddressOf(absl::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace berth::broker

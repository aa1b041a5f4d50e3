#include "base/proto_time.h"

#include <stdint.h>

#include <algorithm>

namespace berth {
namespace {

// Year 9999, the end of what Timestamp may hold.
constexpr int64_t kLastSecond = 253402300799;
// What Duration may hold: 10,000 years.
constexpr int64_t kLongestSeconds = 315576000000;

}  // namespace

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  time =
      std::clamp(time, absl::UnixEpoch(), absl::FromUnixSeconds(kLastSecond));
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  duration = std::clamp(duration, -absl::Seconds(kLongestSeconds),
                        absl::Seconds(kLongestSeconds));
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

}  // namespace berth

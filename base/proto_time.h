#ifndef BERTH_BASE_PROTO_TIME_H_
#define BERTH_BASE_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace berth {

// Between Abseil's times and those of Protobuf. Values that Protobuf can't
// hold become the nearest it can.
absl::Time FromProto(const google::protobuf::Timestamp& time);
absl::Duration FromProto(const google::protobuf::Duration& duration);
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace berth

#endif  // BERTH_BASE_PROTO_TIME_H_

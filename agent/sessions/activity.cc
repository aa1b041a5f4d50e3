#include "agent/sessions/activity.h"

#include "absl/time/time.h"
#include "base/proto_time.h"

namespace berth::agent {
namespace {

v1::Activity::Kind ToKind(holder::v1::State::Kind kind) {
  switch (kind) {
    case holder::v1::State::IDLE:
      return v1::Activity::IDLE;
    case holder::v1::State::COMMAND:
      return v1::Activity::COMMAND;
    case holder::v1::State::TERMINAL:
      return v1::Activity::TERMINAL;
    case holder::v1::State::REPLACED:
      return v1::Activity::REPLACED;
    default:
      return v1::Activity::STARTING;
  }
}

v1::CommandEnded::How ToHow(uint32_t how) {
  return v1::CommandEnded::How_IsValid(how)
             ? static_cast<v1::CommandEnded::How>(how)
             : v1::CommandEnded::UNKNOWN;
}

}  // namespace

v1::Activity ToActivity(const holder::v1::State& state) {
  v1::Activity activity;
  activity.set_kind(ToKind(state.kind()));
  activity.set_what(state.what());
  activity.set_command_id(state.command_id());
  activity.set_queued(state.queued());
  *activity.mutable_since() = ToProto(absl::FromUnixNanos(state.since_ns()));
  return activity;
}

v1::CommandSummary ToSummary(const holder::v1::Ended& ended) {
  v1::CommandSummary summary;
  summary.set_command_id(ended.command_id());
  summary.set_sequence(ended.sequence());
  summary.set_how(ToHow(ended.how()));
  summary.set_exit_code(ended.exit_code());
  *summary.mutable_started_at() =
      ToProto(absl::FromUnixNanos(ended.started_at_ns()));
  *summary.mutable_ended_at() =
      ToProto(absl::FromUnixNanos(ended.ended_at_ns()));
  return summary;
}

v1::CommandEnded ToEnded(const holder::v1::Ended& ended) {
  v1::CommandEnded event;
  event.set_command_id(ended.command_id());
  event.set_how(ToHow(ended.how()));
  event.set_exit_code(ended.exit_code());
  event.set_end_offset(ended.end_offset());
  *event.mutable_duration() =
      ToProto(absl::Nanoseconds(static_cast<int64_t>(ended.duration_ns())));
  event.set_cwd(ended.cwd());
  *event.mutable_ended_at() = ToProto(absl::FromUnixNanos(ended.ended_at_ns()));
  event.set_detail(ended.detail());
  event.set_sequence(ended.sequence());
  return event;
}

}  // namespace berth::agent

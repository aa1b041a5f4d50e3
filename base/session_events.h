#ifndef BERTH_BASE_SESSION_EVENTS_H_
#define BERTH_BASE_SESSION_EVENTS_H_

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth {

// How long before a session ends of being idle its watchers are warned.
inline constexpr absl::Duration kIdleWarning = absl::Minutes(5);

// What is known of a session at one moment.
struct SessionMoment {
  std::shared_ptr<const v1::Session> record;  // Null: there is no such session.
  bool online = false;                        // Its computer can be reached.
  bool expiring = false;  // It ends within kIdleWarning if nobody connects.
};

// What has happened between two moments, in the order to tell it. A command
// that began and ended in between shows as its end alone. Nothing, if only
// what changes with every command, such as sizes and times, is different.
std::vector<v1::SessionEvent::Kind> EventsBetween(const SessionMoment& before,
                                                  const SessionMoment& after);

}  // namespace berth

#endif  // BERTH_BASE_SESSION_EVENTS_H_

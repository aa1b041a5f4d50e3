#ifndef BERTH_BROKER_REGISTRY_SESSION_VIEW_H_
#define BERTH_BROKER_REGISTRY_SESSION_VIEW_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Whether a computer can be reached, and since when that is so.
struct Reachability {
  bool online = false;
  absl::Time since;
};

// A session as one caller sees it: `record` (what its computer said last) with
// state, availability and broken_since filled in for the client `client_id`
// (empty: a caller without a client, who holds nothing).
v1::Session SessionAsSeenBy(absl::string_view client_id,
                            const v1::Session& record,
                            const Reachability& computer);

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_SESSION_VIEW_H_

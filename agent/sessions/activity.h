#ifndef BERTH_AGENT_SESSIONS_ACTIVITY_H_
#define BERTH_AGENT_SESSIONS_ACTIVITY_H_

#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// What a holder says its shell does, as clients are told.
v1::Activity ToActivity(const holder::v1::State& state);

// How a command ended, as those who follow it are told.
v1::CommandEnded ToEnded(const holder::v1::Ended& ended);

// The same in short. `what` is not known to a holder's Ended.
v1::CommandSummary ToSummary(const holder::v1::Ended& ended);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_ACTIVITY_H_

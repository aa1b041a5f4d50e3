#ifndef BERTH_AGENT_LINK_CALLER_H_
#define BERTH_AGENT_LINK_CALLER_H_

#include <string>

#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// Whose session a call is about.
const std::string& OwnerOf(const link::v1::OpenCall& open);

// The client that speaks in a call: `said`, or, if the session is another
// user's, one that can't be taken for any of its owner, whatever was said.
v1::Client ClientOf(const link::v1::OpenCall& open, const v1::Client& said);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_CALLER_H_

#ifndef BERTH_AGENT_SESSIONS_SESSION_RECORD_H_
#define BERTH_AGENT_SESSIONS_SESSION_RECORD_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// The `record` file in a session's directory: what its agent has to remember
// over a restart, as a Session in Protobuf's text format. Its activity is not
// in it: the holder knows that.
absl::Status SaveSessionRecord(const std::string& directory,
                               const v1::Session& session);

// NOT_FOUND: there is none. DATA_LOSS: it can't be read.
absl::StatusOr<v1::Session> LoadSessionRecord(const std::string& directory);

// The same for the configuration that a session was made from, as it was then:
// what is changed later is for later sessions. NOT_FOUND: none was saved.
absl::Status SaveSessionProfile(const std::string& directory,
                                const v1::Configuration& profile);
absl::StatusOr<v1::Configuration> LoadSessionProfile(
    const std::string& directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SESSION_RECORD_H_

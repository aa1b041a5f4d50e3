#ifndef BERTH_CLI_RECORDINGS_RECORDINGS_H_
#define BERTH_CLI_RECORDINGS_RECORDINGS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/recordings.grpc.pb.h"

namespace berth::cli {

// Asks the broker for recordings.
absl::StatusOr<v1::ListRecordingsResponse> ListRecordings(
    Invocation& invocation, Connection& connection, const std::string& owner,
    const std::string& session);

// The recording of a session, by its number, name or instance id. The user's
// own are looked at first; of several the newest, and that is said.
// NOT_FOUND: there is none.
absl::StatusOr<v1::Recording> FindRecording(Invocation& invocation,
                                            Connection& connection,
                                            const std::string& owner,
                                            const std::string& session);

// Passes the entries of a recording to `visit`, in order, until it returns
// false or the invocation is left. Fails as the rpc does.
absl::Status ReadRecording(
    Invocation& invocation, Connection& connection,
    const std::string& instance_id,
    const std::function<bool(const v1::RecordingEntry&)>& visit);

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_RECORDINGS_H_

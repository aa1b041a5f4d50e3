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

// How a recording is read, and what came of it.
struct RecordingReading {
  // Shows whatever can be shown of one that was changed, and says so only.
  bool even_if_changed = false;
  // Filled in with the first entry: what is wrong with it; empty: nothing that
  // could be told beforehand.
  std::string finding = {};
};

// The exit status if a recording was changed.
inline constexpr int kChangedExit = 2;

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
    const std::string& instance_id, RecordingReading& reading,
    const std::function<bool(const v1::RecordingEntry&)>& visit);

// Tells how reading a recording went, and returns the exit status: 2 if it was
// changed.
int EndReading(Invocation& invocation, const RecordingReading& reading,
               const absl::Status& status);

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_RECORDINGS_H_

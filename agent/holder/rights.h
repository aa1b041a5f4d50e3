#ifndef BERTH_AGENT_HOLDER_RIGHTS_H_
#define BERTH_AGENT_HOLDER_RIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// The rights of a holder whose shell runs as another user. Three parties don't
// trust one another: the agent is root; the holder parses what the session
// prints, so it is a user of its own without rights; and the session's user
// must reach neither the holder nor its logs. For a process of one thread.

// Gives the session's directory, which must be root's alone, to the holder's
// user, and opens it.
absl::StatusOr<UniqueFd> TakeDirectory(const std::string& directory,
                                       const v1::RunAs& run_as);

// A path of that directory for who may not pass the directories above it.
std::string PathOf(const UniqueFd& directory);

// Becomes the holder's user, with no more rights than making the shell takes.
// FAILED_PRECONDITION: this process is not root's, or `run_as` is not one of
// two different users without the rights of root.
absl::Status BecomeHolder(const v1::RunAs& run_as);

// Gives up, for ever, all rights but to signal the session's processes; and, if
// `starts_programs`, to start more of them as the session's user.
absl::Status KeepToSignals(bool starts_programs);

// What commands were given and printed must not be on a disk if this process
// crashes. Programs that it starts from now on have no core dumps, either.
void LeaveNoCore();

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_RIGHTS_H_

#ifndef BERTH_AGENT_LINK_HOLDER_REQUESTS_H_
#define BERTH_AGENT_LINK_HOLDER_REQUESTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/managed_session.h"
#include "agent/sessions/session_journal.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// The holder's Start for a client's; its script goes along as a file.
// INVALID_ARGUMENT: the id is no UUID, or the script is too long.
absl::StatusOr<holder::v1::Request> MakeStartRequest(
    const v1::StartCommand& start);

// ALREADY_EXISTS: the journal knows command `number` by the same id, and it has
// another text than the one with this digest, or this script.
absl::Status CheckSameDigest(uint64_t number, const JournalCommand& command,
                             absl::string_view digest);
absl::Status CheckSameText(uint64_t number, const JournalCommand& command,
                           absl::string_view script);

// The number of a command, by the session's journal. NOT_FOUND: there is none.
absl::StatusOr<uint64_t> FindCommand(const std::string& directory,
                                     absl::string_view command_id);

// Notes what a client got of a session that has ended: there is no holder any
// more to do it.
void AcknowledgeEnded(const ManagedSession& session,
                      const holder::v1::Ack& ack);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_HOLDER_REQUESTS_H_

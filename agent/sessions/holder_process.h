#ifndef BERTH_AGENT_SESSIONS_HOLDER_PROCESS_H_
#define BERTH_AGENT_SESSIONS_HOLDER_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/holder/identity_file.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::agent {

// Kills the holder, if that very process runs, and every process of the
// shell's terminal session (that of `shell_pid`, 0 if not known).
void KillHolder(const holder::HolderIdentity& identity, pid_t shell_pid);

// Waits until the holder's process has ended. False if it lives on.
bool WaitForExit(const holder::HolderIdentity& identity, absl::Duration limit);

// What starts a holder within a PAM session: see agent/login.
struct Login {
  std::string program;  // Path of berth-login.
  std::string service;
  std::string user;
};

// Starts a holder, detached: it outlives this process. Returns what it said
// once its shell was ready. FAILED_PRECONDITION: the shell can't host
// sessions, and why. DEADLINE_EXCEEDED: it said nothing in time, and was
// killed. Any thread.
absl::StatusOr<holder::v1::HolderStarted> StartHolder(
    const std::string& binary, const holder::v1::HolderStart& start,
    absl::Duration limit, const std::optional<Login>& login = std::nullopt);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLDER_PROCESS_H_

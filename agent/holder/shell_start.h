#ifndef BERTH_AGENT_HOLDER_SHELL_START_H_
#define BERTH_AGENT_HOLDER_SHELL_START_H_

#include "absl/status/statusor.h"
#include "agent/login/login_rights.h"
#include "agent/shell/shell_factory.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// The shell that a session is to have. Raises this process's limit of open
// files, which a holder needs more of than a shell; the shell keeps what it
// had. INVALID_ARGUMENT: no shell of a known kind.
absl::StatusOr<shell::ShellOptions> ShellOptionsOf(
    const v1::HolderStart& start);

// Gives the shell what a login session is to give it, beside what it has: the
// umask, variables that are not set, limits that are lower. The holder itself
// has none of that. `restricted`: no variables, since they are its user's.
void GiveLogin(const agent::LoginRights& rights, bool restricted,
               shell::TerminalProcessOptions& process);

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_SHELL_START_H_

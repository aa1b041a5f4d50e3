#include "cli/install/fleet_side.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/commands/nested.h"
#include "cli/commands/run.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(1);

// Refusals that the computer, or a policy, decided on: so it answered.
bool IsRule(const absl::Status& status) {
  return absl::IsPermissionDenied(status) ||
         absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
}

}  // namespace

absl::StatusOr<std::map<std::string, v1::Computer>> FleetSide::Computers() {
  v1::ListComputersResponse response;
  BERTH_RETURN_IF_ERROR(Call(connection_, invocation_.signals(),
                             connection_.computers(),
                             &v1::Computers::Stub::ListComputers,
                             v1::ListComputersRequest(), response));
  std::map<std::string, v1::Computer> computers;
  for (v1::Computer& computer : *response.mutable_computers()) {
    std::string name = computer.name();
    computers.emplace(std::move(name), std::move(computer));
  }
  return computers;
}

absl::StatusOr<FleetSide::Token> FleetSide::CreateToken(
    const std::string& name, absl::Duration lifetime) {
  v1::CreateJoinTokenRequest request;
  request.set_name_pattern(name);
  request.set_max_uses(1);
  *request.mutable_lifetime() = ToProto(lifetime);
  v1::CreateJoinTokenResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection_, invocation_.signals(), connection_.admin(),
           &v1::Admin::Stub::CreateJoinToken, request, response));
  return Token{response.id(), response.token()};
}

void FleetSide::RemoveToken(const Token& token) {
  v1::RemoveJoinTokenRequest request;
  request.set_id(token.id);
  v1::RemoveJoinTokenResponse response;
  // It ends by itself soon, so nobody is told if this fails.
  Call(connection_, invocation_.signals(), connection_.admin(),
       &v1::Admin::Stub::RemoveJoinToken, request, response)
      .IgnoreError();
}

absl::Status FleetSide::WaitOnline(const std::string& name,
                                   absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  absl::Duration pause = kFirstPause;
  while (true) {
    v1::ListComputersRequest request;
    request.add_names(name);
    v1::ListComputersResponse response;
    const absl::Status status =
        Call(connection_, invocation_.signals(), connection_.computers(),
             &v1::Computers::Stub::ListComputers, request, response);
    if (status.ok() && response.computers_size() == 1 &&
        response.computers(0).state() == v1::COMPUTER_STATE_ONLINE) {
      return absl::OkStatus();
    }
    if (invocation_.signals().left()) {
      return absl::CancelledError("interrupted");
    }
    if (MonotonicNow() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "installed, but '", name,
          "' has not come online: can it reach the broker? Its agent's log "
          "says more: journalctl -u berth-agent, or agent.log in its state "
          "directory"));
    }
    pollfd left = {invocation_.signals().left_fd(), POLLIN, 0};
    poll(&left, 1, static_cast<int>(absl::ToInt64Milliseconds(pause)));
    pause = std::min(pause * 1.5, kLongestPause);
  }
}

absl::StatusOr<std::string> FleetSide::Prove(const std::string& name) {
  v1::CreateSessionRequest request;
  request.set_computer(name);
  request.set_name("berth-install");
  request.set_instance_id(NewUuid());
  v1::CreateSessionResponse response;
  const absl::Status made =
      Call(connection_, invocation_.signals(), connection_.sessions(),
           &v1::Sessions::Stub::CreateSession, request, response);
  if (IsRule(made)) {
    return absl::StrCat("it answers, but you get no session there: ",
                        EscapeForTerminal(made.message()));
  }
  BERTH_RETURN_IF_ERROR(made);
  const absl::Status ran = RunTrue(request.instance_id());
  v1::RemoveSessionRequest remove;
  remove.mutable_session()->set_instance_id(request.instance_id());
  v1::RemoveSessionResponse removed;
  const absl::Status gone =
      Call(connection_, invocation_.signals(), connection_.sessions(),
           &v1::Sessions::Stub::RemoveSession, remove, removed);
  BERTH_RETURN_IF_ERROR(ran);
  BERTH_RETURN_IF_ERROR(gone);
  return "";
}

absl::Status FleetSide::RunTrue(const std::string& instance_id) {
  const Nested run =
      RunNested(invocation_, RunRun,
                {"-s", instance_id, "--timeout", "60s", "--", "true"});
  if (run.exit_status == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("'true' in a session there ended with ", run.exit_status,
                   ": ", absl::StripAsciiWhitespace(run.err)));
}

}  // namespace berth::cli

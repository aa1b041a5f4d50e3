#include "cli/install/fleet_side.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/commands/cp.h"
#include "cli/commands/nested.h"
#include "cli/commands/run.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
// For `true`, on whatever computer.
constexpr absl::Duration kTrue = absl::Minutes(1);
// The broker may not have noticed yet that an agent went away.
constexpr int kAttempts = 5;
constexpr size_t kMaxReason = 600;

// What a command said, for a table: its end says most.
std::string OneLine(absl::string_view said) {
  std::string text = absl::StrJoin(
      absl::StrSplit(absl::StripAsciiWhitespace(said), '\n'), "; ");
  return text.size() <= kMaxReason
             ? text
             : "..." + text.substr(text.size() - kMaxReason);
}

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

absl::Status FleetSide::WhileItComesBack(
    const std::string& name, const std::function<absl::Status()>& work) {
  absl::Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    status = work();
    if (!absl::IsUnavailable(status)) return status;
    BERTH_RETURN_IF_ERROR(WaitOnline(name, kTrue));
  }
  return status;
}

absl::StatusOr<std::string> FleetSide::MakeSession(const std::string& computer,
                                                   const std::string& name,
                                                   const std::string& run_as) {
  v1::CreateSessionRequest request;
  request.set_computer(computer);
  request.set_name(name);
  request.set_run_as(run_as);
  request.set_instance_id(NewUuid());
  v1::CreateSessionResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection_, invocation_.signals(), connection_.sessions(),
           &v1::Sessions::Stub::CreateSession, request, response));
  return request.instance_id();
}

absl::Status FleetSide::RemoveSession(const std::string& instance_id) {
  v1::RemoveSessionRequest request;
  request.mutable_session()->set_instance_id(instance_id);
  v1::RemoveSessionResponse response;
  return Call(connection_, invocation_.signals(), connection_.sessions(),
              &v1::Sessions::Stub::RemoveSession, request, response);
}

absl::StatusOr<std::string> FleetSide::RunIn(const std::string& instance_id,
                                             const std::string& script,
                                             absl::Duration limit) {
  std::vector<std::string> words = {"-s", instance_id};
  if (!context_.empty()) words.insert(words.end(), {"--context", context_});
  words.insert(words.end(), {"--", script});
  const Nested run = RunNested(invocation_, RunRun, std::move(words), limit);
  if (run.exit_status == 0) return run.out;
  return absl::InternalError(
      absl::StrCat(OneLine(run.err.empty() ? run.out : run.err),
                   " (exit status ", run.exit_status, ")"));
}

absl::Status FleetSide::CopyTo(const std::string& instance_id,
                               const std::vector<std::string>& files,
                               const std::string& folder,
                               absl::Duration limit) {
  std::vector<std::string> words = {"-q"};
  if (!context_.empty()) words.insert(words.end(), {"--context", context_});
  words.push_back("--");
  words.insert(words.end(), files.begin(), files.end());
  words.push_back(absl::StrCat(instance_id, ":", folder, "/"));
  const Nested copy = RunNested(invocation_, RunCp, std::move(words), limit);
  if (copy.exit_status == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("copy: ", OneLine(copy.err)));
}

absl::StatusOr<std::string> FleetSide::Prove(const std::string& name) {
  absl::StatusOr<std::string> session;
  const absl::Status made = WhileItComesBack(name, [&] {
    session = MakeSession(name, "berth-install", "");
    return session.status();
  });
  if (IsRule(made)) {
    return absl::StrCat("it answers, but you get no session there: ",
                        made.message());
  }
  BERTH_RETURN_IF_ERROR(made);
  const absl::StatusOr<std::string> ran = RunIn(*session, "true", kTrue);
  const absl::Status gone = RemoveSession(*session);
  if (!ran.ok()) {
    return absl::InternalError(absl::StrCat(
        "'true' in a session there failed: ", ran.status().message()));
  }
  BERTH_RETURN_IF_ERROR(gone);
  return "";
}

}  // namespace berth::cli

#include "broker/services/session_requests.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/end_reason.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::broker {
namespace {

constexpr absl::Duration kMinIdleTimeout = absl::Seconds(60);
constexpr size_t kMaxClientName = 200;
constexpr int kMaxVariables = 256;
constexpr size_t kMaxPath = 4096;
constexpr size_t kMaxAccount = 256;
constexpr size_t kMaxEnvironmentBytes = 64 << 10;

bool IsVariableName(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name[0])) return false;
  for (char c : name) {
    if (!absl::ascii_isalnum(c) && c != '_') return false;
  }
  return true;
}

absl::Status CheckEnvironment(const v1::CreateSessionRequest& request) {
  if (request.environment_size() > kMaxVariables) {
    return absl::InvalidArgumentError(
        absl::StrCat("the environment has ", request.environment_size(),
                     " variables, ", kMaxVariables, " at most"));
  }
  size_t bytes = 0;
  for (const auto& [name, value] : request.environment()) {
    bytes += name.size() + value.size();
    if (!IsVariableName(name) || absl::StrContains(value, '\0')) {
      return absl::InvalidArgumentError(
          absl::StrCat("bad environment variable '",
                       EscapeForTerminal(name.substr(0, 80)), "'"));
    }
    if (absl::StartsWith(name, "LD_") || name == "BASH_ENV" || name == "ENV") {
      return absl::InvalidArgumentError(absl::StrCat(
          "environment variable '", name,
          "' is refused: it would run code outside the session's shell"));
    }
  }
  if (bytes > kMaxEnvironmentBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the environment takes ", bytes, " bytes, ",
                     kMaxEnvironmentBytes, " at most"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckClient(const v1::Client& client, bool required) {
  if (client.id().empty() && !required) return absl::OkStatus();
  if (client.id().empty()) {
    return absl::InvalidArgumentError(
        "the request carries no client: set client.id, a UUID");
  }
  if (!IsUuid(client.id())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "client id '", EscapeForTerminal(client.id().substr(0, 80)),
        "' is no UUID in lower case"));
  }
  if (client.name().size() > kMaxClientName) {
    return absl::InvalidArgumentError(
        absl::StrCat("the client's name has ", client.name().size(), " bytes, ",
                     kMaxClientName, " at most"));
  }
  return absl::OkStatus();
}

absl::Status CheckIdleTimeout(const google::protobuf::Duration& timeout) {
  const absl::Duration given = FromProto(timeout);
  if (given >= kMinIdleTimeout) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "idle timeout ", absl::FormatDuration(given), " is too short: at least ",
      absl::FormatDuration(kMinIdleTimeout)));
}

absl::Status CheckCreate(const v1::CreateSessionRequest& request) {
  if (!request.name().empty()) {
    BERTH_RETURN_IF_ERROR(CheckName("session name", request.name()));
  }
  if (request.has_idle_timeout()) {
    BERTH_RETURN_IF_ERROR(CheckIdleTimeout(request.idle_timeout()));
  }
  if (!request.instance_id().empty() && !IsUuid(request.instance_id())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "instance id '", EscapeForTerminal(request.instance_id().substr(0, 80)),
        "' is no UUID in lower case"));
  }
  BERTH_RETURN_IF_ERROR(
      CheckClient(request.client(), /*required=*/request.temporary()));
  if (request.never_idles() && request.has_idle_timeout()) {
    return absl::InvalidArgumentError(
        "the request carries an idle timeout, and asks for none");
  }
  if (request.cwd().size() > kMaxPath) {
    return absl::InvalidArgumentError(
        absl::StrCat("the first directory has ", request.cwd().size(),
                     " bytes, ", kMaxPath, " at most"));
  }
  if (request.run_as().size() > kMaxAccount) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the account to run as has a name of ", request.run_as().size(),
        " bytes, ", kMaxAccount, " at most"));
  }
  return CheckEnvironment(request);
}

std::string Describe(const v1::Session& session) {
  return absl::StrCat("session ", session.id(), " ('", session.name(),
                      "') on '", session.computer(), "'");
}

absl::Status CheckLives(const v1::Session& session) {
  if (!session.has_end()) return absl::OkStatus();
  const std::string at =
      absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(session.end().at()),
                       absl::LocalTimeZone());
  return absl::FailedPreconditionError(absl::StrCat(
      Describe(session), " ended at ", at, " (",
      EndReasonText(session.end().reason()), "); `berth receive ", session.id(),
      "` shows its output, `berth rm ", session.id(), "` forgets it"));
}

}  // namespace berth::broker

#include "broker/services/audit_verbs.h"

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace berth::broker {
namespace {

// Empty: allowed calls are not audited.
const absl::flat_hash_map<absl::string_view, absl::string_view>& Verbs() {
  static const auto* verbs =
      new absl::flat_hash_map<absl::string_view, absl::string_view>{
          {"/berth.v1.Sessions/CreateSession", "create"},
          {"/berth.v1.Sessions/ConnectSession", "connect"},
          {"/berth.v1.Sessions/DisconnectSession", "disconnect"},
          {"/berth.v1.Sessions/RemoveSession", "remove"},
          {"/berth.v1.Sessions/ListSessions", ""},
          {"/berth.v1.Sessions/WatchSessions", ""},
          {"/berth.v1.Sessions/Hold", ""},
          {"/berth.v1.Computers/ListComputers", ""},
          {"/berth.v1.Computers/ListConfigurations", ""},
          {"/berth.v1.Admin/GetBrokerStatus", ""},
          {"/berth.v1.Admin/ListJoinTokens", ""},
          {"/berth.v1.Approvals/RequestApproval", "approval.request"},
          {"/berth.v1.Approvals/DecideApproval", "approval.decide"},
          {"/berth.v1.Approvals/WithdrawApproval", "approval.withdraw"},
          {"/berth.v1.Approvals/ListApprovals", ""},
          {"/berth.v1.Approvals/WaitForApproval", ""},
          {"/berth.v1.Gateway/CheckKey", ""},
          {"/berth.v1.Gateway/Login", "gateway.login"},
          {"/berth.v1.Users/ListUsers", ""},
          {"/berth.v1.Users/ListCertificates", ""},
          {"/berth.v1.Users/ListUserTokens", ""},
          {"/berth.v1.Users/GetTrust", ""},
          {"/berth.v1.Audit/GetAuditStatus", ""},
          {"/berth.v1.Audit/SearchAudit", "audit.search"},
          {"/berth.v1.Audit/TailAudit", "audit.tail"},
          {"/berth.v1.Audit/VerifyAudit", "audit.verify"},
          {"/berth.v1.Recordings/ListRecordings", ""},
          // By the services, which know whose they are.
          {"/berth.v1.Recordings/ReadRecording", ""},
          {"/berth.v1.Recordings/VerifyRecording", "recording.verify"},
          {"/berth.v1.Recordings/RedactRecording", "recording.redact"},
          {"/berth.link.v1.Recorder/StoreSegment", ""},
          // Up and down, rather than the attempt.
          {"/berth.link.v1.Link/Control", ""},
          // Part of a client's call, which is.
          {"/berth.link.v1.Link/Call", ""},
      };
  return *verbs;
}

}  // namespace

bool IsAudited(absl::string_view method) {
  if (absl::StartsWith(method, "/grpc.")) return false;
  auto verb = Verbs().find(method);
  return verb == Verbs().end() || !verb->second.empty();
}

bool IsListed(absl::string_view method) {
  static const auto* listed = new absl::flat_hash_set<absl::string_view>{
      "/berth.v1.Sessions/ListSessions",
      "/berth.v1.Sessions/WatchSessions",
      "/berth.v1.Computers/ListComputers",
      "/berth.v1.Computers/ListConfigurations",
      "/berth.v1.Admin/GetBrokerStatus",
      "/berth.v1.Admin/ListJoinTokens",
      "/berth.v1.Approvals/ListApprovals",
      "/berth.v1.Users/ListUsers",
      "/berth.v1.Users/ListCertificates",
      "/berth.v1.Audit/GetAuditStatus",
      "/berth.v1.Recordings/ListRecordings",
  };
  return listed->contains(method);
}

std::string AuditVerb(absl::string_view method) {
  auto verb = Verbs().find(method);
  if (verb != Verbs().end() && !verb->second.empty()) {
    return std::string(verb->second);
  }
  // Of the last part, as long as a name may be: anybody can ask for anything.
  const size_t slash = method.rfind('/');
  std::string name;
  for (const char c : method.substr(slash + 1, 40)) {
    if (absl::ascii_isupper(c) && !name.empty()) name += '-';
    name += absl::ascii_tolower(c);
  }
  return name;
}

}  // namespace berth::broker

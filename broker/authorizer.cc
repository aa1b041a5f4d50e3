#include "broker/authorizer.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

// Who may call a method.
enum class Right { kAnybody, kAnyCertificate, kUser, kAdmin, kAgent, kGateway };

const absl::flat_hash_map<absl::string_view, Right>& Table() {
  static const auto* table = new absl::flat_hash_map<absl::string_view, Right>{
      {"/berth.v1.Sessions/CreateSession", Right::kUser},
      {"/berth.v1.Sessions/ListSessions", Right::kUser},
      {"/berth.v1.Sessions/ConnectSession", Right::kUser},
      {"/berth.v1.Sessions/DisconnectSession", Right::kUser},
      {"/berth.v1.Sessions/RemoveSession", Right::kUser},
      {"/berth.v1.Sessions/Hold", Right::kUser},
      {"/berth.v1.Sessions/Run", Right::kUser},
      {"/berth.v1.Sessions/Receive", Right::kUser},
      {"/berth.v1.Sessions/Enter", Right::kUser},
      {"/berth.v1.Sessions/WatchSessions", Right::kUser},
      {"/berth.v1.Files/Copy", Right::kUser},
      {"/berth.v1.Computers/ListComputers", Right::kUser},
      {"/berth.v1.Computers/ListConfigurations", Right::kUser},
      {"/berth.v1.Users/AddUser", Right::kAdmin},
      {"/berth.v1.Users/ListUsers", Right::kAdmin},
      {"/berth.v1.Users/SetUserLocked", Right::kAdmin},
      {"/berth.v1.Users/RemoveUser", Right::kAdmin},
      {"/berth.v1.Users/AddUserKey", Right::kAdmin},
      {"/berth.v1.Users/RemoveUserKey", Right::kAdmin},
      {"/berth.v1.Users/ListCertificates", Right::kAdmin},
      {"/berth.v1.Users/RevokeCertificates", Right::kAdmin},
      {"/berth.v1.Users/RenewCertificate", Right::kUser},
      {"/berth.v1.Users/LogOut", Right::kUser},
      {"/berth.v1.Users/CreateUserToken", Right::kAdmin},
      {"/berth.v1.Users/ListUserTokens", Right::kAdmin},
      {"/berth.v1.Users/RemoveUserToken", Right::kAdmin},
      // Whoever comes with a token has no certificate yet.
      {"/berth.v1.Users/LogInWithToken", Right::kAnybody},
      {"/berth.v1.Users/GetTrust", Right::kAnyCertificate},
      {"/berth.v1.Admin/ListJoinTokens", Right::kAdmin},
      {"/berth.v1.Admin/RemoveJoinToken", Right::kAdmin},
      {"/berth.v1.Admin/CreateJoinToken", Right::kAdmin},
      {"/berth.v1.Admin/IssueUserCertificate", Right::kAdmin},
      {"/berth.v1.Admin/GetBrokerStatus", Right::kAdmin},
      // The role that a request is about says who decides on it.
      {"/berth.v1.Approvals/RequestApproval", Right::kUser},
      {"/berth.v1.Approvals/ListApprovals", Right::kUser},
      {"/berth.v1.Approvals/DecideApproval", Right::kUser},
      {"/berth.v1.Approvals/WithdrawApproval", Right::kUser},
      {"/berth.v1.Approvals/WaitForApproval", Right::kUser},
      {"/berth.v1.Policies/ApplyPolicy", Right::kAdmin},
      {"/berth.v1.Policies/GetPolicy", Right::kAdmin},
      {"/berth.v1.Policies/ListPolicyVersions", Right::kAdmin},
      {"/berth.v1.Policies/RollBackPolicy", Right::kAdmin},
      // Of others only administrators; Access sees to it.
      {"/berth.v1.Policies/CanI", Right::kUser},
      {"/berth.v1.Policies/WhoCan", Right::kAdmin},
      {"/berth.v1.Audit/GetAuditStatus", Right::kAdmin},
      {"/berth.v1.Audit/SearchAudit", Right::kAdmin},
      {"/berth.v1.Audit/TailAudit", Right::kAdmin},
      {"/berth.v1.Audit/VerifyAudit", Right::kAdmin},
      // Whose recordings, the service sees to.
      {"/berth.v1.Recordings/ListRecordings", Right::kUser},
      {"/berth.v1.Recordings/ReadRecording", Right::kUser},
      {"/berth.v1.Recordings/VerifyRecording", Right::kUser},
      {"/berth.v1.Recordings/RedactRecording", Right::kAdmin},
      {"/berth.v1.Gateway/CheckKey", Right::kGateway},
      {"/berth.v1.Gateway/Login", Right::kGateway},
      {"/berth.link.v1.Recorder/StoreSegment", Right::kAgent},
      // Whoever enrols has no certificate yet, but a join token.
      {"/berth.link.v1.Link/Enroll", Right::kAnybody},
      {"/berth.link.v1.Link/Renew", Right::kAgent},
      {"/berth.link.v1.Link/Control", Right::kAgent},
      {"/berth.link.v1.Link/Call", Right::kAgent},
      {"/grpc.health.v1.Health/Check", Right::kAnyCertificate},
      {"/grpc.health.v1.Health/Watch", Right::kAnyCertificate},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       Right::kAnyCertificate},
  };
  return *table;
}

absl::Status WrongPurpose(const Identity& caller, absl::string_view method,
                          Purpose wanted) {
  return absl::PermissionDeniedError(
      absl::StrCat("the certificate of ", PurposeName(caller.purpose), " '",
                   caller.name, "' can't call ", method,
                   ": that takes one of purpose '", PurposeName(wanted), "'"));
}

}  // namespace

bool Authorizer::Knows(absl::string_view method) {
  return Table().contains(method);
}

absl::Status Authorizer::Check(absl::string_view method,
                               const absl::StatusOr<Identity>& caller) const {
  auto entry = Table().find(method);
  if (entry != Table().end() && entry->second == Right::kAnybody) {
    return absl::OkStatus();
  }
  if (!caller.ok()) return caller.status();
  if (entry == Table().end()) {
    return absl::PermissionDeniedError(
        "this broker offers no such method; is the client newer than it?");
  }
  switch (entry->second) {
    case Right::kAnybody:
    case Right::kAnyCertificate:
      return absl::OkStatus();
    case Right::kAgent:
      if (caller->purpose == Purpose::kAgent) return absl::OkStatus();
      return WrongPurpose(*caller, method, Purpose::kAgent);
    case Right::kGateway:
      if (caller->purpose == Purpose::kGateway) return absl::OkStatus();
      return WrongPurpose(*caller, method, Purpose::kGateway);
    case Right::kUser:
    case Right::kAdmin:
      break;
  }
  if (caller->purpose != Purpose::kUser) {
    return WrongPurpose(*caller, method, Purpose::kUser);
  }
  if (entry->second == Right::kAdmin && !is_admin_(caller->name)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "user '", caller->name,
        "' is no administrator; ask one for a role with 'admin' (`berth "
        "admin policy`)"));
  }
  return absl::OkStatus();
}

}  // namespace berth::broker

#include "broker/services/users_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "broker/ca/join_token.h"
#include "broker/services/caller.h"

namespace berth::broker {
namespace {

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

std::string Format(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

grpc::ServerUnaryReactor* UsersService::Changed(
    grpc::CallbackServerContext* context, const absl::Status& status) {
  if (!status.ok()) return Answer(context, status);
  fleet_.calls().EndRefused();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // Behind the change itself, so with it or after it.
  fleet_.store().Do(
      [](Store&) { return absl::OkStatus(); },
      [reactor](absl::Status kept) {
        if (!kept.ok()) {
          kept = absl::Status(
              kept.code(),
              absl::StrCat("it holds now, but could not be kept yet, and would "
                           "be forgotten if the broker ended: ",
                           kept.message()));
        }
        reactor->Finish(ToGrpcStatus(kept));
      });
  return reactor;
}

grpc::ServerUnaryReactor* UsersService::AddUser(
    grpc::CallbackServerContext* context, const v1::AddUserRequest* request,
    v1::AddUserResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  auto user =
      fleet_.users().Add(request->name(), CallerName(*context), absl::Now());
  if (user.ok()) *response->mutable_user() = *std::move(user);
  return Changed(context, user.status());
}

grpc::ServerUnaryReactor* UsersService::ListUsers(
    grpc::CallbackServerContext* context, const v1::ListUsersRequest*,
    v1::ListUsersResponse* response) {
  for (v1::User& user : fleet_.users().List()) {
    *response->add_users() = std::move(user);
  }
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* UsersService::SetUserLocked(
    grpc::CallbackServerContext* context,
    const v1::SetUserLockedRequest* request,
    v1::SetUserLockedResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const std::string admin = CallerName(*context);
  auto user = fleet_.users().SetLocked(*request, admin, absl::Now());
  if (user.ok()) {
    SPDLOG_WARN("user '{}' {} user '{}'", admin,
                request->locked() ? "locks" : "unlocks", user->name());
    *response->mutable_user() = *std::move(user);
  }
  return Changed(context, user.status());
}

grpc::ServerUnaryReactor* UsersService::RemoveUser(
    grpc::CallbackServerContext* context, const v1::RemoveUserRequest* request,
    v1::RemoveUserResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const std::string admin = CallerName(*context);
  const auto revoked =
      fleet_.users().Remove(request->name(), admin, absl::Now());
  if (revoked.ok()) {
    SPDLOG_WARN("user '{}' removes user '{}'", admin, request->name());
    fleet_.user_tokens().RemoveOf(request->name());
    response->set_revoked(*revoked);
  }
  return Changed(context, revoked.status());
}

grpc::ServerUnaryReactor* UsersService::AddUserKey(
    grpc::CallbackServerContext* context, const v1::AddUserKeyRequest* request,
    v1::AddUserKeyResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  auto key = fleet_.users().AddKey(*request, CallerName(*context), absl::Now());
  if (key.ok()) *response->mutable_key() = *std::move(key);
  return Changed(context, key.status());
}

grpc::ServerUnaryReactor* UsersService::RemoveUserKey(
    grpc::CallbackServerContext* context,
    const v1::RemoveUserKeyRequest* request, v1::RemoveUserKeyResponse*) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  return Changed(context, fleet_.users().RemoveKey(*request));
}

grpc::ServerUnaryReactor* UsersService::ListCertificates(
    grpc::CallbackServerContext* context,
    const v1::ListCertificatesRequest* request,
    v1::ListCertificatesResponse* response) {
  for (v1::IssuedCertificate& found : fleet_.users().Certificates(*request)) {
    *response->add_certificates() = std::move(found);
  }
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* UsersService::RevokeCertificates(
    grpc::CallbackServerContext* context,
    const v1::RevokeCertificatesRequest* request,
    v1::RevokeCertificatesResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const auto caller = PeerCertificate(*context->auth_context());
  if (!caller.ok()) return Answer(context, caller.status());
  auto revoked = fleet_.users().Revoke(*request, **caller, absl::Now());
  if (revoked.ok()) {
    for (v1::IssuedCertificate& certificate : *revoked) {
      SPDLOG_WARN("user '{}' revokes certificate {} of {} '{}'",
                  (*caller)->identity.name, certificate.serial(),
                  certificate.purpose(), certificate.name());
      *response->add_certificates() = std::move(certificate);
    }
  }
  return Changed(context, revoked.status());
}

absl::Status UsersService::Renew(const CertificateInfo& present,
                                 const v1::RenewCertificateRequest& request,
                                 v1::RenewCertificateResponse& response) {
  const absl::Time now = absl::Now();
  BERTH_RETURN_IF_ERROR(fleet_.users().MayIssue(present.identity, now));
  BERTH_ASSIGN_OR_RETURN(const std::string ca, ca_.KeyId());
  const absl::Time login = fleet_.users().LoginOf(present);
  absl::Time end = std::min(now + (present.expires_at - present.issued_at),
                            login + max_renewal_);
  // The CA has changed: what is left of this one is good with the next, too.
  if (present.issuer != ca) end = std::max(end, present.expires_at);
  if (end <= now ||
      (present.issuer == ca && end <= present.expires_at + absl::Seconds(1))) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the certificate of user '", present.identity.name,
        "' can't be renewed beyond ",
        Format(std::max(login + max_renewal_, present.expires_at)),
        ": that is as long as this broker allows after the login at ",
        Format(login),
        " (`max_renewal` in broker.toml); log in again with "
        "'berth login', or ask an administrator for another ('berth admin "
        "user add')"));
  }
  BERTH_ASSIGN_OR_RETURN(
      std::string certificate,
      ca_.Issue(request.csr_pem(), present.identity, end - now));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo issued,
                         ReadCertificate(certificate));
  fleet_.users().Issued(issued, "renewal", login, "");
  SPDLOG_INFO("user '{}' renews their certificate", present.identity.name);
  *response.mutable_expires_at() = ToProto(issued.expires_at);
  response.set_certificate_pem(std::move(certificate));
  response.set_ca_pem(ca_.trusted_pem());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* UsersService::RenewCertificate(
    grpc::CallbackServerContext* context,
    const v1::RenewCertificateRequest* request,
    v1::RenewCertificateResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const auto caller = PeerCertificate(*context->auth_context());
  return Answer(context, caller.ok() ? Renew(**caller, *request, *response)
                                     : caller.status());
}

grpc::ServerUnaryReactor* UsersService::LogOut(
    grpc::CallbackServerContext* context, const v1::LogOutRequest* request,
    v1::LogOutResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const Identity user{Purpose::kUser, CallerName(*context)};
  const auto revoked =
      fleet_.users().LogOut(request->serial(), user, absl::Now());
  if (revoked.ok()) {
    SPDLOG_INFO("user '{}' logs out", user.name);
    response->set_revoked(*revoked);
  }
  return Changed(context, revoked.status());
}

absl::Status UsersService::MakeToken(const v1::CreateUserTokenRequest& request,
                                     const std::string& admin,
                                     v1::CreateUserTokenResponse& response) {
  BERTH_RETURN_IF_ERROR(fleet_.users().CheckExists(request.user()));
  BERTH_ASSIGN_OR_RETURN(std::string token, NewJoinToken());
  BERTH_ASSIGN_OR_RETURN(*response.mutable_description(),
                         fleet_.user_tokens().Add(TokenDigest(token), request,
                                                  admin, absl::Now()));
  SPDLOG_INFO("user '{}' makes token {} for user '{}'", admin,
              response.description().id(), request.user());
  response.set_token(std::move(token));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* UsersService::CreateUserToken(
    grpc::CallbackServerContext* context,
    const v1::CreateUserTokenRequest* request,
    v1::CreateUserTokenResponse* response) {
  absl::Status status = CheckKept(fleet_, *context);
  if (status.ok())
    status = MakeToken(*request, CallerName(*context), *response);
  return Changed(context, status);
}

grpc::ServerUnaryReactor* UsersService::ListUserTokens(
    grpc::CallbackServerContext* context, const v1::ListUserTokensRequest*,
    v1::ListUserTokensResponse* response) {
  for (v1::UserToken& token : fleet_.user_tokens().List()) {
    *response->add_tokens() = std::move(token);
  }
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* UsersService::RemoveUserToken(
    grpc::CallbackServerContext* context,
    const v1::RemoveUserTokenRequest* request, v1::RemoveUserTokenResponse*) {
  absl::Status status = CheckKept(fleet_, *context);
  if (status.ok()) status = fleet_.user_tokens().Remove(request->id());
  return Changed(context, status);
}

absl::Status UsersService::LogIn(const v1::LogInWithTokenRequest& request,
                                 const std::string& peer,
                                 v1::LogInWithTokenResponse& response) {
  if (request.token().empty()) return absl::InvalidArgumentError("no token");
  const absl::Time now = absl::Now();
  const std::string digest = TokenDigest(request.token());
  BERTH_ASSIGN_OR_RETURN(const std::string name,
                         fleet_.user_tokens().UserOf(digest, now));
  const Identity user{Purpose::kUser, name};
  BERTH_RETURN_IF_ERROR(fleet_.users().MayIssue(user, now));
  BERTH_ASSIGN_OR_RETURN(std::string certificate,
                         ca_.Issue(request.csr_pem(), user, kTokenCertificate));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo issued,
                         ReadCertificate(certificate));
  // Last: what is wrong with the request must not use it.
  BERTH_RETURN_IF_ERROR(fleet_.user_tokens().Use(digest, peer, now));
  fleet_.users().Issued(issued, "token", now, "");
  SPDLOG_INFO("user '{}' logs in from {} with a token", name, peer);
  response.set_user(name);
  *response.mutable_expires_at() = ToProto(issued.expires_at);
  response.set_certificate_pem(std::move(certificate));
  response.set_ca_pem(ca_.trusted_pem());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* UsersService::LogInWithToken(
    grpc::CallbackServerContext* context,
    const v1::LogInWithTokenRequest* request,
    v1::LogInWithTokenResponse* response) {
  // Before the work of looking at a request that anybody can make.
  absl::Status status =
      limiter_.CheckEnrolment(context->peer(), MonotonicNow());
  if (status.ok()) status = CheckKept(fleet_, *context);
  if (status.ok()) status = LogIn(*request, context->peer(), *response);
  // A locked user's: told as to any stranger.
  if (absl::IsFailedPrecondition(status)) {
    status = absl::PermissionDeniedError(status.message());
  }
  return Changed(context, status);
}

grpc::ServerUnaryReactor* UsersService::GetTrust(
    grpc::CallbackServerContext* context, const v1::GetTrustRequest*,
    v1::GetTrustResponse* response) {
  response->set_ca_pem(ca_.trusted_pem());
  return Answer(context, absl::OkStatus());
}

}  // namespace berth::broker

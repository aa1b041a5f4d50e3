#include "broker/services/admin_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/grpc_status.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/identity.h"
#include "base/version.h"
#include "broker/ca/join_token.h"
#include "broker/services/caller.h"

namespace berth::broker {
namespace {

// Of computers, in an answer.
constexpr size_t kMaxNames = 100;

// `given`, or `standard` if nothing is given.
absl::StatusOr<absl::Duration> Lifetime(bool has,
                                        const google::protobuf::Duration& given,
                                        absl::Duration standard,
                                        absl::Duration max) {
  if (!has) return standard;
  const absl::Duration lifetime = FromProto(given);
  if (lifetime >= absl::Seconds(1) && lifetime <= max) return lifetime;
  return absl::InvalidArgumentError(
      absl::StrCat("bad lifetime ", absl::FormatDuration(lifetime),
                   ": from 1s to ", absl::FormatDuration(max)));
}

// Makes the record of a new token, and fills the answer in.
absl::StatusOr<TokenRecord> MakeToken(const v1::CreateJoinTokenRequest& request,
                                      const std::string& user,
                                      v1::CreateJoinTokenResponse& response) {
  BERTH_RETURN_IF_ERROR(CheckTokenPattern(request.name_pattern()));
  BERTH_ASSIGN_OR_RETURN(const absl::Duration lifetime,
                         Lifetime(request.has_lifetime(), request.lifetime(),
                                  kDefaultTokenLifetime, kMaxTokenLifetime));
  if (request.max_uses() > kMaxTokenUses) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad number of uses ", request.max_uses(), ": from 1 to ",
                     kMaxTokenUses));
  }
  BERTH_ASSIGN_OR_RETURN(std::string token, NewJoinToken());
  TokenRecord record{.digest = TokenDigest(token),
                     .name_pattern = request.name_pattern(),
                     .created_by = user,
                     .expires_at = absl::Now() + lifetime,
                     .used_by = "",
                     .used_at = absl::UnixEpoch(),
                     .max_uses = std::max(1u, request.max_uses()),
                     .uses = 0};
  response.set_id(TokenId(record.digest));
  *response.mutable_expires_at() = ToProto(record.expires_at);
  response.set_token(std::move(token));
  return record;
}

v1::JoinToken Describe(const TokenRecord& token) {
  v1::JoinToken described;
  described.set_id(TokenId(token.digest));
  described.set_name_pattern(token.name_pattern);
  described.set_created_by(token.created_by);
  *described.mutable_expires_at() = ToProto(token.expires_at);
  described.set_max_uses(token.max_uses);
  described.set_uses(token.uses);
  if (token.uses > 0) {
    described.set_used_by(token.used_by);
    *described.mutable_used_at() = ToProto(token.used_at);
  }
  return described;
}

absl::Status IssueFor(const CertificateAuthority& ca, UserDirectory& users,
                      const v1::IssueUserCertificateRequest& request,
                      absl::Duration standard_lifetime,
                      const std::string& admin,
                      v1::IssueUserCertificateResponse& response) {
  BERTH_RETURN_IF_ERROR(CheckName("user", request.user()));
  const Identity user{Purpose::kUser, request.user()};
  BERTH_RETURN_IF_ERROR(users.MayIssue(user, absl::Now()));
  BERTH_ASSIGN_OR_RETURN(
      const absl::Duration lifetime,
      Lifetime(request.has_lifetime(), request.lifetime(), standard_lifetime,
               AdminService::kMaxLifetime));
  BERTH_ASSIGN_OR_RETURN(std::string certificate,
                         ca.Issue(request.csr_pem(), user, lifetime));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo issued,
                         ReadCertificate(certificate));
  users.Issued(issued, admin, absl::Now(), admin);
  *response.mutable_expires_at() = ToProto(issued.expires_at);
  response.set_certificate_pem(std::move(certificate));
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::CreateJoinToken(
    grpc::CallbackServerContext* context,
    const v1::CreateJoinTokenRequest* request,
    v1::CreateJoinTokenResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string user = CallerName(*context);
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    reactor->Finish(ToGrpcStatus(kept));
    return reactor;
  }
  auto record = MakeToken(*request, user, *response);
  if (!record.ok()) {
    reactor->Finish(ToGrpcStatus(record.status()));
    return reactor;
  }
  response->set_ca_pem(ca_.trusted_pem());
  SPDLOG_INFO("user '{}' makes join token {} for '{}'", user, response->id(),
              record->name_pattern.empty() ? "*" : record->name_pattern);
  fleet_.store().Do([record = *std::move(record)](
                        Store& store) { return store.AddToken(record); },
                    [reactor](absl::Status status) {
                      reactor->Finish(ToGrpcStatus(status));
                    });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::ListJoinTokens(
    grpc::CallbackServerContext* context,
    const v1::ListJoinTokensRequest* /*request*/,
    v1::ListJoinTokensResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  fleet_.store().Do(
      [response](Store& store) -> absl::Status {
        BERTH_ASSIGN_OR_RETURN(const auto tokens, store.ListTokens());
        for (const TokenRecord& token : tokens) {
          *response->add_tokens() = Describe(token);
        }
        return absl::OkStatus();
      },
      [reactor](absl::Status status) {
        reactor->Finish(ToGrpcStatus(status));
      });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::RemoveJoinToken(
    grpc::CallbackServerContext* context,
    const v1::RemoveJoinTokenRequest* request,
    v1::RemoveJoinTokenResponse* /*response*/) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    reactor->Finish(ToGrpcStatus(kept));
    return reactor;
  }
  fleet_.store().Do(
      [id = request->id()](Store& store) -> absl::Status {
        BERTH_ASSIGN_OR_RETURN(const auto tokens, store.ListTokens());
        for (const TokenRecord& token : tokens) {
          if (TokenId(token.digest) == id) {
            return store.DeleteToken(token.digest);
          }
        }
        return absl::NotFoundError(
            absl::StrCat("no join token '", EscapeForTerminal(id.substr(0, 64)),
                         "'; see 'berth admin token ls'"));
      },
      [reactor](absl::Status status) {
        reactor->Finish(ToGrpcStatus(status));
      });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::IssueUserCertificate(
    grpc::CallbackServerContext* context,
    const v1::IssueUserCertificateRequest* request,
    v1::IssueUserCertificateResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string admin = CallerName(*context);
  absl::Status status = CheckKept(fleet_, *context);
  if (status.ok()) {
    status = IssueFor(ca_, fleet_.users(), *request, user_lifetime_, admin,
                      *response);
  }
  if (status.ok()) {
    SPDLOG_INFO("user '{}' issues a certificate for user '{}'", admin,
                request->user());
  }
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetBrokerStatus(
    grpc::CallbackServerContext* context,
    const v1::GetBrokerStatusRequest* /*request*/,
    v1::GetBrokerStatusResponse* response) {
  response->set_broker_version(kVersion);
  *response->mutable_started_at() = ToProto(fleet_.started_at());
  const absl::Status health = fleet_.store().health();
  if (!health.ok())
    response->set_registry_problem(std::string(health.message()));
  for (const v1::Computer& computer : fleet_.registry().Computers()) {
    response->set_computers(response->computers() + 1);
    response->set_online(response->online() +
                         (computer.state() == v1::COMPUTER_STATE_ONLINE));
  }
  const std::vector<std::string> unheard = fleet_.registry().Unheard();
  response->set_unheard_count(unheard.size());
  for (size_t i = 0; i < std::min(unheard.size(), kMaxNames); ++i) {
    response->add_unheard(unheard[i]);
  }
  for (const NoticeRecord& notice : fleet_.Notices()) {
    v1::BrokerNotice& to = *response->add_notices();
    *to.mutable_at() = ToProto(notice.at);
    to.set_text(notice.text);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace berth::broker

#include "broker/services/link_service.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "base/tls/identity.h"
#include "broker/ca/join_token.h"
#include "broker/relay/relayed_call.h"
#include "broker/services/caller.h"
#include "broker/services/control_stream.h"

namespace berth::broker {
namespace {

constexpr int kMaxLabels = 64;
constexpr size_t kMaxLabelBytes = 256;

absl::Status CheckEnroll(const link::v1::EnrollRequest& request,
                         const Fleet& fleet) {
  BERTH_RETURN_IF_ERROR(CheckName("computer name", request.name()));
  if (request.labels_size() > kMaxLabels) {
    return absl::InvalidArgumentError(
        absl::StrCat("the computer has ", request.labels_size(), " labels, ",
                     kMaxLabels, " at most"));
  }
  for (const auto& [key, value] : request.labels()) {
    if (key.empty() || key.size() > kMaxLabelBytes ||
        value.size() > kMaxLabelBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "bad label '", EscapeForTerminal(key.substr(0, 80)), "': key and ",
          "value take at most ", kMaxLabelBytes, " bytes each"));
    }
  }
  if (fleet.LinkTo(request.name()).ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "a computer named '", request.name(),
        "' is online; choose another name, or stop its agent first"));
  }
  return absl::OkStatus();
}

// The certificate for a computer that enrols, should its token be good. Made
// before the token is spent, because a bad request must not spend it.
absl::StatusOr<std::string> CheckAndIssue(
    const link::v1::EnrollRequest& request, const CertificateAuthority& ca,
    const Fleet& fleet, absl::Duration lifetime) {
  BERTH_RETURN_IF_ERROR(CheckEnroll(request, fleet));
  return ca.Issue(request.csr_pem(), {Purpose::kAgent, request.name()},
                  lifetime);
}

// The call that an agent's stream is for; null if there is none (any more).
std::shared_ptr<RelayedCall> FindCall(
    const Fleet& fleet, const grpc::CallbackServerContext& context) {
  auto connection = fleet.LinkTo(CallerName(context));
  auto metadata = context.client_metadata().find("berth-call-id");
  uint64_t id;
  if (!connection.ok() || metadata == context.client_metadata().end() ||
      !absl::SimpleAtoi(
          absl::string_view(metadata->second.data(), metadata->second.size()),
          &id)) {
    return nullptr;
  }
  // Every call of a link is a RelayedCall.
  return std::static_pointer_cast<RelayedCall>((*connection)->FindCall(id));
}

}  // namespace

grpc::ServerUnaryReactor* LinkService::Enroll(
    grpc::CallbackServerContext* context,
    const link::v1::EnrollRequest* request,
    link::v1::EnrollResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // Before the work of looking at a request that anybody can make.
  absl::Status may = limiter_.CheckEnrolment(context->peer(), MonotonicNow());
  if (may.ok()) may = CheckKept(fleet_, *context);
  if (!may.ok()) {
    reactor->Finish(ToGrpcStatus(may));
    return reactor;
  }
  absl::StatusOr<std::string> certificate =
      CheckAndIssue(*request, ca_, fleet_, agent_lifetime_);
  if (!certificate.ok()) {
    reactor->Finish(ToGrpcStatus(certificate.status()));
    return reactor;
  }
  response->set_certificate_pem(*std::move(certificate));
  response->set_ca_pem(ca_.trusted_pem());
  const absl::Time now = absl::Now();
  ComputerRecord record{
      .name = request->name(),
      .labels = {request->labels().begin(), request->labels().end()},
      .agent_version = "",
      .os = "",
      .enrolled_at = now,
      .last_seen = now};
  fleet_.store().Do(
      [record, digest = TokenDigest(request->token())](Store& store) {
        absl::Status spent =
            SpendToken(store, digest, record.name, record.enrolled_at);
        return spent.ok() ? store.PutComputer(record) : spent;
      },
      [this, reactor, record, response](absl::Status spent) {
        if (spent.ok()) {
          SPDLOG_INFO("computer '{}' enrolled", record.name);
          fleet_.registry().AddComputer(record);
          Note(response->certificate_pem(), "token", absl::Now());
        } else {
          SPDLOG_WARN("computer '{}' was not enrolled: {}", record.name,
                      spent.ToString());
          response->Clear();
        }
        reactor->Finish(ToGrpcStatus(spent));
      });
  return reactor;
}

grpc::ServerUnaryReactor* LinkService::Renew(
    grpc::CallbackServerContext* context, const link::v1::RenewRequest* request,
    link::v1::RenewResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string name = CallerName(*context);
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    reactor->Finish(ToGrpcStatus(kept));
    return reactor;
  }
  const Identity agent{Purpose::kAgent, name};
  const absl::Status may = fleet_.users().MayIssue(agent, absl::Now());
  const absl::StatusOr<std::string> certificate =
      may.ok() ? ca_.Issue(request->csr_pem(), agent, agent_lifetime_)
               : absl::StatusOr<std::string>(may);
  if (certificate.ok()) {
    SPDLOG_INFO("agent '{}' renews its certificate", name);
    const auto present = PeerCertificate(*context->auth_context());
    Note(*certificate, "renewal",
         present.ok() ? fleet_.users().LoginOf(**present) : absl::Now());
    response->set_certificate_pem(*certificate);
    response->set_ca_pem(ca_.trusted_pem());
  }
  reactor->Finish(ToGrpcStatus(certificate.status()));
  return reactor;
}

void LinkService::Note(const std::string& certificate_pem,
                       absl::string_view issued_by, absl::Time login) {
  const auto issued = ReadCertificate(certificate_pem);
  if (issued.ok()) fleet_.users().Issued(*issued, issued_by, login, "");
}

grpc::ServerBidiReactor<link::v1::AgentMessage, link::v1::BrokerMessage>*
LinkService::Control(grpc::CallbackServerContext* context) {
  return new ControlStream(context, fleet_, CallerName(*context),
                           ca_.trusted_pem());
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* LinkService::Call(
    grpc::CallbackServerContext* context) {
  return new AgentLeg(context, fleet_.calls(), FindCall(fleet_, *context));
}

}  // namespace berth::broker

#include "agent/link/enrollment.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/link/channel.h"
#include "base/grpc_status.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::agent {
namespace {

constexpr std::chrono::seconds kDeadline{20};

absl::StatusOr<absl::Time> NotBefore(const std::string& certificate_pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(
      BIO_new_mem_buf(certificate_pem.data(), certificate_pem.size()),
      BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), X509_free);
  tm time{};
  if (certificate == nullptr ||
      ASN1_TIME_to_tm(X509_get0_notBefore(certificate.get()), &time) != 1) {
    return absl::InvalidArgumentError("the certificate can't be read");
  }
  return absl::FromTM(time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<AgentState> Join(const JoinRequest& request) {
  BERTH_RETURN_IF_ERROR(CheckName("computer", request.name));
  AgentState state;
  state.broker = request.broker;
  state.ca_pem = request.ca_pem;
  BERTH_ASSIGN_OR_RETURN(state.key_pem, NewPrivateKeyPem());
  link::v1::EnrollRequest enroll;
  enroll.set_token(request.token);
  enroll.set_name(request.name);
  BERTH_ASSIGN_OR_RETURN(*enroll.mutable_csr_pem(), NewCsrPem(state.key_pem));
  enroll.mutable_labels()->insert(request.labels.begin(), request.labels.end());
  const auto stub = link::v1::Link::NewStub(DialBroker(state));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  link::v1::EnrollResponse response;
  BERTH_RETURN_IF_ERROR(
      FromGrpcStatus(stub->Enroll(&context, enroll, &response)));
  state.certificate_pem = response.certificate_pem();
  // Whoever answered had a certificate of the CA that we were given, so it may
  // add to that.
  if (!response.ca_pem().empty()) state.ca_pem = response.ca_pem();
  BERTH_RETURN_IF_ERROR(ComputerName(state).status());
  return state;
}

absl::StatusOr<absl::Time> RenewalTime(const std::string& certificate_pem) {
  BERTH_ASSIGN_OR_RETURN(const absl::Time from, NotBefore(certificate_pem));
  BERTH_ASSIGN_OR_RETURN(const absl::Time until,
                         CertificateExpiry(certificate_pem));
  return from + (until - from) * 2 / 3;
}

bool IsRenewalDue(const AgentState& state, absl::Time now) {
  const absl::StatusOr<absl::Time> when = RenewalTime(state.certificate_pem);
  if (!when.ok()) return false;  // Of nobody: there is nothing to renew.
  const auto certificate = ReadCertificate(state.certificate_pem);
  const auto issuer = CaKeyId(state.ca_pem);
  return now >= *when ||
         (certificate.ok() && issuer.ok() && certificate->issuer != *issuer);
}

absl::Status Renew(std::shared_ptr<grpc::Channel> channel, AgentState& state) {
  link::v1::RenewRequest request;
  BERTH_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), NewCsrPem(state.key_pem));
  const auto stub = link::v1::Link::NewStub(std::move(channel));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  link::v1::RenewResponse response;
  BERTH_RETURN_IF_ERROR(
      FromGrpcStatus(stub->Renew(&context, request, &response)));
  AgentState renewed = state;
  renewed.certificate_pem = response.certificate_pem();
  if (!response.ca_pem().empty()) renewed.ca_pem = response.ca_pem();
  BERTH_RETURN_IF_ERROR(ComputerName(renewed).status());
  state = std::move(renewed);
  return absl::OkStatus();
}

}  // namespace berth::agent

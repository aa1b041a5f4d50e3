#include "cli/keeper/renewal.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/grpc_status.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "spdlog/spdlog.h"

namespace berth::cli {
namespace {

constexpr std::chrono::seconds kDeadline{20};

// A broker's own directory is not a client's to write in: what the running
// broker trusts may be older than what was just written there.
bool IsBrokers(const std::string& ca_path) {
  const size_t slash = ca_path.rfind('/');
  return slash != std::string::npos &&
         access(absl::StrCat(ca_path.substr(0, slash), "/ca-key.pem").c_str(),
                F_OK) == 0;
}

}  // namespace

absl::StatusOr<absl::Time> RenewalTime(const std::string& certificate_pem) {
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo certificate,
                         ReadCertificate(certificate_pem));
  return certificate.issued_at +
         (certificate.expires_at - certificate.issued_at) * 2 / 3;
}

Renewal::Renewal(std::shared_ptr<Connection> connection, Context context,
                 std::function<void()> renewed)
    : connection_(std::move(connection)),
      context_(std::move(context)),
      renewed_(std::move(renewed)),
      thread_([this] { Loop(); }) {}

Renewal::~Renewal() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (asking_ != nullptr) asking_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

void Renewal::Loop() {
  for (;;) {
    const absl::Duration wait = Look();
    MutexLock lock(mu_);
    if (stopping_) return;
    changed_.WaitFor(mu_, wait);
    if (stopping_) return;
  }
}

absl::Duration Renewal::Look() {
  const absl::StatusOr<bool> trust = TakeTrust();
  const absl::StatusOr<bool> renewed = RenewIfDue();
  Log(trust.ok() ? renewed.status() : trust.status());
  if (trust.value_or(false) || renewed.value_or(false)) {
    const absl::Status dialled = connection_->Redial(context_);
    if (dialled.ok()) {
      renewed_();
    } else {
      Log(dialled);
    }
  }
  absl::Duration wait = trust.ok() && renewed.ok() ? kLook : kRetry;
  const absl::StatusOr<std::string> pem = ReadFile(context_.certificate);
  if (!pem.ok()) return wait;
  const absl::StatusOr<absl::Time> due = RenewalTime(*pem);
  const absl::StatusOr<absl::Time> end = CertificateExpiry(*pem);
  if (!due.ok() || !end.ok()) return wait;
  const absl::Time now = absl::Now();
  // Before it is due: then. Since then: a few times before it ends.
  const absl::Duration next = now < *due ? *due - now : (*end - now) / 4;
  return std::clamp(next, absl::Seconds(1), wait);
}

absl::StatusOr<bool> Renewal::TakeTrust() {
  v1::GetTrustResponse response;
  const absl::Status status =
      Ask(&v1::Users::Stub::GetTrust, v1::GetTrustRequest(), response);
  // A broker of before there was another CA.
  if (absl::IsUnimplemented(status) || absl::IsPermissionDenied(status)) {
    return false;
  }
  BERTH_RETURN_IF_ERROR(status);
  BERTH_ASSIGN_OR_RETURN(const std::string trusted, ReadFile(context_.ca));
  if (response.ca_pem().empty() || response.ca_pem() == trusted ||
      IsBrokers(context_.ca)) {
    return false;
  }
  BERTH_RETURN_IF_ERROR(CaKeyId(response.ca_pem()).status());
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(context_.ca, response.ca_pem(), 0644));
  SPDLOG_INFO("broker {}: trusts other CAs now", connection_->broker());
  return true;
}

absl::StatusOr<bool> Renewal::RenewIfDue() {
  BERTH_ASSIGN_OR_RETURN(const std::string pem, ReadFile(context_.certificate));
  BERTH_ASSIGN_OR_RETURN(const absl::Time due, RenewalTime(pem));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo certificate,
                         ReadCertificate(pem));
  BERTH_ASSIGN_OR_RETURN(const std::string trusted, ReadFile(context_.ca));
  BERTH_ASSIGN_OR_RETURN(const std::string issuer, CaKeyId(trusted));
  if (absl::Now() < due && certificate.issuer == issuer) return false;
  const absl::Status status = Renew();
  // As long as it may be; the broker's word is in the log, and what is said
  // when it has ended names the way out.
  if (absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status)) {
    Log(status);
    return false;
  }
  BERTH_RETURN_IF_ERROR(status);
  return true;
}

absl::Status Renewal::Renew() {
  BERTH_ASSIGN_OR_RETURN(const std::string key, ReadSecretFile(context_.key));
  v1::RenewCertificateRequest request;
  BERTH_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), NewCsrPem(key));
  v1::RenewCertificateResponse response;
  BERTH_RETURN_IF_ERROR(
      Ask(&v1::Users::Stub::RenewCertificate, request, response));
  BERTH_RETURN_IF_ERROR(ReadCertificate(response.certificate_pem()).status());
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(context_.certificate,
                                            response.certificate_pem(), 0644));
  SPDLOG_INFO("broker {}: the certificate was renewed", connection_->broker());
  return absl::OkStatus();
}

template <typename Request, typename Response>
absl::Status Renewal::Ask(grpc::Status (v1::Users::Stub::*method)(
                              grpc::ClientContext*, const Request&, Response*),
                          const Request& request, Response& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  {
    MutexLock lock(mu_);
    if (stopping_) return absl::CancelledError("the keeper ends");
    asking_ = &context;
  }
  const grpc::Status status =
      (connection_->users().*method)(&context, request, &response);
  MutexLock lock(mu_);
  asking_ = nullptr;
  return FromGrpcStatus(status);
}

void Renewal::Log(const absl::Status& status) {
  // One that stays away is one line in the log.
  if (last_error_ == status.message()) return;
  last_error_ = std::string(status.message());
  if (status.ok()) return;
  SPDLOG_INFO("broker {}: the certificate is not renewed: {}",
              connection_->broker(), EscapeForTerminal(status.message()));
}

}  // namespace berth::cli

#include "broker/gateway/logins.h"

#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"

namespace berth::gateway {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr absl::Duration kLook = absl::Minutes(1);
// More than this is left when another is asked for; the broker gives one to who
// has less than half an hour.
constexpr absl::Duration kRenewBefore = absl::Minutes(20);

// The same whenever the gateway starts, so that what a user's client held it
// holds again.
std::string ClientId(const std::string& gateway, const std::string& user) {
  const std::string name = absl::StrCat("berth-gateway\n", gateway, "\n", user);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(),
         hash);
  hash[6] = (hash[6] & 0x0f) | 0x80;  // Version and variant of RFC 9562.
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const std::string hex =
      absl::BytesToHexString({reinterpret_cast<const char*>(hash), 16});
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

}  // namespace

Logins::Logins(std::string broker, std::string public_broker, std::string name,
               const Credentials& credentials)
    : broker_(std::move(broker)),
      public_broker_(std::move(public_broker)),
      name_(std::move(name)),
      stub_(v1::Gateway::NewStub(cli::Connection::MakeChannel(
          broker_, credentials.ca, credentials.certificate, credentials.key))),
      renewal_([this] { Renew(); }) {}

Logins::~Logins() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  renewal_.join();
}

v1::Client Logins::ClientOf(const std::string& user) const {
  v1::Client client;
  client.set_id(ClientId(name_, user));
  client.set_name(absl::StrCat(user, "@gateway-", name_));
  return client;
}

absl::Status Logins::CheckKey(const Claim& claim) {
  v1::CheckKeyRequest request;
  request.set_user(claim.user);
  request.set_fingerprint(claim.fingerprint);
  request.set_address(claim.address);
  v1::CheckKeyResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  return FromGrpcStatus(stub_->CheckKey(&context, request, &response));
}

absl::StatusOr<std::shared_ptr<cli::Connection>> Logins::Ask(
    const Claim& claim) {
  v1::LoginRequest request;
  request.set_user(claim.user);
  request.set_fingerprint(claim.fingerprint);
  request.set_address(claim.address);
  std::shared_ptr<cli::Connection> connection;
  {
    MutexLock lock(mu_);
    const Login& login = logins_[{claim.user, claim.fingerprint}];
    request.set_serial(login.serial);
    connection = login.connection;
  }
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  BERTH_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), NewCsrPem(key));
  v1::LoginResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  BERTH_RETURN_IF_ERROR(
      FromGrpcStatus(stub_->Login(&context, request, &response)));
  if (response.certificate_pem().empty()) {
    if (connection != nullptr) return connection;
    return absl::InternalError("the broker issued no certificate");
  }
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo certificate,
                         ReadCertificate(response.certificate_pem()));
  return Take(claim, certificate.serial, certificate.expires_at,
              cli::Connection::MakeChannel(broker_, response.ca_pem(),
                                           response.certificate_pem(), key));
}

std::shared_ptr<cli::Connection> Logins::Take(
    const Claim& claim, const std::string& serial, absl::Time expires_at,
    std::shared_ptr<grpc::Channel> channel) {
  MutexLock lock(mu_);
  Login& login = logins_[{claim.user, claim.fingerprint}];
  login.claim = claim;
  login.serial = serial;
  login.expires_at = expires_at;
  if (login.connection == nullptr) {
    login.connection = std::make_shared<cli::Connection>(
        std::move(channel), broker_, ClientOf(claim.user));
  } else {
    login.connection->Redial(std::move(channel));
  }
  return login.connection;
}

absl::StatusOr<std::shared_ptr<cli::Connection>> Logins::LogIn(
    const Claim& claim) {
  {
    MutexLock lock(mu_);
    logins_[{claim.user, claim.fingerprint}].used_at = MonotonicNow();
  }
  return Ask(claim);
}

absl::StatusOr<v1::ClientLogin> Logins::Certify(const Claim& claim,
                                                const std::string& csr_pem) {
  v1::LoginRequest request;
  request.set_user(claim.user);
  request.set_fingerprint(claim.fingerprint);
  request.set_address(claim.address);
  request.set_csr_pem(csr_pem);
  request.set_for_client(true);
  v1::LoginResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  BERTH_RETURN_IF_ERROR(
      FromGrpcStatus(stub_->Login(&context, request, &response)));
  // A broker of before there were such gives one of an hour.
  v1::ClientLogin login;
  login.set_user(claim.user);
  login.set_broker(public_broker_);
  login.set_certificate_pem(response.certificate_pem());
  login.set_ca_pem(response.ca_pem());
  *login.mutable_expires_at() = response.expires_at();
  return login;
}

std::vector<Claim> Logins::Due() {
  std::vector<Claim> due;
  const absl::Time now = MonotonicNow();
  MutexLock lock(mu_);
  for (auto it = logins_.begin(); it != logins_.end();) {
    Login& login = it->second;
    if (login.connection.use_count() > 1) login.used_at = now;
    if (now - login.used_at > kKeep) {
      it = logins_.erase(it);
      continue;
    }
    if (login.connection.use_count() > 1 &&
        login.expires_at - absl::Now() < kRenewBefore) {
      due.push_back(login.claim);
    }
    ++it;
  }
  return due;
}

void Logins::Renew() {
  for (;;) {
    {
      const absl::Time next = MonotonicNow() + kLook;
      MutexLock lock(mu_);
      while (!stopping_ && MonotonicNow() < next) {
        changed_.WaitFor(mu_, next - MonotonicNow());
      }
      if (stopping_) return;
    }
    for (const Claim& claim : Due()) {
      const absl::Status status = Ask(claim).status();
      if (status.ok()) continue;
      SPDLOG_WARN("the certificate of user '{}' can't be renewed: {}",
                  claim.user, std::string(status.message()));
    }
  }
}

}  // namespace berth::gateway

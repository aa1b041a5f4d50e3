#include "base/tls/credentials.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"

namespace berth {
namespace {

// gRPC leaves the cipher suites of TLS 1.3 to OpenSSL's defaults, which only a
// configuration can set. "system_default" applies to every context that the
// process makes.
constexpr absl::string_view kOpenSslConfig = R"(
openssl_conf = berth
[berth]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384
)";

// What was read of certificates, since every call asks for its peer's.
class CertificateCache {
 public:
  // A few kilobytes each.
  static constexpr size_t kMost = 20000;

  absl::StatusOr<std::shared_ptr<const CertificateInfo>> Get(
      absl::string_view pem) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      if (auto it = read_.find(pem); it != read_.end()) return it->second;
    }
    absl::StatusOr<CertificateInfo> read = ReadCertificate(std::string(pem));
    if (!read.ok()) return absl::UnauthenticatedError(read.status().message());
    auto certificate =
        std::make_shared<const CertificateInfo>(*std::move(read));
    MutexLock lock(mu_);
    if (read_.size() >= kMost) read_.clear();
    read_.emplace(std::string(pem), certificate);
    return certificate;
  }

 private:
  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<const CertificateInfo>> read_
      ABSL_GUARDED_BY(mu_);
};

CertificateCache& ReadCertificates() {
  static auto& cache = *new CertificateCache;  // Threads may outlive main().
  return cache;
}

// gRPC itself allows TLS 1.2 in every context, over what the configuration
// says, and offers no way to say otherwise but the list of its cipher suites.
// This one takes a secret that both sides share, and none is ever set: so there
// is no cipher suite left below TLS 1.3, whose own are another list.
constexpr char kNoTls12[] = "PSK-AES128-GCM-SHA256";

}  // namespace

void InitTls() {
  setenv("GRPC_SSL_CIPHER_SUITES", kNoTls12, /*overwrite=*/1);
  const int fd = memfd_create("openssl.cnf", MFD_CLOEXEC);
  std::string path = "/dev/null";
  if (fd >= 0 && write(fd, kOpenSslConfig.data(), kOpenSslConfig.size()) ==
                     static_cast<ssize_t>(kOpenSslConfig.size())) {
    path = absl::StrCat("/proc/self/fd/", fd);
  }
  OPENSSL_INIT_SETTINGS* settings = OPENSSL_INIT_new();
  OPENSSL_INIT_set_config_filename(settings, path.c_str());
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, settings);
  OPENSSL_INIT_free(settings);
  if (fd >= 0) close(fd);
}

void InitForBulk(int keep_bytes) {
  // Every page of a block that was mapped anew is a fault and a page to clear.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, keep_bytes);
  // Debian's Abseil looks for deadlocks at each lock that gRPC takes: 3 % of
  // the time, and no help in production.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const std::string& ca_pem, const std::string& cert_pem,
    const std::string& key_pem) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = ca_pem;
  options.pem_key_cert_pairs.push_back({key_pem, cert_pem});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::string& ca_pem, const std::string& cert_pem,
    const std::string& key_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ca_pem;
  options.pem_cert_chain = cert_pem;
  options.pem_private_key = key_pem;
  return grpc::SslCredentials(options);
}

void SetChannelDefaults(grpc::ChannelArguments* arguments) {
  arguments->SetSslTargetNameOverride(kBrokerServerName);
  arguments->SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments->SetMaxSendMessageSize(kMaxMessageBytes);
  arguments->SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  arguments->SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments->SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments->SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // No look-up of service configurations in DNS, and no proxy by accident.
  arguments->SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments->SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
}

absl::StatusOr<std::shared_ptr<const CertificateInfo>> PeerCertificate(
    const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) {
    return absl::UnauthenticatedError(
        "no client certificate was presented; see `berth context`");
  }
  const std::vector<grpc::string_ref> pem =
      context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.size() != 1) {
    return absl::UnauthenticatedError("the client certificate can't be read");
  }
  return ReadCertificates().Get(
      absl::string_view(pem.front().data(), pem.front().size()));
}

absl::StatusOr<Identity> PeerIdentity(const grpc::AuthContext& context) {
  BERTH_ASSIGN_OR_RETURN(const auto certificate, PeerCertificate(context));
  return certificate->identity;
}

}  // namespace berth

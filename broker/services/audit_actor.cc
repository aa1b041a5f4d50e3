#include "broker/services/audit_actor.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/mutex.h"
#include "base/tls/credentials.h"

namespace berth::broker {
namespace {

struct Digest {
  std::string sha256;
  std::string serial;
};

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeCert {
  void operator()(X509* cert) const { X509_free(cert); }
};

Digest DigestOf(absl::string_view pem) {
  std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<X509, FreeCert> cert(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  Digest result;
  if (cert == nullptr) return result;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(cert.get(), EVP_sha256(), digest, &size) == 1) {
    result.sha256 = absl::BytesToHexString(
        absl::string_view(reinterpret_cast<char*>(digest), size));
  }
  BIGNUM* number =
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert.get()), nullptr);
  if (char* hex = number != nullptr ? BN_bn2hex(number) : nullptr) {
    result.serial = absl::AsciiStrToLower(hex);
    OPENSSL_free(hex);
  }
  BN_free(number);
  return result;
}

// Reading a certificate takes longer than all else about an event, and each
// comes again and again.
class Digests {
 public:
  Digest Find(absl::string_view pem) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      auto known = known_.find(pem);
      if (known != known_.end()) return known->second;
    }
    Digest digest = DigestOf(pem);
    MutexLock lock(mu_);
    if (known_.size() >= kMost) known_.clear();
    known_.emplace(pem, digest);
    return digest;
  }

 private:
  static constexpr size_t kMost = 10'000;

  Mutex mu_;
  absl::flat_hash_map<std::string, Digest> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

void SetCaller(const grpc::AuthContext& context, AuditEvent& event) {
  static Digests& digests = *new Digests;
  if (auto identity = PeerIdentity(context); identity.ok()) {
    event.user = identity->name;
    event.purpose = std::string(PurposeName(identity->purpose));
  }
  for (const grpc::string_ref& pem :
       context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    Digest digest = digests.Find(absl::string_view(pem.data(), pem.size()));
    event.certificate = std::move(digest.sha256);
    event.serial = std::move(digest.serial);
    return;
  }
}

AuditEvent AuditEventOf(const grpc::ServerContextBase& context,
                        absl::string_view verb, absl::string_view rpc) {
  AuditEvent event;
  SetCaller(*context.auth_context(), event);
  event.peer = context.peer();
  event.verb = std::string(verb);
  event.rpc = std::string(rpc);
  return event;
}

}  // namespace berth::broker

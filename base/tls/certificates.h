#ifndef BERTH_BASE_TLS_CERTIFICATES_H_
#define BERTH_BASE_TLS_CERTIFICATES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/tls/identity.h"

namespace berth {

// The name in a broker's certificate that its peers verify, whatever address
// they dialled. Only certificates of purpose kBroker carry a server name.
inline constexpr char kBrokerServerName[] = "berth-broker";

// A new ECDSA P-256 private key (PKCS #8, PEM). Secret.
absl::StatusOr<std::string> NewPrivateKeyPem();

// A certificate signing request for `key_pem`. It carries no name: the issuer
// decides who it is for.
absl::StatusOr<std::string> NewCsrPem(const std::string& key_pem);

// Certificates begin this long before they are issued: clocks differ.
inline constexpr absl::Duration kBackdate = absl::Minutes(5);

// What a certificate says.
struct CertificateInfo {
  Identity identity;
  std::string serial;  // Lower case, hexadecimal.
  // Of the CA's key: its subject key identifier, hexadecimal. May be empty.
  std::string issuer;
  absl::Time issued_at;
  absl::Time expires_at;
};

// Reads the certificate of a peer. InvalidArgument unless it names exactly one
// identity, as its only URI, its key may be used for that purpose and for no
// other, and it is no CA's.
//
// A certificate without any of Berth's own usages comes from a CA of before
// there were such. It is taken at its URI and its usage in TLS until it ends;
// the next one has them.
absl::StatusOr<CertificateInfo> ReadCertificate(const std::string& cert_pem);

// When a certificate ends. InvalidArgument if it can't be read.
absl::StatusOr<absl::Time> CertificateExpiry(const std::string& cert_pem);

// Whom a certificate speaks for. InvalidArgument as ReadCertificate().
absl::StatusOr<Identity> CertificateIdentity(const std::string& cert_pem);

// The identifier of the key of a CA's certificate, the first in `ca_pem`; as
// CertificateInfo::issuer of what it issues. InvalidArgument if there is none.
absl::StatusOr<std::string> CaKeyId(const std::string& ca_pem);

// Whether the two have a certificate in common.
bool ShareCertificate(const std::string& one_pem, const std::string& other_pem);

// CertificateAuthority issues the certificates of one fleet. Thread-safe.
class CertificateAuthority {
 public:
  // Makes a new one, valid for 20 years.
  static absl::StatusOr<CertificateAuthority> Create(
      absl::string_view common_name);

  // `trusted_pem`: the CA's certificate, among those of others that are trusted
  // beside it. FailedPrecondition if none belongs to the key.
  static absl::StatusOr<CertificateAuthority> Load(std::string trusted_pem,
                                                   std::string key_pem);

  // Certifies the public key of `csr_pem` for `identity`, from 5 minutes ago
  // (clocks differ) and for `lifetime` from now. InvalidArgument if the
  // request can't be read, is not signed with its key, or is not P-256.
  absl::StatusOr<std::string> Issue(const std::string& csr_pem,
                                    const Identity& identity,
                                    absl::Duration lifetime) const;

  absl::StatusOr<std::string> KeyId() const { return CaKeyId(cert_pem_); }

  // All that are trusted, its own first: what peers need.
  const std::string& trusted_pem() const { return trusted_pem_; }
  // Its own certificate.
  const std::string& cert_pem() const { return cert_pem_; }
  const std::string& key_pem() const { return key_pem_; }

 private:
  CertificateAuthority(std::string trusted_pem, std::string cert_pem,
                       std::string key_pem)
      : trusted_pem_(std::move(trusted_pem)),
        cert_pem_(std::move(cert_pem)),
        key_pem_(std::move(key_pem)) {}

  std::string trusted_pem_;
  std::string cert_pem_;
  std::string key_pem_;
};

}  // namespace berth

#endif  // BERTH_BASE_TLS_CERTIFICATES_H_

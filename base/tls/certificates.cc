#include "base/tls/certificates.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Deleter<X509_free>>;
using CsrPtr = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using ExtensionPtr =
    std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

absl::Status SslError(absl::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return absl::InternalError(
      absl::StrCat(what, ": ", reason != nullptr ? reason : "unknown error"));
}

BioPtr ReadBio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<CertPtr> ParseCertificate(const std::string& pem) {
  BioPtr bio = ReadBio(pem);
  CertPtr cert(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (cert == nullptr) {
    return absl::InvalidArgumentError("not a certificate in PEM form");
  }
  return cert;
}

// The certificates in `pem`, each alone and written the same way.
std::vector<std::string> SplitPem(const std::string& pem) {
  std::vector<std::string> all;
  BioPtr in = ReadBio(pem);
  while (CertPtr cert{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    BioPtr out(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(out.get(), cert.get()) != 1) break;
    all.push_back(Content(out.get()));
  }
  ERR_clear_error();  // The end is one.
  return all;
}

absl::StatusOr<KeyPtr> ParseKey(const std::string& pem) {
  BioPtr bio = ReadBio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError("not a private key in PEM form");
  }
  return key;
}

absl::StatusOr<KeyPtr> ParseRequestKey(const std::string& pem) {
  BioPtr bio = ReadBio(pem);
  CsrPtr csr(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (csr == nullptr) {
    return absl::InvalidArgumentError(
        "not a certificate signing request in PEM form");
  }
  KeyPtr key(X509_REQ_get_pubkey(csr.get()));
  char group[64] = "";
  if (key == nullptr ||
      EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
      std::string(group) != "prime256v1") {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "the certificate signing request has no ECDSA P-256 key");
  }
  if (X509_REQ_verify(csr.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "the certificate signing request is not signed with its own key");
  }
  return key;
}

absl::Status AddExtension(X509* cert, X509* issuer, int nid,
                          const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(cert, extension.get(), -1) != 1) {
    return SslError("certificate extension");
  }
  return absl::OkStatus();
}

absl::Status SetNameAndTimes(X509* cert, absl::string_view common_name,
                             absl::Duration lifetime) {
  X509_set_version(cert, X509_VERSION_3);
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return SslError("random");
  serial[0] &= 0x7f;  // Serial numbers are positive.
  NumberPtr number(BN_bin2bn(serial, sizeof serial, nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert)) ==
          nullptr) {
    return SslError("serial number");
  }
  const absl::Time now = absl::Now();
  ASN1_TIME_set(X509_getm_notBefore(cert), absl::ToTimeT(now - kBackdate));
  ASN1_TIME_set(X509_getm_notAfter(cert), absl::ToTimeT(now + lifetime));
  const std::string name(common_name);
  if (X509_NAME_add_entry_by_txt(
          X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(name.data()),
          static_cast<int>(name.size()), -1, 0) != 1) {
    return SslError("certificate name");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SignedPem(X509* cert, EVP_PKEY* key) {
  if (X509_sign(cert, key, EVP_sha256()) == 0) return SslError("signing");
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), cert) != 1) return SslError("certificate");
  return Content(bio.get());
}

std::string Hex(const ASN1_STRING* bytes) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(bytes)),
      static_cast<size_t>(ASN1_STRING_length(bytes))));
}

absl::StatusOr<absl::Time> ReadTime(const ASN1_TIME* time) {
  tm when = {};
  if (ASN1_TIME_to_tm(time, &when) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate has no end");
  }
  return absl::FromTimeT(timegm(&when));
}

// The certificate's only URI.
absl::StatusOr<Identity> ReadIdentity(const X509* cert) {
  std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr)));
  absl::StatusOr<Identity> identity =
      absl::InvalidArgumentError("the certificate names nobody");
  int uris = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (++uris > 1) {
      return absl::InvalidArgumentError(
          "the certificate names more than one identity");
    }
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    identity = ParseIdentityUri(absl::string_view(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
        static_cast<size_t>(ASN1_STRING_length(uri))));
  }
  return identity;
}

std::string UsageInTls(Purpose purpose) {
  return purpose == Purpose::kBroker ? "1.3.6.1.5.5.7.3.1"   // serverAuth
                                     : "1.3.6.1.5.5.7.3.2";  // clientAuth
}

// Whether the extended key usages are those of `purpose`, and nothing else.
absl::Status CheckUsage(const X509* cert, Purpose purpose) {
  std::unique_ptr<EXTENDED_KEY_USAGE, Deleter<EXTENDED_KEY_USAGE_free>> usages(
      static_cast<EXTENDED_KEY_USAGE*>(
          X509_get_ext_d2i(cert, NID_ext_key_usage, nullptr, nullptr)));
  bool tls = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    char text[128] = "";
    OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(usages.get(), i),
                /*no_name=*/1);
    if (text == UsageInTls(purpose)) {
      tls = true;
    } else if (text != PurposeOid(purpose)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the certificate's key usage (", text, ") is not that of purpose '",
          PurposeName(purpose), "'"));
    }
  }
  if (tls) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the certificate lacks the key usage of purpose '",
                   PurposeName(purpose), "'"));
}

}  // namespace

absl::StatusOr<std::string> NewPrivateKeyPem() {
  KeyPtr key(EVP_EC_gen("P-256"));
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (key == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return SslError("private key");
  }
  return Content(bio.get());
}

absl::StatusOr<std::string> NewCsrPem(const std::string& key_pem) {
  BERTH_ASSIGN_OR_RETURN(KeyPtr key, ParseKey(key_pem));
  CsrPtr csr(X509_REQ_new());
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (X509_REQ_set_pubkey(csr.get(), key.get()) != 1 ||
      X509_REQ_sign(csr.get(), key.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(bio.get(), csr.get()) != 1) {
    return SslError("certificate signing request");
  }
  return Content(bio.get());
}

absl::StatusOr<absl::Time> CertificateExpiry(const std::string& cert_pem) {
  BERTH_ASSIGN_OR_RETURN(CertPtr cert, ParseCertificate(cert_pem));
  return ReadTime(X509_get0_notAfter(cert.get()));
}

absl::StatusOr<Identity> CertificateIdentity(const std::string& cert_pem) {
  BERTH_ASSIGN_OR_RETURN(CertificateInfo certificate,
                         ReadCertificate(cert_pem));
  return std::move(certificate.identity);
}

absl::StatusOr<CertificateInfo> ReadCertificate(const std::string& cert_pem) {
  BERTH_ASSIGN_OR_RETURN(CertPtr cert, ParseCertificate(cert_pem));
  CertificateInfo read;
  BERTH_ASSIGN_OR_RETURN(read.identity, ReadIdentity(cert.get()));
  BERTH_RETURN_IF_ERROR(CheckUsage(cert.get(), read.identity.purpose));
  if (X509_check_ca(cert.get()) != 0) {
    return absl::InvalidArgumentError(
        "the certificate is a CA's, and speaks for nobody");
  }
  const ASN1_INTEGER* serial = X509_get0_serialNumber(cert.get());
  read.serial = Hex(serial);
  if (const ASN1_OCTET_STRING* issuer = X509_get0_authority_key_id(cert.get());
      issuer != nullptr) {
    read.issuer = Hex(issuer);
  }
  BERTH_ASSIGN_OR_RETURN(const absl::Time begin,
                         ReadTime(X509_get0_notBefore(cert.get())));
  read.issued_at = begin + kBackdate;
  BERTH_ASSIGN_OR_RETURN(read.expires_at,
                         ReadTime(X509_get0_notAfter(cert.get())));
  return read;
}

absl::StatusOr<std::string> CaKeyId(const std::string& ca_pem) {
  BERTH_ASSIGN_OR_RETURN(CertPtr cert, ParseCertificate(ca_pem));
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(cert.get());
  if (id == nullptr || X509_check_ca(cert.get()) == 0) {
    return absl::InvalidArgumentError("not the certificate of a CA");
  }
  return Hex(id);
}

bool ShareCertificate(const std::string& one_pem,
                      const std::string& other_pem) {
  const std::vector<std::string> others = SplitPem(other_pem);
  for (const std::string& pem : SplitPem(one_pem)) {
    if (std::find(others.begin(), others.end(), pem) != others.end()) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<CertificateAuthority> CertificateAuthority::Create(
    absl::string_view common_name) {
  BERTH_ASSIGN_OR_RETURN(std::string key_pem, NewPrivateKeyPem());
  BERTH_ASSIGN_OR_RETURN(KeyPtr key, ParseKey(key_pem));
  CertPtr cert(X509_new());
  BERTH_RETURN_IF_ERROR(
      SetNameAndTimes(cert.get(), common_name, absl::Hours(24 * 365 * 20)));
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
  X509_set_pubkey(cert.get(), key.get());
  for (auto [nid, value] :
       {std::pair(NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
        std::pair(NID_key_usage, "critical,keyCertSign,cRLSign"),
        std::pair(NID_subject_key_identifier, "hash")}) {
    BERTH_RETURN_IF_ERROR(AddExtension(cert.get(), cert.get(), nid, value));
  }
  BERTH_ASSIGN_OR_RETURN(std::string cert_pem,
                         SignedPem(cert.get(), key.get()));
  return CertificateAuthority(cert_pem, cert_pem, std::move(key_pem));
}

absl::StatusOr<CertificateAuthority> CertificateAuthority::Load(
    std::string trusted_pem, std::string key_pem) {
  BERTH_ASSIGN_OR_RETURN(KeyPtr key, ParseKey(key_pem));
  const std::vector<std::string> all = SplitPem(trusted_pem);
  std::string own, others;
  for (const std::string& pem : all) {
    BERTH_ASSIGN_OR_RETURN(CertPtr cert, ParseCertificate(pem));
    if (X509_check_private_key(cert.get(), key.get()) == 1) {
      own = pem;
    } else {
      ERR_clear_error();
      others += pem;
    }
  }
  if (all.empty()) {
    return absl::InvalidArgumentError("no certificate in PEM form");
  }
  if (own.empty()) {
    return absl::FailedPreconditionError(
        "the CA's certificate and its key do not belong together");
  }
  return CertificateAuthority(own + others, own, std::move(key_pem));
}

absl::StatusOr<std::string> CertificateAuthority::Issue(
    const std::string& csr_pem, const Identity& identity,
    absl::Duration lifetime) const {
  BERTH_ASSIGN_OR_RETURN(KeyPtr subject_key, ParseRequestKey(csr_pem));
  BERTH_ASSIGN_OR_RETURN(CertPtr issuer, ParseCertificate(cert_pem_));
  BERTH_ASSIGN_OR_RETURN(KeyPtr issuer_key, ParseKey(key_pem_));
  CertPtr cert(X509_new());
  BERTH_RETURN_IF_ERROR(SetNameAndTimes(cert.get(), identity.name, lifetime));
  X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get()));
  X509_set_pubkey(cert.get(), subject_key.get());
  const bool server = identity.purpose == Purpose::kBroker;
  std::string names = absl::StrCat("URI:", ToUri(identity));
  if (server) absl::StrAppend(&names, ",DNS:", kBrokerServerName);
  for (const auto& [nid, value] :
       {std::pair<int, std::string>(NID_basic_constraints, "critical,CA:FALSE"),
        std::pair<int, std::string>(NID_key_usage, "critical,digitalSignature"),
        std::pair<int, std::string>(
            NID_ext_key_usage,
            absl::StrCat(server ? "serverAuth," : "clientAuth,",
                         PurposeOid(identity.purpose))),
        std::pair<int, std::string>(NID_subject_alt_name, names),
        std::pair<int, std::string>(NID_authority_key_identifier, "keyid")}) {
    BERTH_RETURN_IF_ERROR(AddExtension(cert.get(), issuer.get(), nid, value));
  }
  return SignedPem(cert.get(), issuer_key.get());
}

}  // namespace berth

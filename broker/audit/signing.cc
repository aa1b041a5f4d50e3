#include "broker/audit/signing.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/strings/escaping.h"

namespace berth::broker {
namespace {

constexpr size_t kIdDigits = 16;
constexpr size_t kSignatureBytes = 64;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;

BioPtr ReadBio(absl::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

AuditKeyPtr Own(EVP_PKEY* key) { return AuditKeyPtr(key, EVP_PKEY_free); }

bool IsEd25519(const AuditKeyPtr& key) {
  return key != nullptr && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519;
}

std::string IdOf(EVP_PKEY* key) {
  unsigned char raw[32];
  size_t size = sizeof raw;
  if (EVP_PKEY_get_raw_public_key(key, raw, &size) != 1) return "";
  return HexSha256(absl::string_view(reinterpret_cast<char*>(raw), size))
      .substr(0, kIdDigits);
}

const unsigned char* Bytes(absl::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_MD_CTX, FreeContext>;

}  // namespace

std::string HexSha256(absl::string_view data) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(Bytes(data), data.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(digest), sizeof digest));
}

absl::StatusOr<std::string> AuditKey::NewPem() {
  const AuditKeyPtr key = Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (key == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL can't make a key for the audit log");
  }
  return Content(bio.get());
}

absl::StatusOr<AuditKey> AuditKey::Parse(absl::string_view pem) {
  BioPtr bio = ReadBio(pem);
  AuditKey result;
  result.key_ =
      Own(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  BioPtr out(BIO_new(BIO_s_mem()));
  if (!IsEd25519(result.key_) ||
      PEM_write_bio_PUBKEY(out.get(), result.key_.get()) != 1) {
    return absl::InvalidArgumentError("no Ed25519 key in PEM form");
  }
  result.id_ = IdOf(result.key_.get());
  result.public_pem_ = Content(out.get());
  return result;
}

std::string AuditKey::Sign(absl::string_view data) const {
  ContextPtr context(EVP_MD_CTX_new());
  unsigned char signature[kSignatureBytes];
  size_t size = sizeof signature;
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                         key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature, &size, Bytes(data),
                     data.size()) != 1) {
    ERR_clear_error();
    return "";
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(signature), size));
}

absl::StatusOr<AuditPublicKeys> AuditPublicKeys::Parse(absl::string_view pem) {
  AuditPublicKeys result;
  BioPtr bio = ReadBio(pem);
  while (EVP_PKEY* raw =
             PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)) {
    AuditKeyPtr key = Own(raw);
    if (!IsEd25519(key)) {
      return absl::InvalidArgumentError("a key that is not Ed25519");
    }
    result.keys_.push_back({IdOf(key.get()), std::move(key)});
  }
  ERR_clear_error();
  if (result.keys_.empty()) {
    return absl::InvalidArgumentError("no public key in PEM form");
  }
  return result;
}

bool AuditPublicKeys::Has(absl::string_view id) const {
  for (const Key& key : keys_) {
    if (key.id == id) return true;
  }
  return false;
}

bool AuditPublicKeys::Verify(absl::string_view id, absl::string_view data,
                             absl::string_view signature) const {
  if (signature.size() != 2 * kSignatureBytes) return false;
  const std::string raw = absl::HexStringToBytes(signature);
  for (const Key& key : keys_) {
    if (key.id != id) continue;
    ContextPtr context(EVP_MD_CTX_new());
    const bool good = EVP_DigestVerifyInit(context.get(), nullptr, nullptr,
                                           nullptr, key.key.get()) == 1 &&
                      EVP_DigestVerify(context.get(), Bytes(raw), raw.size(),
                                       Bytes(data), data.size()) == 1;
    ERR_clear_error();
    return good;
  }
  return false;
}

}  // namespace berth::broker

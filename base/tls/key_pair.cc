#include "base/tls/key_pair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace berth {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
             BIO_free_all);
}

}  // namespace

absl::Status CheckKeyPair(const std::string& certificate_pem,
                          const std::string& key_pem) {
  const Bio certificate_text = Reader(certificate_pem);
  const Bio key_text = Reader(key_pem);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr),
      X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr),
      EVP_PKEY_free);
  const bool match = certificate != nullptr && key != nullptr &&
                     X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (match) return absl::OkStatus();
  return absl::InvalidArgumentError("the certificate is not for this key");
}

}  // namespace berth

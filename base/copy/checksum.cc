#include "base/copy/checksum.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace berth::copy {
namespace {

EVP_MAC_CTX* NewContext() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "GMAC", nullptr);
  return EVP_MAC_CTX_new(mac);
}

}  // namespace

std::string Checksum::NewKey() {
  std::string key(kKeySize, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), key.size());
  return key;
}

Checksum::Checksum(absl::string_view key) : key_(key), context_(NewContext()) {
  Reset();
}

Checksum::~Checksum() { EVP_MAC_CTX_free(context_); }

void Checksum::Reset() {
  char cipher[] = "AES-128-GCM";
  unsigned char nonce[12] = {};
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, nonce,
                                        sizeof(nonce)),
      OSSL_PARAM_construct_end()};
  EVP_MAC_init(context_, reinterpret_cast<const unsigned char*>(key_.data()),
               key_.size(), parameters);
}

void Checksum::Update(const void* data, size_t size) {
  // Nothing to add would be taken for the end of it.
  if (size == 0) return;
  EVP_MAC_update(context_, static_cast<const unsigned char*>(data), size);
}

void Checksum::UpdateZeros(size_t size) {
  static const char zeros[64 << 10] = {};
  while (size > 0) {
    const size_t part = std::min(size, sizeof(zeros));
    Update(zeros, part);
    size -= part;
  }
}

std::string Checksum::Finish() {
  std::string digest(kSize, '\0');
  size_t size = 0;
  EVP_MAC_final(context_, reinterpret_cast<unsigned char*>(digest.data()),
                &size, digest.size());
  digest.resize(size);
  return digest;
}

}  // namespace berth::copy

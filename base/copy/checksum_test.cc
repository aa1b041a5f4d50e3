#include "base/copy/checksum.h"

#include <openssl/evp.h>

#include <string>

#include "gtest/gtest.h"

namespace berth::copy {
namespace {

// The tag of AES-128-GCM over nothing, with `data` as what is authenticated
// only: what a GMAC is by definition.
std::string Gmac(const std::string& key, const std::string& data) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const unsigned char nonce[12] = {};
  int size = 0;
  EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr,
                     reinterpret_cast<const unsigned char*>(key.data()), nonce);
  if (!data.empty()) {
    EVP_EncryptUpdate(context, nullptr, &size,
                      reinterpret_cast<const unsigned char*>(data.data()),
                      data.size());
  }
  unsigned char none[16];
  EVP_EncryptFinal_ex(context, none, &size);
  std::string tag(16, '\0');
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag.data());
  EVP_CIPHER_CTX_free(context);
  return tag;
}

TEST(ChecksumTest, IsTheGmacHoweverTheBytesCome) {
  const std::string key = "0123456789abcdef";
  const std::string data(100'003, 'x');
  Checksum checksum(key);
  EXPECT_EQ(checksum.Finish(), Gmac(key, ""));
  for (const size_t step : {1ul, 7ul, 16ul, 65'536ul, 200'000ul}) {
    checksum.Reset();
    for (size_t at = 0; at < data.size(); at += step) {
      const std::string part = data.substr(at, step);
      checksum.Update(part.data(), part.size());
      checksum.Update(part.data(), 0);
    }
    EXPECT_EQ(checksum.Finish(), Gmac(key, data)) << step;
  }
}

TEST(ChecksumTest, ZerosAreBytes) {
  const std::string key = Checksum::NewKey();
  Checksum checksum(key);
  checksum.UpdateZeros(200'001);
  EXPECT_EQ(checksum.Finish(), Gmac(key, std::string(200'001, '\0')));
}

TEST(ChecksumTest, KeysAreNew) {
  EXPECT_EQ(Checksum::NewKey().size(), Checksum::kKeySize);
  EXPECT_NE(Checksum::NewKey(), Checksum::NewKey());
}

}  // namespace
}  // namespace berth::copy

#include "broker/users/ssh_key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;
constexpr size_t kMaxComment = 200;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("not a public key of OpenSSH: ", what,
                   "; it takes one line of an id_*.pub file, such as "
                   "'ssh-ed25519 AAAA...'"));
}

// What a key's bytes are made of: strings with their length before them.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}

  absl::StatusOr<absl::string_view> String() {
    if (rest_.size() < 4) return Bad("it is cut short");
    uint32_t size = 0;
    for (int i = 0; i < 4; ++i) {
      size = size << 8 | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(4);
    if (size > rest_.size()) return Bad("it is cut short");
    const absl::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  absl::Status End() const {
    return rest_.empty() ? absl::OkStatus()
                         : Bad("there is more after the key");
  }

 private:
  absl::string_view rest_;
};

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

// A positive number in its shortest form.
absl::StatusOr<Number> ReadNumber(Reader& reader) {
  BERTH_ASSIGN_OR_RETURN(const absl::string_view bytes, reader.String());
  if (bytes.empty() || (bytes[0] & 0x80) != 0 ||
      (bytes[0] == 0 && (bytes.size() == 1 || (bytes[1] & 0x80) == 0))) {
    return Bad("it has a number that is none");
  }
  return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()), nullptr));
}

absl::Status CheckRsa(Reader& reader) {
  BERTH_ASSIGN_OR_RETURN(const Number exponent, ReadNumber(reader));
  BERTH_ASSIGN_OR_RETURN(const Number modulus, ReadNumber(reader));
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "an RSA key of ", bits, " bits: from ", kMinRsaBits, " to ",
        kMaxRsaBits, " are taken; make another with 'ssh-keygen -t ed25519'"));
  }
  if (!BN_is_odd(modulus.get()) || !BN_is_odd(exponent.get()) ||
      BN_is_one(exponent.get()) || BN_num_bits(exponent.get()) > 64) {
    return Bad("its RSA numbers can't be a key");
  }
  return absl::OkStatus();
}

absl::Status CheckEd25519(Reader& reader) {
  BERTH_ASSIGN_OR_RETURN(const absl::string_view key, reader.String());
  return key.size() == 32 ? absl::OkStatus()
                          : Bad("an ed25519 key has 32 bytes");
}

// `curve`: as it stands in the type, "nistp256".
absl::Status CheckEcdsa(Reader& reader, absl::string_view curve) {
  BERTH_ASSIGN_OR_RETURN(const absl::string_view name, reader.String());
  BERTH_ASSIGN_OR_RETURN(const absl::string_view bytes, reader.String());
  if (name != curve) return Bad("its curve is not that of its type");
  const int nid = curve == "nistp256"   ? NID_X9_62_prime256v1
                  : curve == "nistp384" ? NID_secp384r1
                                        : NID_secp521r1;
  const std::unique_ptr<EC_GROUP, void (*)(EC_GROUP*)> group(
      EC_GROUP_new_by_curve_name(nid), EC_GROUP_free);
  const std::unique_ptr<EC_POINT, void (*)(EC_POINT*)> point(
      EC_POINT_new(group.get()), EC_POINT_free);
  // Refuses what is not on the curve.
  const bool good =
      !bytes.empty() && bytes[0] == 4 &&
      EC_POINT_oct2point(group.get(), point.get(),
                         reinterpret_cast<const unsigned char*>(bytes.data()),
                         bytes.size(), nullptr) == 1;
  ERR_clear_error();
  return good ? absl::OkStatus() : Bad("its point is not on its curve");
}

// Of a hardware key: which application it is for.
absl::Status CheckApplication(Reader& reader) {
  BERTH_ASSIGN_OR_RETURN(const absl::string_view application, reader.String());
  return application.empty() ? Bad("it names no application")
                             : absl::OkStatus();
}

absl::Status CheckKey(absl::string_view type, Reader& reader) {
  if (type == "ssh-ed25519") return CheckEd25519(reader);
  if (type == "ssh-rsa") return CheckRsa(reader);
  if (type == "ecdsa-sha2-nistp256" || type == "ecdsa-sha2-nistp384" ||
      type == "ecdsa-sha2-nistp521") {
    return CheckEcdsa(reader, type.substr(type.size() - 8));
  }
  if (type == "sk-ssh-ed25519@openssh.com") {
    BERTH_RETURN_IF_ERROR(CheckEd25519(reader));
    return CheckApplication(reader);
  }
  if (type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    BERTH_RETURN_IF_ERROR(CheckEcdsa(reader, "nistp256"));
    return CheckApplication(reader);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "keys of type '", EscapeForTerminal(type.substr(0, 60)),
      "' are not taken: ssh-ed25519, ecdsa-sha2-nistp256, -384 and -521, "
      "ssh-rsa, sk-ssh-ed25519@openssh.com and "
      "sk-ecdsa-sha2-nistp256@openssh.com are, without options before them"));
}

}  // namespace

absl::StatusOr<v1::SshKey> ParseSshKey(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (line.size() > kMaxSshKeyLine) return Bad("it is too long");
  if (absl::StrContains(line, "PRIVATE KEY")) {
    return absl::InvalidArgumentError(
        "this is a private key, which nobody else must see: give the file "
        "whose name ends in .pub");
  }
  if (line.find_first_of("\r\n") != absl::string_view::npos) {
    return Bad("there is more than one line");
  }
  const std::vector<std::string> words = absl::StrSplit(
      line, absl::MaxSplits(absl::ByAnyChar(" \t"), 2), absl::SkipEmpty());
  if (words.size() < 2) return Bad("there is no key");
  std::string bytes;
  // Types that are not taken are told first: options look like one.
  Reader nothing("");
  if (absl::Status known = CheckKey(words[0], nothing);
      absl::StrContains(known.message(), "are not taken")) {
    return known;
  }
  if (!absl::Base64Unescape(words[1], &bytes)) return Bad("it is no base64");
  Reader reader(bytes);
  BERTH_ASSIGN_OR_RETURN(const absl::string_view type, reader.String());
  if (type != words[0]) return Bad("its type is not what is written before it");
  BERTH_RETURN_IF_ERROR(CheckKey(type, reader));
  BERTH_RETURN_IF_ERROR(reader.End());
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         digest);
  std::string fingerprint = absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
  while (absl::EndsWith(fingerprint, "=")) fingerprint.pop_back();
  v1::SshKey key;
  key.set_fingerprint(absl::StrCat("SHA256:", fingerprint));
  key.set_type(words[0]);
  if (words.size() > 2) {
    key.set_comment(EscapeForTerminal(words[2].substr(0, kMaxComment)));
  }
  key.set_line(absl::StrCat(words[0], " ", absl::Base64Escape(bytes)));
  return key;
}

}  // namespace berth::broker

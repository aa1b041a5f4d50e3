#include "broker/ca/join_token.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kGetAnother =
    "; get another with `berth admin token create`";

absl::Status Denied(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat(why, kGetAnother));
}

std::string Format(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<std::string> NewJoinToken() {
  std::string token;
  do {  // Not what a command line would take for an option.
    unsigned char random[32];
    if (RAND_bytes(random, sizeof(random)) != 1) {
      return absl::InternalError("no random numbers for a token");
    }
    absl::WebSafeBase64Escape(
        absl::string_view(reinterpret_cast<char*>(random), sizeof(random)),
        &token);
  } while (token[0] == '-');
  return token;
}

std::string TokenDigest(absl::string_view token) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         digest);
  return std::string(reinterpret_cast<char*>(digest), sizeof(digest));
}

std::string TokenId(absl::string_view digest) {
  return absl::BytesToHexString(digest.substr(0, 6));
}

absl::Status CheckTokenPattern(absl::string_view pattern) {
  if (pattern.empty()) return absl::OkStatus();
  // With letters for its wildcards, a pattern must be a name.
  std::string name = absl::StrReplaceAll(pattern, {{"*", "x"}, {"?", "x"}});
  if (CheckName("computer", name).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "bad name pattern '", absl::CHexEscape(pattern.substr(0, 80)),
      "': at most 64 letters, digits and \"._-\", with * and ? as wildcards"));
}

absl::Status CheckToken(const TokenRecord& token, absl::string_view computer,
                        absl::Time now) {
  if (token.uses >= token.max_uses) {
    return Denied(absl::StrCat(
        "this join token was used already, ",
        token.max_uses == 1 ? ""
                            : absl::StrCat(token.max_uses, " times, last "),
        "by '", token.used_by, "' at ", Format(token.used_at)));
  }
  if (now >= token.expires_at) {
    return Denied(
        absl::StrCat("this join token expired at ", Format(token.expires_at)));
  }
  if (!token.name_pattern.empty() &&
      !MatchesWildcard(token.name_pattern, computer)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "this join token is for computers named '", token.name_pattern,
        "', not '", computer, "'; it is not spent, use it with such a name"));
  }
  return absl::OkStatus();
}

absl::Status SpendToken(Store& store, absl::string_view digest,
                        absl::string_view computer, absl::Time now) {
  absl::StatusOr<TokenRecord> token = store.GetToken(digest);
  if (absl::IsNotFound(token.status())) {
    return Denied("this join token is not known to this broker");
  }
  BERTH_RETURN_IF_ERROR(token.status());
  BERTH_RETURN_IF_ERROR(CheckToken(*token, computer, now));
  return store.MarkTokenUsed(digest, computer, now);
}

}  // namespace berth::broker

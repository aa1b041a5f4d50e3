#ifndef BERTH_BROKER_CA_JOIN_TOKEN_H_
#define BERTH_BROKER_CA_JOIN_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/registry/records.h"
#include "broker/registry/store.h"

namespace berth::broker {

inline constexpr absl::Duration kDefaultTokenLifetime = absl::Hours(1);
inline constexpr uint32_t kMaxTokenUses = 10'000;
inline constexpr absl::Duration kMaxTokenLifetime = absl::Hours(7 * 24);
// A spent or late token is remembered this long, so that whoever comes with it
// is told what is wrong.
inline constexpr absl::Duration kTokenMemory = absl::Hours(30 * 24);

// A new join token: 256 random bits, base64url. Secret.
absl::StatusOr<std::string> NewJoinToken();

// What is kept of a token, and looked up: its SHA-256.
std::string TokenDigest(absl::string_view token);

// What people call a token by, which tells nothing of it.
std::string TokenId(absl::string_view digest);

// InvalidArgument, unless `pattern` is empty, a computer's name, or a wildcard
// of the letters of one.
absl::Status CheckTokenPattern(absl::string_view pattern);

// Whether `computer` may enrol with `token` now. PermissionDenied says what is
// wrong: used, expired, or not for this name.
absl::Status CheckToken(const TokenRecord& token, absl::string_view computer,
                        absl::Time now);

// Spends the token of `digest` for `computer`, if it may enrol with it; else
// PermissionDenied, and nothing is changed.
absl::Status SpendToken(Store& store, absl::string_view digest,
                        absl::string_view computer, absl::Time now);

}  // namespace berth::broker

#endif  // BERTH_BROKER_CA_JOIN_TOKEN_H_

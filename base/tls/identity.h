#ifndef BERTH_BASE_TLS_IDENTITY_H_
#define BERTH_BASE_TLS_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth {

// What a certificate may be used for. It is accepted for that alone.
enum class Purpose { kUser, kAgent, kBroker, kGateway };

// Who a certificate speaks for.
struct Identity {
  Purpose purpose;
  std::string name;

  bool operator==(const Identity&) const = default;
};

// "user", "agent", "broker", "gateway".
absl::string_view PurposeName(Purpose purpose);

// The extended key usage that a certificate of this purpose carries, beside
// that of TLS (clientAuth, serverAuth): an arc of our own, below a UUID as
// ITU-T X.667 has it, which needs no registration.
inline constexpr char kUsageArc[] =
    "2.25.142769213104769854964417004274277347931.";
std::string PurposeOid(Purpose purpose);

// The URI that stands in a certificate: "berth://user/alice".
std::string ToUri(const Identity& identity);

// InvalidArgument if `uri` is not one that ToUri() makes.
absl::StatusOr<Identity> ParseIdentityUri(absl::string_view uri);

}  // namespace berth

#endif  // BERTH_BASE_TLS_IDENTITY_H_

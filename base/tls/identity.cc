#include "base/tls/identity.h"

#include <stddef.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth {

absl::string_view PurposeName(Purpose purpose) {
  switch (purpose) {
    case Purpose::kUser:
      return "user";
    case Purpose::kAgent:
      return "agent";
    case Purpose::kBroker:
      return "broker";
    case Purpose::kGateway:
      return "gateway";
  }
  return "unknown";
}

std::string PurposeOid(Purpose purpose) {
  // The numbers are in certificates: never change them.
  switch (purpose) {
    case Purpose::kUser:
      return absl::StrCat(kUsageArc, 1);
    case Purpose::kAgent:
      return absl::StrCat(kUsageArc, 2);
    case Purpose::kBroker:
      return absl::StrCat(kUsageArc, 3);
    case Purpose::kGateway:
      return absl::StrCat(kUsageArc, 4);
  }
  return "";
}

std::string ToUri(const Identity& identity) {
  return absl::StrCat("berth://", PurposeName(identity.purpose), "/",
                      identity.name);
}

absl::StatusOr<Identity> ParseIdentityUri(absl::string_view uri) {
  absl::string_view rest = uri;
  const size_t slash = absl::ConsumePrefix(&rest, "berth://")
                           ? rest.find('/')
                           : absl::string_view::npos;
  if (slash != absl::string_view::npos) {
    const absl::string_view name = rest.substr(slash + 1);
    for (Purpose purpose : {Purpose::kUser, Purpose::kAgent, Purpose::kBroker,
                            Purpose::kGateway}) {
      if (PurposeName(purpose) != rest.substr(0, slash)) continue;
      BERTH_RETURN_IF_ERROR(CheckName("identity", name));
      return Identity{purpose, std::string(name)};
    }
  }
  return absl::InvalidArgumentError("not the URI of a Berth identity");
}

}  // namespace berth

#include "agent/sessions/holder_version.h"

#include "absl/strings/str_cat.h"
#include "agent/holder/identity_file.h"

namespace berth::agent {
namespace {

constexpr uint32_t kOldest = kHolderVersion - 1;
constexpr uint32_t kNewest = kHolderVersion + 1;

}  // namespace

absl::Status CheckHolderVersion(uint32_t version) {
  if (version >= kOldest && version <= kNewest) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the session's holder speaks version ", version,
      " of the holder's protocol, and this computer's berth-agent only "
      "versions ",
      kOldest, " to ", kNewest, ": the session lives on, and a",
      version > kNewest ? " newer" : "n older",
      " berth-agent can use it; or end it with berth rm"));
}

uint32_t HolderVersionOf(const std::string& directory) {
  const auto identity =
      holder::ReadIdentityFile(absl::StrCat(directory, "/holder"));
  return identity.ok() ? identity->version : kOldest;
}

}  // namespace berth::agent

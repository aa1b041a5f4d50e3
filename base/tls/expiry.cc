#include "base/tls/expiry.h"

#include "absl/strings/str_cat.h"
#include "base/tls/certificates.h"

namespace berth {

absl::Status CheckNotExpired(absl::string_view path,
                             const std::string& cert_pem, absl::Time now,
                             absl::string_view way_out) {
  const absl::StatusOr<absl::Time> expiry = CertificateExpiry(cert_pem);
  if (!expiry.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", expiry.status().message()));
  }
  if (now < *expiry) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the certificate ", path, " expired at ",
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", *expiry, absl::UTCTimeZone()),
      "; ", way_out));
}

}  // namespace berth

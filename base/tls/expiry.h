#ifndef BERTH_BASE_TLS_EXPIRY_H_
#define BERTH_BASE_TLS_EXPIRY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth {

// FailedPrecondition if the certificate in `cert_pem` has ended by `now`. A
// peer would only cut the connection without saying why, so whoever is about
// to show a certificate looks first. `path` names it and `way_out` says how to
// get another. InvalidArgument if it can't be read.
absl::Status CheckNotExpired(absl::string_view path,
                             const std::string& cert_pem, absl::Time now,
                             absl::string_view way_out);

}  // namespace berth

#endif  // BERTH_BASE_TLS_EXPIRY_H_

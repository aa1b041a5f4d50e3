#ifndef BERTH_BASE_TLS_KEY_PAIR_H_
#define BERTH_BASE_TLS_KEY_PAIR_H_

#include <string>

#include "absl/status/status.h"

namespace berth {

// Whether a certificate is for a private key. InvalidArgument: it is not, or
// one of them can't be read.
absl::Status CheckKeyPair(const std::string& certificate_pem,
                          const std::string& key_pem);

}  // namespace berth

#endif  // BERTH_BASE_TLS_KEY_PAIR_H_

#ifndef BERTH_BASE_UUID_H_
#define BERTH_BASE_UUID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace berth {

// A new random UUID (RFC 9562, version 4), in lower case.
std::string NewUuid();

// Whether `text` has the form of a UUID in lower case.
bool IsUuid(absl::string_view text);

}  // namespace berth

#endif  // BERTH_BASE_UUID_H_

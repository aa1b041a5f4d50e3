#ifndef BERTH_BROKER_GATEWAY_WORDS_H_
#define BERTH_BROKER_GATEWAY_WORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::gateway {

// The words of a command line as a POSIX shell splits and unquotes them;
// nothing in it is expanded. InvalidArgument: a quote is not closed.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_WORDS_H_

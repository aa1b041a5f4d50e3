#include "agent/link/pushback.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace berth::agent {

absl::Duration Pushback(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto it = trailers.find("retry-pushback");
  int64_t milliseconds = 0;
  if (it == trailers.end() ||
      !absl::SimpleAtoi(absl::string_view(it->second.data(), it->second.size()),
                        &milliseconds)) {
    return absl::ZeroDuration();
  }
  return std::clamp(absl::Milliseconds(milliseconds), absl::ZeroDuration(),
                    kLongestPushback);
}

}  // namespace berth::agent

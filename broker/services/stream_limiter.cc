#include "broker/services/stream_limiter.h"

#include "absl/strings/str_cat.h"

namespace berth::broker {

absl::Status StreamLimiter::Add(const std::string& user) {
  MutexLock lock(mu_);
  size_t& streams = streams_[user];
  if (streams >= kMaxStreams) {
    return absl::ResourceExhaustedError(
        absl::StrCat("user '", user, "' has ", streams, " of ", kMaxStreams,
                     " streams open; end some first"));
  }
  ++streams;
  return absl::OkStatus();
}

void StreamLimiter::Remove(const std::string& user) {
  MutexLock lock(mu_);
  auto found = streams_.find(user);
  if (found != streams_.end() && --found->second == 0) streams_.erase(found);
}

}  // namespace berth::broker

#include "cli/run/patience.h"

#include "cli/render/duration.h"

namespace berth::cli {

absl::Duration ReconnectPatience(const Environment& environment) {
  // One that can't be read is not worth failing for.
  return ReadDuration(environment.Get("BERTH_RECONNECT"))
      .value_or(absl::Minutes(4));
}

}  // namespace berth::cli

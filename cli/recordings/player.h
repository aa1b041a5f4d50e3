#ifndef BERTH_CLI_RECORDINGS_PLAYER_H_
#define BERTH_CLI_RECORDINGS_PLAYER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/recordings/recordings.h"
#include "cli/terminal/tty.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::cli {

// Where a recording is to be played from: "90s" after its beginning, or "10:31"
// by the clock of whoever looks at it, the first time after that. As the time
// after the beginning. INVALID_ARGUMENT: neither.
absl::StatusOr<absl::Duration> ParsePlace(absl::string_view text,
                                          absl::Time begin,
                                          absl::TimeZone zone);

// Plays one recording on a terminal, as it was: with pauses, which the keys
// space (wait, go on), the arrows (10 s back and forth), + and - (twice and
// half as fast) and q (leave) change.
class Player {
 public:
  struct Options {
    double speed = 1;
    absl::Duration from;  // After the beginning.
    absl::Duration max_idle = absl::InfiniteDuration();
    bool even_if_changed = false;
  };

  Player(Invocation& invocation, Connection& connection,
         v1::Recording recording, Options options)
      : invocation_(invocation),
        connection_(connection),
        recording_(std::move(recording)),
        options_(options),
        speed_(options.speed),
        reading_{options.even_if_changed} {}

  // To its end, or until the user leaves. The exit status.
  int Play();

 private:
  // What comes after an entry was shown, or the wait for it.
  enum class Next { kGoOn, kLeave, kAgain };

  // From the beginning; what is before target_ at once.
  absl::Status PlayOnce();
  Next Show(const v1::RecordingEntry& entry);
  // Waits as long as `pause` of the recording takes.
  Next Wait(absl::Duration pause);
  // Waits for keys until `end`. InfiniteFuture: until one changes something.
  Next TakeKeys(absl::Time end);
  Next OnKeys(absl::string_view keys);
  Next OnKey(absl::string_view key);
  Next Seek(absl::Duration by);

  Invocation& invocation_;
  Connection& connection_;
  const v1::Recording recording_;
  const Options options_;
  double speed_;
  RecordingReading reading_;
  std::optional<Tty> tty_;
  absl::Duration target_;  // What is before is not waited for.
  absl::Duration at_;      // Of what was shown last.
  int64_t first_ns_ = 0;
  bool begun_ = false;
  bool waits_ = false;  // For the space bar.
  bool again_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_PLAYER_H_

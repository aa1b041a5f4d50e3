#ifndef BERTH_CLI_FANOUT_PRESENTER_H_
#define BERTH_CLI_FANOUT_PRESENTER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/fanout/outcome.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// One of several targets, for who shows what it printed.
struct TargetName {
  std::string label;     // "web01", or "web01/3" where web01 has several.
  std::string computer;  // "web01".
  uint32_t session = 0;  // 0: not known, or not made.
};

// Shows what many targets print. Used by one thread. Errors are final: nothing
// more can be shown.
class Presenter {
 public:
  virtual ~Presenter() = default;

  struct Taken {
    // Of the Writer; 0: nothing waits for it.
    uint64_t ticket = 0;
    // All output before this offset is safe, once the ticket is written.
    uint64_t safe = 0;
    absl::Status status;
  };

  // A target printed `data` at `offset`.
  virtual Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
                       absl::string_view data) = 0;

  // Nothing follows what the target printed, for now: shows what was kept
  // back. `end` is where its output ends.
  virtual Taken Flush(size_t, uint64_t end) { return {0, end, {}}; }

  // The target's session is known.
  virtual void Named(size_t, uint32_t /*session*/) {}

  // The target has ended. Called once for each.
  virtual absl::Status Ended(size_t, const Outcome&) {
    return absl::OkStatus();
  }

  // All have ended.
  virtual absl::Status Finish() { return absl::OkStatus(); }
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_PRESENTER_H_

#ifndef BERTH_CLI_SSH_LIFELINE_H_
#define BERTH_CLI_SSH_LIFELINE_H_

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/invocation/signals.h"

namespace berth::cli {

// Cuts the connections of some work when its time has passed or its user left:
// whoever waits for one of them, in whatever library, goes on at once with an
// error. Thread-safe.
class Lifeline {
 public:
  Lifeline(SignalSource& signals, absl::Duration limit);
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

  // Also this connection, which the caller goes on owning.
  void Guard(int socket) ABSL_LOCKS_EXCLUDED(mu_);

  // What is left of the time; zero if it has been cut.
  absl::Duration left() const ABSL_LOCKS_EXCLUDED(mu_);

  // Why it was cut: DEADLINE_EXCEEDED or CANCELLED; OK: it was not. Tells more
  // than the error that followed from it.
  absl::Status reason() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Watch(const SignalSource& signals) ABSL_LOCKS_EXCLUDED(mu_);
  void Cut(absl::Status reason) ABSL_LOCKS_EXCLUDED(mu_);

  const absl::Duration limit_;
  const absl::Time deadline_;  // Monotonic.
  const UniqueFd ending_;      // An eventfd.
  mutable Mutex mu_;
  std::vector<UniqueFd> sockets_ ABSL_GUARDED_BY(mu_);
  absl::Status reason_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_LIFELINE_H_

#ifndef BERTH_CLI_COPY_PROGRESS_BAR_H_
#define BERTH_CLI_COPY_PROGRESS_BAR_H_

#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/copy/progress.h"
#include "base/mutex.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// Shows on the terminal how far a copy is, in one line that is written anew a
// few times a second; does nothing if stderr is none. Messages are to go
// through it, so that they don't end up in that line. Thread-safe.
class ProgressBar {
 public:
  static constexpr absl::Duration kEvery = absl::Milliseconds(200);

  ProgressBar(Invocation& invocation, bool enabled);
  // Leaves the last line standing if it was ever shown.
  ~ProgressBar();

  bool enabled() const { return enabled_; }
  copy::Progress& progress() { return progress_; }

  // As Invocation::Say().
  void Say(absl::string_view text) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  void Show() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Invocation& invocation_;
  const bool enabled_;
  const absl::Time begin_;
  copy::Progress progress_;

  // Held while writing to the terminal: it is what keeps lines whole.
  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool shown_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

// The line: what is at hand, how much of all, how fast, how long still.
std::string ProgressLine(const copy::Progress::Values& values,
                         absl::Duration elapsed);

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_PROGRESS_BAR_H_

#ifndef BERTH_TESTS_SUPPORT_PROCESS_H_
#define BERTH_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace berth::testing {

// Process runs a real program for a test and never lets it outlive the test.
// Not thread-safe.
class Process {
 public:
  struct Options {
    // argv[0] is a path.
    std::vector<std::string> argv;
    // "NAME=value"; not set: this process's own.
    std::optional<std::vector<std::string>> environment = std::nullopt;
    // Empty: this process's own.
    std::string directory = "";
    // Standard error is appended to this file. Empty: it goes where this
    // process's own goes.
    std::string stderr_path = "";
  };

  // What a program that was run to its end did.
  struct Finished {
    int exit_code;  // Or 128 + the killing signal.
    std::string out;
    std::string err;
  };

  // Starts a program with its stdin and stdout held by this object, and
  // signals and mask at their defaults.
  static absl::StatusOr<Process> Start(const Options& options);
  static absl::StatusOr<Process> Start(const std::vector<std::string>& argv);

  // Starts a program, feeds it `input` and waits for its end.
  // DeadlineExceeded, with what it printed, if it takes longer than `limit`;
  // it is killed then. options.stderr_path must be empty.
  static absl::StatusOr<Finished> Run(Options options,
                                      absl::string_view input = "",
                                      absl::Duration limit = absl::Seconds(20));

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // Kills and reaps.

  // 0 once reaped.
  pid_t pid() const { return pid_; }

  // Writes all of `data` to its stdin.
  absl::Status Write(absl::string_view data,
                     absl::Duration limit = absl::Seconds(20));
  void CloseStdin() { in_.reset(); }

  // Returns what follows `prefix` on the first line of stdout that starts with
  // it. DeadlineExceeded, quoting what was printed, if none comes in `limit`;
  // Unavailable if the program closes stdout first.
  absl::StatusOr<std::string> WaitForLine(
      absl::string_view prefix, absl::Duration limit = absl::Seconds(20));

  // Takes the next `size` bytes of stdout. Errors as above.
  absl::StatusOr<std::string> ReadExactly(
      size_t size, absl::Duration limit = absl::Seconds(20));

  // Takes all of stdout up to its end.
  absl::StatusOr<std::string> ReadToEnd(
      absl::Duration limit = absl::Seconds(20));

  // Waits for its end; returns the exit code, or 128 + the killing signal.
  absl::StatusOr<int> Wait(absl::Duration limit = absl::Seconds(20));

  // Sends `signal` and waits; SIGKILL follows if that does not end it within
  // `limit`.
  int StopWith(int signal, absl::Duration limit = absl::Seconds(10));

 private:
  Process(pid_t pid, UniqueFd in, UniqueFd out)
      : pid_(pid), in_(std::move(in)), out_(std::move(out)) {}
  absl::Status ReadMore(absl::Time deadline);
  int Reap();

  pid_t pid_;
  UniqueFd in_;
  UniqueFd out_;
  std::string output_;  // Read from stdout and not yet taken.
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_PROCESS_H_

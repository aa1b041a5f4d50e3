#ifndef BERTH_TESTS_SUPPORT_TTY_PROGRAM_H_
#define BERTH_TESTS_SUPPORT_TTY_PROGRAM_H_

#include <sys/types.h>
#include <termios.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/screen/terminal_screen.h"
#include "base/unique_fd.h"
#include "tests/support/process.h"

namespace berth::testing {

// A program on a pseudo-terminal of its own, which shows what it writes as a
// person's terminal would, and on which that person types. Whatever fails, or
// takes too long, fails the test, and says what was shown. Not thread-safe.
class TtyProgram {
 public:
  TtyProgram(const Process::Options& options, int rows = 24, int columns = 80);
  ~TtyProgram();  // Kills and reaps.
  TtyProgram(const TtyProgram&) = delete;
  TtyProgram& operator=(const TtyProgram&) = delete;

  void Type(absl::string_view keys);
  void Resize(int rows, int columns);

  // Lines of the screen, without trailing blanks.
  using Lines = std::vector<std::string>;
  // Waits until the screen satisfies `test`; `what` is for the message.
  void WaitUntil(const std::function<bool(const Lines&)>& test,
                 const std::string& what,
                 absl::Duration limit = absl::Seconds(20));
  // Waits for a line that contains `text`, or is exactly `line`.
  void WaitFor(const std::string& text,
               absl::Duration limit = absl::Seconds(20));
  void WaitForLine(const std::string& line,
                   absl::Duration limit = absl::Seconds(20));
  // Waits until no line contains `text`.
  void WaitGone(const std::string& text,
                absl::Duration limit = absl::Seconds(20));

  // Waits for the end. The exit code, or 128 and the signal; -1 if it goes on.
  int Wait(absl::Duration limit = absl::Seconds(20));
  // Waits until the program has stopped itself.
  void WaitStopped(absl::Duration limit = absl::Seconds(20));

  // Takes in what was written meanwhile.
  void Look();
  std::string Text() const;
  const screen::TerminalScreen& screen() const { return screen_; }
  // Everything that was ever written.
  const std::string& output() const { return output_; }

  // The terminal's modes now, and before the program was started.
  termios Modes() const;
  const termios& first_modes() const { return first_modes_; }

  pid_t pid() const { return pid_; }
  // The terminal hangs up.
  void HangUp();

 private:
  bool ReadSome(absl::Duration limit);

  UniqueFd master_;
  // The other side, so that it can be looked at when the program has ended.
  UniqueFd slave_;
  pid_t pid_ = 0;
  termios first_modes_ = {};
  screen::TerminalScreen screen_;
  std::string output_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_TTY_PROGRAM_H_

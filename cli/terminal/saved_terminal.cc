#include "cli/terminal/saved_terminal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "cli/terminal/overlay.h"

namespace berth::cli {

SavedTerminal::SavedTerminal(int in, int out)
    : in_(in), out_(out), is_terminal_(tcgetattr(in, &modes_) == 0) {}

void SavedTerminal::Restore() const {
  termios now = {};
  if (!is_terminal_ || tcgetattr(in_, &now) != 0) return;
  if (now.c_iflag == modes_.c_iflag && now.c_oflag == modes_.c_oflag &&
      now.c_lflag == modes_.c_lflag) {
    return;
  }
  // Whichever screen was shown: what is below is more use than a neat cursor.
  const std::string reset = ResetTerminal(/*alternate_screen=*/true) + "\r\n";
  (void)!write(out_, reset.data(), reset.size());
  signal(SIGTTOU, SIG_IGN);
  (void)tcsetattr(in_, TCSANOW, &modes_);
}

void WaitForForeground(int fd) {
  for (;;) {
    const pid_t front = tcgetpgrp(fd);
    if (front < 0 || front == getpgrp()) return;
    // Nothing stops a process that nobody could continue; and then it reads.
    if (kill(0, SIGTTIN) != 0 || tcgetpgrp(fd) == front) return;
  }
}

}  // namespace berth::cli

#include "agent/shell/terminal_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

struct Terminal {
  UniqueFd master;
  UniqueFd slave;
};

absl::StatusOr<Terminal> OpenTerminal(const TerminalProcessOptions& options) {
  Terminal terminal;
  terminal.master.reset(
      posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!terminal.master.valid() && errno == ENOSPC) {
    // The kernel's word for that is about disks.
    return absl::ResourceExhaustedError(
        "this computer has no terminal left: as many are open as "
        "kernel.pty.max allows; end sessions, or raise it");
  }
  if (!terminal.master.valid() || unlockpt(terminal.master.get()) != 0) {
    return ErrnoToStatus(errno, "opening a terminal");
  }
  // By descriptor rather than by name: /dev/pts may be another's in a
  // container.
  terminal.slave.reset(
      ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave.valid()) {
    return ErrnoToStatus(errno, "opening a terminal");
  }
  // Programs open it by name, too.
  if (options.credentials &&
      fchown(terminal.slave.get(), options.credentials->user, -1) != 0) {
    return ErrnoToStatus(errno, "giving the terminal to the session's user");
  }
  winsize size = {options.rows, options.columns, 0, 0};
  ioctl(terminal.master.get(), TIOCSWINSZ, &size);
  return terminal;
}

}  // namespace

absl::StatusOr<TerminalProcess> StartOnTerminal(
    const TerminalProcessOptions& options) {
  BERTH_ASSIGN_OR_RETURN(Terminal terminal, OpenTerminal(options));
  const int slave = terminal.slave.get();
  TerminalProcess process;
  BERTH_ASSIGN_OR_RETURN(process.pid, Spawn(options, {slave, slave, slave},
                                            Leads::kTerminalSession));
  process.terminal = std::move(terminal.master);
  return process;
}

}  // namespace berth::shell

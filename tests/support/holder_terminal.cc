// The terminal's side of HolderSession.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "tests/support/holder_session.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using holder::v1::Request;

// The terminal as a program in it has it. Opened only as long as it is needed:
// as long as it is open its other end sees no hang-up.
absl::StatusOr<UniqueFd> OpenTerminal(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    return absl::UnavailableError(absl::StrCat(path, ": ", strerror(errno)));
  }
  return fd;
}

}  // namespace

absl::Status HolderSession::Type(absl::string_view keys) {
  Request request;
  request.mutable_terminal_input()->set_data(std::string(keys));
  return client_->Send(request);
}

absl::Status HolderSession::TypeAndWaitRead(absl::string_view keys) {
  pid_t pid = Foreground();
  int64_t before = BytesRead(pid);
  BERTH_RETURN_IF_ERROR(Type(keys));
  return WaitUntil(
      [&] {
        Idle(absl::Milliseconds(1));
        return BytesRead(pid) >= before + static_cast<int64_t>(keys.size()) &&
               ProcessState(pid) == "S";
      },
      absl::StrCat("process ", pid, " reading \"", absl::CHexEscape(keys),
                   "\""));
}

absl::Status HolderSession::WaitTerminal(absl::string_view text, size_t from,
                                         absl::Duration limit) {
  return WaitUntil(
      [&] {
        return terminal_.find(text.data(), from, text.size()) !=
               std::string::npos;
      },
      absl::StrCat("\"", absl::CHexEscape(text), "\" on the terminal"), limit);
}

absl::Status HolderSession::Flush() {
  // An escape sequence, so that nobody takes it for text.
  std::string mark = absl::StrCat("\x1b]mark ", ++marks_, "\x07");
  {
    BERTH_ASSIGN_OR_RETURN(UniqueFd fd, OpenTerminal(terminal_path_));
    // Somebody else may be writing at this moment.
    BERTH_RETURN_IF_ERROR(WaitUntil(
        [&] {
          if (write(fd.get(), mark.data(), mark.size()) > 0) return true;
          Idle(absl::Milliseconds(1));
          return false;
        },
        "room on the terminal"));
  }
  BERTH_RETURN_IF_ERROR(WaitTerminal(mark));
  terminal_.erase(terminal_.find(mark), mark.size());
  return absl::OkStatus();
}

absl::Status HolderSession::Resize(uint32_t rows, uint32_t columns) {
  Request request;
  request.mutable_resize_terminal()->set_rows(rows);
  request.mutable_resize_terminal()->set_columns(columns);
  return client_->Send(request);
}

absl::StatusOr<termios> HolderSession::TerminalModes() const {
  BERTH_ASSIGN_OR_RETURN(UniqueFd fd, OpenTerminal(terminal_path_));
  termios modes;
  if (tcgetattr(fd.get(), &modes) != 0) {
    return absl::UnavailableError("tcgetattr");
  }
  return modes;
}

absl::Status HolderSession::Inject(absl::string_view keys) {
  BERTH_ASSIGN_OR_RETURN(UniqueFd fd, OpenTerminal(terminal_path_));
  for (char key : keys) {
    if (ioctl(fd.get(), TIOCSTI, &key) != 0) {
      return absl::UnimplementedError(
          absl::StrCat("TIOCSTI: ", strerror(errno)));
    }
  }
  return absl::OkStatus();
}

pid_t HolderSession::Foreground() const {
  int group = -1;
  if (!absl::SimpleAtoi(ProcessField(shell_pid_, 8), &group)) return -1;
  return group;
}

absl::Status HolderSession::WaitForeground(absl::string_view name) {
  return WaitUntil(
      [&] {
        Idle(absl::Milliseconds(1));
        pid_t pid = Foreground();
        return pid > 0 && pid != shell_pid_ && ProcessName(pid) == name &&
               ProcessState(pid) == "S";
      },
      absl::StrCat("'", name, "' in the foreground"));
}

}  // namespace berth::testing

#include "tests/support/tty_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

TtyProgram::TtyProgram(const Process::Options& options, int rows, int columns)
    : screen_(rows, columns) {
  winsize size = {static_cast<unsigned short>(rows),
                  static_cast<unsigned short>(columns), 0, 0};
  int master = -1;
  int slave = -1;
  EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
  master_.reset(master);
  slave_.reset(slave);
  fcntl(master, F_SETFD, FD_CLOEXEC);
  fcntl(slave, F_SETFD, FD_CLOEXEC);
  fcntl(master, F_SETFL, O_NONBLOCK);
  tcgetattr(slave, &first_modes_);
  std::vector<char*> argv = Pointers(options.argv);
  const std::vector<std::string> variables =
      options.environment.value_or(std::vector<std::string>());
  std::vector<char*> env = Pointers(variables);
  pid_ = fork();
  if (pid_ == 0) {
    login_tty(slave);
    execve(argv[0], argv.data(), env.data());
    _exit(127);
  }
}

TtyProgram::~TtyProgram() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void TtyProgram::Type(absl::string_view keys) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!keys.empty() && absl::Now() < deadline) {
    const ssize_t put = write(master_.get(), keys.data(), keys.size());
    if (put > 0) keys.remove_prefix(put);
    // Whoever does not read may wait for us to read.
    if (!keys.empty()) ReadSome(absl::Milliseconds(10));
  }
  EXPECT_TRUE(keys.empty()) << "nobody reads what is typed";
}

void TtyProgram::Resize(int rows, int columns) {
  winsize size = {static_cast<unsigned short>(rows),
                  static_cast<unsigned short>(columns), 0, 0};
  screen_.Resize(rows, columns);
  EXPECT_EQ(ioctl(master_.get(), TIOCSWINSZ, &size), 0);
}

bool TtyProgram::ReadSome(absl::Duration limit) {
  pollfd readable = {master_.get(), POLLIN, 0};
  poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(limit)));
  char buffer[16384];
  const ssize_t got = read(master_.get(), buffer, sizeof(buffer));
  if (got <= 0) return false;
  const absl::string_view data(buffer, got);
  screen_.Feed(data);
  output_.append(data.data(), data.size());
  return true;
}

void TtyProgram::Look() {
  while (ReadSome(absl::ZeroDuration())) {
  }
}

std::string TtyProgram::Text() const {
  return absl::StrJoin(screen_.Text(), "\n");
}

void TtyProgram::WaitUntil(const std::function<bool(const Lines&)>& test,
                           const std::string& what, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!test(screen_.Text())) {
    if (absl::Now() > deadline) {
      FAIL() << "no " << what << " within " << limit << "; it shows:\n"
             << Text();
    }
    ReadSome(absl::Milliseconds(20));
  }
}

void TtyProgram::WaitFor(const std::string& text, absl::Duration limit) {
  WaitUntil(
      [&](const Lines& lines) {
        return std::any_of(lines.begin(), lines.end(), [&](const auto& line) {
          return absl::StrContains(line, text);
        });
      },
      absl::StrCat("'", text, "'"), limit);
}

void TtyProgram::WaitForLine(const std::string& line, absl::Duration limit) {
  WaitUntil(
      [&](const Lines& lines) {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
      },
      absl::StrCat("line '", line, "'"), limit);
}

void TtyProgram::WaitGone(const std::string& text, absl::Duration limit) {
  WaitUntil(
      [&](const Lines& lines) {
        return std::none_of(lines.begin(), lines.end(), [&](const auto& line) {
          return absl::StrContains(line, text);
        });
      },
      absl::StrCat("end of '", text, "'"), limit);
}

int TtyProgram::Wait(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (absl::Now() > deadline) {
      ADD_FAILURE() << "it has not ended within " << limit << "; it shows:\n"
                    << Text();
      return -1;
    }
    ReadSome(absl::Milliseconds(10));
  }
  pid_ = 0;
  Look();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void TtyProgram::WaitStopped(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG | WUNTRACED) == 0) {
    if (absl::Now() > deadline) {
      FAIL() << "it has not stopped within " << limit << "; it shows:\n"
             << Text();
    }
    ReadSome(absl::Milliseconds(10));
  }
  EXPECT_TRUE(WIFSTOPPED(status));
  Look();
}

termios TtyProgram::Modes() const {
  termios modes = {};
  tcgetattr(slave_.get(), &modes);
  return modes;
}

void TtyProgram::HangUp() {
  slave_.reset();
  master_.reset();
}

}  // namespace berth::testing

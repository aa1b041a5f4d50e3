#include "tests/terminal/terminal_test.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"

namespace berth::testing {

using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<TtyProgram> TerminalTest::Start(
    std::vector<std::string> arguments, const std::string& client, int rows,
    int columns) {
  return std::make_unique<TtyProgram>(fleet_.Command(arguments, client), rows,
                                      columns);
}

std::unique_ptr<TtyProgram> TerminalTest::Enter(
    std::vector<std::string> options, const std::string& client, int rows,
    int columns) {
  std::vector<std::string> arguments = {"enter", "work"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  auto terminal = Start(arguments, client, rows, columns);
  terminal->WaitFor("$");
  return terminal;
}

void TerminalTest::Detach(TtyProgram& terminal) {
  terminal.Type("\r~.");
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_THAT(terminal.Text(),
              HasSubstr("[detached from session 'work' on web01; berth enter "
                        "work]"));
  ExpectClean(terminal);
}

void TerminalTest::WaitForSize(const std::string& size) {
  const std::string terminal =
      absl::StrCat("/proc/", fleet_.Session("work").shell_pid(), "/fd/0");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  std::string now;
  while (now != size + "\n" && absl::Now() < deadline) {
    auto stty =
        Process::Run({.argv = {"/usr/bin/stty", "-F", terminal, "size"}});
    if (stty.ok()) now = stty->out;
  }
  EXPECT_EQ(now, size + "\n");
}

void TerminalTest::ExpectClean(TtyProgram& terminal) {
  const termios now = terminal.Modes();
  EXPECT_EQ(now.c_iflag, terminal.first_modes().c_iflag);
  EXPECT_EQ(now.c_oflag, terminal.first_modes().c_oflag);
  EXPECT_EQ(now.c_lflag, terminal.first_modes().c_lflag);
  terminal.Look();
  EXPECT_FALSE(terminal.screen().alternate());
  std::string modes;
  terminal.screen().modes().Append(modes);
  for (const char* on : {"?25l", "?1h", "?2004h", "?100", "?9h", "?5h", "4h"}) {
    EXPECT_THAT(modes, Not(HasSubstr(on)));
  }
}

}  // namespace berth::testing

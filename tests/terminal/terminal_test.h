#ifndef BERTH_TESTS_TERMINAL_TERMINAL_TEST_H_
#define BERTH_TESTS_TERMINAL_TERMINAL_TEST_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/tty_program.h"

namespace berth::testing {

// A fleet of one computer, "web01", with a session "work", and people who sit
// at terminals. Their bash's prompt is "$ ".
class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() { fleet_.Run({"new", "-c", "web01", "--name", "work"}); }

  // Starts `berth` with these arguments on a terminal of its own.
  std::unique_ptr<TtyProgram> Start(std::vector<std::string> arguments,
                                    const std::string& client = "laptop",
                                    int rows = 24, int columns = 80);
  // `berth enter work` and these, up to the prompt.
  std::unique_ptr<TtyProgram> Enter(std::vector<std::string> options = {},
                                    const std::string& client = "laptop",
                                    int rows = 24, int columns = 80);

  // Detaches with ~. and checks what that leaves behind.
  void Detach(TtyProgram& terminal);
  // The terminal is as it was before: modes of the kernel's, and its own.
  void ExpectClean(TtyProgram& terminal);

  // Waits until the session's terminal has this size: "rows columns".
  void WaitForSize(const std::string& size);

  // Runs a command in the session, from elsewhere; what it prints.
  std::string Run(const std::string& script) {
    return fleet_.Run({"run", "-s", "work", "--", script});
  }

  Fleet fleet_{{"web01"}};
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_TERMINAL_TERMINAL_TEST_H_

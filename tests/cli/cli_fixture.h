#ifndef BERTH_TESTS_CLI_CLI_FIXTURE_H_
#define BERTH_TESTS_CLI_CLI_FIXTURE_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/cli/fake_broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {

// Runs the real `berth` against a FakeBroker, in a directory of its own.
class CliFixture : public ::testing::Test {
 protected:
  CliFixture() : broker_(dir_.path()) {}
  // Ends the keeper.
  ~CliFixture() override;

  // How to start `berth`, with stderr in StderrText() if `to_file`.
  Process::Options Command(const std::vector<std::string>& arguments,
                           bool to_file = false);
  Process::Finished Berth(const std::vector<std::string>& arguments,
                          const std::string& input = "");
  Process Start(const std::vector<std::string>& arguments);
  // Starts it with stdout in this file.
  Process StartTo(const std::string& file,
                  const std::vector<std::string>& arguments);

  std::string StderrText() const {
    return ReadTextFile(dir_.path() + "/stderr");
  }
  // 0 if there is none.
  pid_t KeeperPid();
  std::string KeeperSocket() const {
    return dir_.path() + "/run/berth/keeper.sock";
  }

  TempDir dir_;
  FakeBroker broker_;
  std::vector<std::string> more_environment_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_CLI_CLI_FIXTURE_H_

#ifndef BERTH_TESTS_E2E_RUN_AS_FIXTURE_H_
#define BERTH_TESTS_E2E_RUN_AS_FIXTURE_H_

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {

// Real accounts of the system that own nothing.
inline constexpr char kComputer[] = "Server01";
inline constexpr char kUser[] = "backup";
inline constexpr char kOther[] = "games";
inline constexpr uid_t kHolder = 61234;
inline constexpr char kRules[] =
    "run_as = \"backup\"\n"
    "allowed_run_as = [\"backup\", \"games\"]\n"
    "holder_user = \"61234\"\n";

inline passwd Entry(const char* name) {
  const passwd* entry = getpwnam(name);
  return entry == nullptr ? passwd{} : *entry;
}

// An agent run by root whose sessions run as kUser; kOther may be asked for.
class RunAsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "only root can start sessions as other users";
    }
    ASSERT_NE(getpwnam(kUser), nullptr) << kUser;
    ASSERT_NE(getpwnam(kOther), nullptr) << kOther;
    fleet_.emplace(std::vector<std::string>{kComputer});
    Configure(kRules);
  }

  void Configure(const std::string& rules) {
    fleet_->KillAgent(kComputer, SIGTERM);
    WriteTextFile(fleet_->AgentDirectory(kComputer) + "/agent.toml", rules);
    fleet_->StartAgent(kComputer);
    fleet_->WaitFor({"computers", kComputer, "-o", "json"},
                    "COMPUTER_STATE_ONLINE");
  }

  void New(const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"new", "-c", kComputer, "--name", name};
    words.insert(words.end(), more.begin(), more.end());
    fleet_->Run(words);
  }

  std::string Refused(std::vector<std::string> more) {
    std::vector<std::string> words = {"new", "-c", kComputer};
    words.insert(words.end(), more.begin(), more.end());
    const Process::Finished done = fleet_->Berth(words);
    EXPECT_NE(done.exit_code, 0) << done.out;
    return done.err;
  }

  std::string In(const std::string& session, const std::string& script) {
    return fleet_->Run({"run", "-s", session, "--", script});
  }

  // What a command says, whether it fails or not; `set -e` or not.
  std::string Try(const std::string& session, const std::string& script) {
    const Process::Finished done =
        fleet_->Berth({"run", "-s", session, "--", script});
    return absl::StrCat(done.exit_code, " ", done.out, done.err);
  }

  std::string Directory(const std::string& session) {
    return absl::StrCat(fleet_->AgentDirectory(kComputer), "/sessions/",
                        fleet_->Session(session).instance_id());
  }

  std::optional<Fleet> fleet_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_E2E_RUN_AS_FIXTURE_H_

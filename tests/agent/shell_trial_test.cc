// The self-test of a shell, with the real holder and the real bash.

#include "agent/sessions/shell_trial.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/identity_file.h"
#include "agent/sessions/holder_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ShellTrialTest : public ::testing::Test {
 protected:
  // As the agent does: nobody waits for holders.
  void SetUp() override { signal(SIGCHLD, SIG_IGN); }

  absl::Status Try(absl::Span<const ShellCase> cases,
                   const std::string& shell = "/bin/bash",
                   ShellKind kind = ShellKind::kBash) {
    const absl::Status status =
        TryShell(shell, std::filesystem::absolute(getenv("BERTH_HOLDER")),
                 dir_.path(), cases, kind);
    EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
    return status;
  }

  berth::testing::TempDir dir_;
};

TEST_F(ShellTrialTest, BashPasses) {
  const absl::Time start = absl::Now();
  EXPECT_EQ(Try(ShellCases()), absl::OkStatus());
  RecordProperty("milliseconds",
                 absl::StrCat(absl::ToInt64Milliseconds(absl::Now() - start)));
}

TEST_F(ShellTrialTest, ZshPasses) {
  EXPECT_EQ(Try(ShellCases(ShellKind::kZsh), "/usr/bin/zsh", ShellKind::kZsh),
            absl::OkStatus());
}

TEST_F(ShellTrialTest, PythonPasses) {
  EXPECT_EQ(Try(ShellCases(ShellKind::kPython), "/usr/bin/python3",
                ShellKind::kPython),
            absl::OkStatus());
}

TEST_F(ShellTrialTest, ShellOfAnotherKindFails) {
  EXPECT_THAT(std::string(Try(ShellCases(ShellKind::kPython), "/bin/bash",
                              ShellKind::kPython)
                              .message()),
              HasSubstr("/bin/bash"));
}

TEST_F(ShellTrialTest, RestrictedSessionsHaveNone) {
  EXPECT_TRUE(ShellCases(ShellKind::kRestricted).empty());
}

TEST_F(ShellTrialTest, FailureSaysWhatWasWantedAndWhatCame) {
  const ShellCase cases[] = {
      {.name = "fine", .script = "cd /; echo a", .out = "a\n"},
      {.name = "odd",
       .script = "printf 'b\\033'; echo c >&2; exit 3",
       .out = "x\n",
       .err = "",
       .cwd = "/usr"}};
  EXPECT_EQ(Try(cases),
            absl::FailedPreconditionError(
                "the shell /bin/bash can't host sessions: its self-test failed "
                "at 'odd': wanted COMPLETED with 0, stdout 'x\\n', stderr '', "
                "in '/usr', got EXITED with 3, stdout 'b\\x1b', stderr "
                "'c\\n', in '/'; choose another shell in agent.toml"));
}

TEST_F(ShellTrialTest, EveryCaseCanFail) {
  for (size_t i = 0; i < ShellCases().size(); ++i) {
    std::vector<ShellCase> cases(ShellCases().begin(),
                                 ShellCases().begin() + i + 1);
    cases.back().exit_code += 100;
    EXPECT_THAT(std::string(Try(cases).message()),
                HasSubstr(absl::StrCat("failed at '", cases[i].name, "'")));
  }
}

TEST_F(ShellTrialTest, WaitsOnlySoLong) {
  const ShellCase cases[] = {{.name = "stuck", .script = "sleep 30"}};
  const absl::Time start = absl::Now();
  EXPECT_THAT(std::string(Try(cases).message()),
              AllOf(HasSubstr("failed at 'stuck'"),
                    HasSubstr("did not answer in time")));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_F(ShellTrialTest, DyingShellIsAFailure) {
  const ShellCase cases[] = {{.name = "last", .script = "kill -9 $$"}};
  EXPECT_THAT(std::string(Try(cases).message()), HasSubstr("got SHELL_ENDED"));
}

TEST_F(ShellTrialTest, NoShellIsTheHoldersRefusal) {
  EXPECT_THAT(std::string(Try(ShellCases(), "/bin/dash").message()),
              HasSubstr("/bin/dash"));
}

TEST_F(ShellTrialTest, WhatAKilledAgentLeftIsRemoved) {
  const std::string left = dir_.path() + "/trial-abcdef";
  std::filesystem::create_directory(left);
  berth::testing::WriteTextFile(left + "/holder", "junk");
  berth::testing::WriteTextFile(dir_.path() + "/shells", "");
  EndLeftTrials(dir_.path());
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(dir_.path() + "/shells"));
}

TEST_F(ShellTrialTest, WhatAKilledAgentLeftRunningIsEnded) {
  const std::string left = dir_.path() + "/trial-abcdef";
  ASSERT_EQ(mkdir(left.c_str(), 0700), 0);
  holder::v1::HolderStart start;
  start.set_version(2);
  start.set_instance_id("11111111-1111-4111-8111-111111111111");
  start.set_directory(left);
  start.set_shell("/bin/bash");
  start.add_arguments("--norc");
  start.add_environment("PATH=/usr/bin:/bin");
  start.set_cwd("/");
  start.set_log_limit(1 << 20);
  start.set_when_full(holder::v1::HolderStart::DROP);
  start.set_rows(24);
  start.set_columns(80);
  start.set_hello_timeout_ms(5000);
  const auto started =
      StartHolder(std::filesystem::absolute(getenv("BERTH_HOLDER")), start,
                  absl::Seconds(10));
  ASSERT_TRUE(started.ok()) << started.status();
  const auto identity = holder::ReadIdentityFile(left + "/holder");
  ASSERT_TRUE(identity.ok()) << identity.status();
  ASSERT_EQ(holder::FateOf(*identity), holder::HolderFate::kAlive);
  EndLeftTrials(dir_.path());
  EXPECT_TRUE(WaitForExit(*identity, absl::Seconds(5)));
  EXPECT_FALSE(std::filesystem::exists(left));
  // Its shell goes with it.
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  while (kill(static_cast<pid_t>(started->shell_pid()), 0) == 0 &&
         absl::Now() < deadline) {
  }
  EXPECT_NE(kill(static_cast<pid_t>(started->shell_pid()), 0), 0);
}

}  // namespace
}  // namespace berth::agent

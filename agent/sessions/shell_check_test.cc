#include "agent/sessions/shell_check.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseShellsTest, KeepsTheLinesOfThisVersionAlone) {
  EXPECT_THAT(ParseShells("0.1.0 bash 1 2 3 /bin/bash\n"
                          "0.1.0 zsh 1 2 -3 /opt/my zsh\n"
                          "0.0.9 bash 1 2 3 /bin/old\n"
                          "0.1.0 1 2 3 /bin/bash\n"
                          "0.1.0 bash 1 x 3 /bin/bash\n"
                          "0.1.0 bash 1 2 3 bash\n"
                          "0.1.0 bash 1 2 3\n"
                          "\n"),
              ElementsAre("0.1.0 bash 1 2 3 /bin/bash",
                          "0.1.0 zsh 1 2 -3 /opt/my zsh"));
  EXPECT_THAT(ParseShells(""), IsEmpty());
  EXPECT_THAT(ParseShells(std::string("\0\xff\n \n    \n", 9)), IsEmpty());
}

TEST(ParseShellsTest, IsBounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    absl::StrAppend(&text, "0.1.0 bash 1 ", i, " 3 /b\n");
  EXPECT_EQ(ParseShells(text).size(), 256u);
}

class ShellCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string directory = ::testing::TempDir() + "/shells-XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    shell_ = directory + "/my\nshell";
    ASSERT_EQ(WriteFileAtomically(shell_, "a shell"), absl::OkStatus());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string File() const { return directory_ + "/shells"; }
  ShellCheck Make() {
    return ShellCheck(File(), [this](const std::string&, ShellKind) {
      ++trials_;
      return result_;
    });
  }

  std::string directory_;
  std::string shell_;
  std::atomic<int> trials_ = 0;
  absl::Status result_;
};

TEST_F(ShellCheckTest, SuccessIsRememberedUntilTheBinaryChanges) {
  ShellCheck check = Make();
  check.Load();
  EXPECT_EQ(check.Check(shell_), absl::OkStatus());
  EXPECT_EQ(check.Check(shell_), absl::OkStatus());
  ShellCheck later = Make();
  later.Load();
  EXPECT_EQ(later.Check(shell_), absl::OkStatus());
  EXPECT_EQ(trials_, 1);
  // Written anew, as an update does it.
  ASSERT_TRUE(WriteFileAtomically(shell_, "a shell").ok());
  EXPECT_EQ(later.Check(shell_), absl::OkStatus());
  EXPECT_EQ(trials_, 2);
}

TEST_F(ShellCheckTest, FailureIsReturnedAndTriedAgain) {
  ShellCheck check = Make();
  result_ = absl::FailedPreconditionError("no");
  EXPECT_EQ(check.Check(shell_), result_);
  EXPECT_FALSE(std::filesystem::exists(File()));
  result_ = absl::OkStatus();
  EXPECT_EQ(check.Check(shell_), absl::OkStatus());
  EXPECT_EQ(trials_, 2);
}

TEST_F(ShellCheckTest, FileThatCannotBeReadIsIgnored) {
  std::filesystem::create_directory(File());
  ShellCheck check = Make();
  check.Load();
  EXPECT_EQ(check.Check(shell_), absl::OkStatus());
  EXPECT_EQ(check.Check(shell_), absl::OkStatus());
  EXPECT_EQ(trials_, 1);
}

TEST_F(ShellCheckTest, ShellOfAnotherKindIsTestedAgain) {
  ShellCheck check = Make();
  EXPECT_EQ(check.Check(shell_, ShellKind::kZsh), absl::OkStatus());
  EXPECT_EQ(check.Check(shell_, ShellKind::kPython), absl::OkStatus());
  EXPECT_EQ(check.Check(shell_, ShellKind::kZsh), absl::OkStatus());
  EXPECT_EQ(trials_, 2);
}

TEST_F(ShellCheckTest, MissingShellIsLeftToWhoeverStartsIt) {
  EXPECT_EQ(Make().Check("/no/such/shell"), absl::OkStatus());
  EXPECT_EQ(trials_, 0);
}

TEST_F(ShellCheckTest, OneOfManyTestsAndAllGetItsResult) {
  absl::Notification go;
  ShellCheck check(File(), [&](const std::string&, ShellKind) -> absl::Status {
    ++trials_;
    if (!go.WaitForNotificationWithTimeout(absl::Seconds(20))) {
      return absl::DeadlineExceededError("nobody else came");
    }
    return absl::OkStatus();
  });
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { good += check.Check(shell_).ok(); });
  }
  go.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(trials_, 1);
}

}  // namespace
}  // namespace berth::agent

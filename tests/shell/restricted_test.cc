// Restricted sessions: what is allowed runs, as exactly as anywhere, and
// nothing else does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/shell/kinds.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

class RestrictedTest : public ShellTest {
 protected:
  void SetUp() override {
    Restart(OptionsFor(RestrictedKind()));
    ASSERT_TRUE(started());
  }

  // The command must not run, and say so.
  void ExpectRefused(const std::string& command, const std::string& why) {
    Result result = Run(command, {.out = "", .status = 126, .err = kAny});
    EXPECT_THAT(result.err, HasSubstr(why)) << command;
    EXPECT_EQ(result.how, How::kCompleted);
  }
};

TEST_F(RestrictedTest, AllowedProgramsRun) {
  Run("list /", {.status = 0, .err = ""});
  Run("echo 'a  b' \"c d\" e\\ f", {.out = "a  b c d e f\n"});
  Run("  echo\tx  \n", {.out = "x\n"});
  Run("true");
  Run("false", {.status = 1});
}

TEST_F(RestrictedTest, ProgramsAreCalledByTheNameTheyAreAllowedUnder) {
  Run("name", {.out = "name\n", .input = "echo $0"});
}

TEST_F(RestrictedTest, OtherProgramsAreRefusedAndTheAllowedNamed) {
  for (const char* command :
       {"rm -rf /", "/bin/echo x", "./echo", "bash", "exit 3", "cd /"}) {
    ExpectRefused(command, "not allowed in this session; allowed: echo, ");
  }
}

TEST_F(RestrictedTest, ArgumentsMustMatchTheirPatterns) {
  Run("list /usr", {});
  ExpectRefused("list", "takes 1 arguments");
  ExpectRefused("list / /", "takes 1 arguments");
  ExpectRefused("list /etc", "argument 1 of 'list', '/etc'");
  ExpectRefused("list /usr/../etc", "must match '/|/usr'");
  ExpectRefused("true x", "takes 0 arguments");
}

TEST_F(RestrictedTest, WhatAShellWouldActOnIsRefused) {
  for (const char* command :
       {"echo a; id", "echo a | id", "echo a && id", "echo a & id",
        "echo a > ~/x", "echo a < /etc/passwd", "echo $HOME", "echo `id`",
        "echo $(id)", "echo *", "echo \"$HOME\"", "echo a\nid"}) {
    ExpectRefused(command, "means nothing here");
  }
  Run("echo 'a; id' 'b | c' '$HOME' '*'", {.out = "a; id b | c $HOME *\n"});
  ExpectRefused("echo 'a", "no other to end it");
  ExpectRefused("", "empty");
}

TEST_F(RestrictedTest, ProgramThatIsMissingIsStatus127) {
  Result result = Run("missing", {.out = "", .status = 127, .err = kAny});
  EXPECT_THAT(result.err, HasSubstr("/nonexistent/program"));
}

TEST_F(RestrictedTest, LongMessagesDoNotBlock) {
  ExpectRefused(StrCat("list ", std::string(60000, 'x')), "argument 1");
  ExpectRefused(StrCat("echo ", std::string(70000, 'x')), "65536");
}

TEST_F(RestrictedTest, ThereIsNoTerminal) {
  EXPECT_EQ(session().shell_pid(), 0);
  Run("sh -c 'tty; exec 2>&-; : </dev/tty'",
      {.out = "not a tty\n", .status = 2});
  holder::v1::Request request;
  request.mutable_terminal_input()->set_data("x");
  auto other = session().Connect();
  ASSERT_TRUE(other.ok()) << other.status();
  Check(other->Send(request));
  auto event = other->Next();
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->refused().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(event->refused().message(), HasSubstr("no terminal"));
}

TEST_F(RestrictedTest, EachRunIsAProcessGroupOfItsOwn) {
  std::string first = Run("sh -c 'ps -o pgid= $$'").out;
  std::string second = Run("sh -c 'ps -o pgid= $$'").out;
  EXPECT_NE(first, second);
}

TEST_F(RestrictedTest, RunsQueueAndCanBeRefusedAsBusy) {
  Run("sh -c 'mkfifo ~/gate'");
  uint64_t first = Begin("sh -c 'read go <~/gate; echo $go'");
  uint64_t second = Queue("echo second");
  Submission submission;
  submission.script = "echo x";
  submission.wait = absl::ZeroDuration();
  EXPECT_EQ(session().Submit(submission).status().code(),
            absl::StatusCode::kAborted);
  WriteTextFile(session().home() + "/gate", "first\n");
  Finish(first, {.out = "first\n"});
  Finish(second, {.out = "second\n"});
}

TEST_F(RestrictedTest, ChildrenThatIgnoreTheInterruptAreEnded) {
  uint64_t sequence = Begin(
      "sh -c 'trap \"\" INT TERM; sh -c \"sleep 1000; :\" & echo on; wait; "
      "sleep 1000'");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence, /*force=*/true);
  Result result = Finish(sequence, {.out = "on\n", .status = 137});
  EXPECT_EQ(result.how, How::kInterrupted);
  Run("echo alive", {.out = "alive\n"});
}

TEST_F(RestrictedTest, TerminateEndsARunAsTheSessions) {
  uint64_t sequence = Begin("sh -c 'echo on; sleep 1000'");
  Check(session().WaitOutput(sequence, "on"));
  holder::v1::Request request;
  request.mutable_terminate()->set_reason(1);
  Check(session().client().Send(request));
  Result result = Finish(sequence, {.out = "on\n", .status = 129});
  EXPECT_EQ(result.how, How::kShellEnded);
  Check(session().WaitGone());
}

TEST_F(RestrictedTest, LimitsHoldForEachProgram) {
  HolderSession::Options options = OptionsFor(RestrictedKind());
  auto allow = options.change_start;
  options.change_start = [allow](holder::v1::HolderStart& start) {
    allow(start);
    holder::v1::ResourceLimit& limit = *start.add_resource_limits();
    limit.set_resource(RLIMIT_NOFILE);
    limit.set_limit(50);
  };
  Restart(options);
  Run("sh -c 'ulimit -n'", {.out = "50\n"});
}

struct BadList {
  const char* name;
  void (*change)(holder::v1::HolderStart&);
  const char* error;
};

class BadListTest : public ShellTest,
                    public ::testing::WithParamInterface<BadList> {
 protected:
  void SetUp() override {}
};

TEST_P(BadListTest, IsAClearErrorAtTheStart) {
  HolderSession::Options options = OptionsFor(RestrictedKind());
  auto allow = options.change_start;
  options.change_start = [allow](holder::v1::HolderStart& start) {
    allow(start);
    GetParam().change(start);
  };
  absl::Status status = HolderSession::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadListTest,
    ::testing::Values(
        BadList{"Empty", [](auto& start) { start.clear_allowed(); },
                "at least one"},
        BadList{"RelativePath",
                [](auto& start) { start.mutable_allowed(0)->set_path("ls"); },
                "not absolute"},
        BadList{
            "BadPattern",
            [](auto& start) { start.mutable_allowed(0)->add_arguments("("); },
            "pattern"},
        BadList{"StartupScript",
                [](auto& start) { start.set_startup_script("echo"); },
                "startup script"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::testing

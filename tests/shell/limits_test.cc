// Where the ways of a session end, and that each end says so: shells that
// can't host one, shells that are busy, replaced, stopped or killed, and
// holders that are.
//
// The known limits of serving bash by a hook, and the test of each (here, if no
// file is named):
//
//   static, without symbols, or no bash   BadShellTest
//   an update changes bash's inside       tests/agent/shell_trial_test
//   `exec bash` typed or run              hostile_test
//   ReplacedShellIsNoticed...,
//                                         RunThatReplacesTheShell...
//   a shell in the shell in front         NestedShellIsTheReasonOfARefusal
//   a half-typed command left open        HalfTypedCommandIsTheReason...
//   exec's redirections end with a run    script_test ExecRedirectionsLast...
//   execfail reads "on" in a run          ExecfailReadsOnInARun
//   a cancelled loop interrupts what is   CancelledLoopInterruptsWhatIsInThe...
//     in the shell's own process group
//   the user's traps see a run            hostile_test DebugTrapSeesOnly...,
//                                         ErrTrapFiresOnce, XtraceIsOfTheRun...
//   `read -e` in a run                    human_test RunThatUsesReadline...
//   background jobs are announced later   BackgroundJobIsAnnouncedAtThePrompt
//   a run that never ends blocks people   RunThatNeverEndsIsInterruptedBy...
//   suspended or stopped                  StoppedShellDoesNotHangTheSession
//   killed                                RunsQueuedBehindAShellThatDies...
//   without line editing                  hostile_test NoLineEditing
//   restricted, posix, set -e, unset      hostile_test (each setting a test)
//     names, few descriptors, ...
//   the holder is killed                  HolderKilledTest
//   a NUL byte in a script                NulInAScriptIsRefused

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/log/journal.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using absl::StatusCode;
using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

class LimitsTest : public ShellTest {
 protected:
  void ExpectAlive() { Run("echo alive", {.out = "alive\n"}); }

  absl::Status StartWith(const HolderSession::Options& options) {
    return HolderSession::Start(options).status();
  }

  // The last record of the session's journal.
  holder::v1::SessionEnded JournalEnd() {
    holder::v1::JournalRecord last;
    auto extent = agent::ReadJournal(
        session().directory() + "/journal",
        [&](const holder::v1::JournalRecord& record) { last = record; });
    EXPECT_TRUE(extent.ok()) << extent.status();
    EXPECT_TRUE(last.has_session_ended()) << last.record_case();
    return last.session_ended();
  }
};

// --- Shells that can't host a session.

struct BadShell {
  const char* name;
  const char* shell;
  const char* error;  // What it must say.
};

class BadShellTest : public LimitsTest,
                     public ::testing::WithParamInterface<BadShell> {};

TEST_P(BadShellTest, IsAClearErrorAtTheStart) {
  HolderSession::Options options;
  options.shell = GetParam().shell;
  if (options.shell == "static") options.shell = getenv("BERTH_STATIC_PROGRAM");
  if (options.shell == "script") {
    options.shell = session().home() + "/script";
    WriteTextFile(options.shell, "#!/bin/sh\nexec bash\n");
    chmod(options.shell.c_str(), 0755);
  }
  absl::Status status = StartWith(options);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.shell));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadShellTest,
    ::testing::Values(BadShell{"Static", "static", "static"},
                      BadShell{"Dash", "/bin/dash", ""},
                      BadShell{"NotAShell", "/bin/cat", ""},
                      BadShell{"Script", "script", ""},
                      BadShell{"Missing", "/nonexistent/bash", ""},
                      BadShell{"Directory", "/tmp", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(LimitsTest, StartUpFileThatExitsEndsTheSession) {
  HolderSession::Options options;
  options.bashrc = "exit 7\n";
  options.wait_idle = false;
  auto started = HolderSession::Start(options);
  if (!started.ok()) {
    EXPECT_THAT(std::string(started.status().message()), Not(HasSubstr("OK")));
    return;
  }
  Check((*started)->WaitGone());
}

TEST_F(LimitsTest, RunDuringTheStartUpFilesWaitsForTheirEnd) {
  HolderSession::Options options;
  options.bashrc = "PS1='$ '; sleep 0.2; early=1\n";
  options.wait_idle = false;
  Restart(options);
  Run("echo \"<$early>\"", {.out = "<1>\n"});
}

// --- Malformed starts.

struct BadStart {
  const char* name;
  void (*change)(holder::v1::HolderStart&);
};

class BadStartTest : public LimitsTest,
                     public ::testing::WithParamInterface<BadStart> {};

TEST_P(BadStartTest, IsAClearErrorAtTheStart) {
  HolderSession::Options options;
  options.change_start = GetParam().change;
  absl::Status status = StartWith(options);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message(), "");
}

INSTANTIATE_TEST_SUITE_P(
    All, BadStartTest,
    ::testing::Values(
        BadStart{"Version", [](auto& start) { start.set_version(5); }},
        BadStart{"NoVersion", [](auto& start) { start.set_version(0); }},
        BadStart{"NoDirectory",
                 [](auto& start) { start.set_directory("/nonexistent/x"); }},
        BadStart{"RelativeDirectory",
                 [](auto& start) { start.set_directory("x"); }},
        BadStart{"NoShell", [](auto& start) { start.clear_shell(); }},
        BadStart{"LogTooSmall",
                 [](auto& start) { start.set_log_limit(1000); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(LimitsTest, StartThatIsNoMessageEndsTheHolder) {
  const std::string starts[] = {
      "", "\x01", std::string("\xff\xff\xff\xff", 4),
      Frame(std::string("\xff\xff\xff\xff\xff\xff", 6)), Frame("")};
  for (const std::string& start : starts) {
    auto holder = Process::Run({.argv = {HolderProgram()}}, start);
    ASSERT_TRUE(holder.ok()) << holder.status();
    EXPECT_LT(holder->exit_code, 128) << "it was killed";
  }
}

TEST_F(LimitsTest, MissingWorkingDirectoryFallsBackToTheRoot) {
  HolderSession::Options options;
  options.change_start = [](holder::v1::HolderStart& start) {
    start.set_cwd("/nonexistent/directory");
  };
  Restart(options);
  Run("pwd", {.out = "/\n"});
}

TEST_F(LimitsTest, ShellGetsTheEnvironmentOfTheStartAndNothingElse) {
  setenv("BERTH_TEST_LEAK", "leaked", 1);
  HolderSession::Options options;
  options.environment = {"GIVEN=a b"};
  Restart(options);
  unsetenv("BERTH_TEST_LEAK");
  std::string environment = Run("env").out;
  EXPECT_THAT(environment, HasSubstr("GIVEN=a b\n"));
  EXPECT_THAT(environment, Not(HasSubstr("BERTH")));
  EXPECT_THAT(environment, Not(HasSubstr("LD_PRELOAD")));
}

// --- Busy, and why.

TEST_F(LimitsTest, NestedShellIsTheReasonOfARefusal) {
  size_t from = session().terminal().size();
  Type("bash --norc\n");
  Check(session().WaitForeground("bash"));
  Check(session().WaitTerminal("bash-", from));
  Submission submission;
  submission.script = "echo x";
  submission.wait = absl::ZeroDuration();
  auto refused = session().Submit(submission);
  EXPECT_EQ(refused.status().code(), StatusCode::kAborted) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("terminal"));
  TypeUntilPrompt("exit\n");
  ExpectAlive();
}

TEST_F(LimitsTest, HalfTypedCommandIsTheReasonOfARefusal) {
  size_t from = session().terminal().size();
  Type("for q in 1 2\n");
  Check(session().WaitState(State::TERMINAL));
  Check(session().WaitTerminal("> ", from));
  Submission submission;
  submission.script = "echo x";
  submission.wait = absl::ZeroDuration();
  auto refused = session().Submit(submission);
  EXPECT_EQ(refused.status().code(), StatusCode::kAborted) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("terminal"));
  TypeUntilPrompt("\x03");
  ExpectAlive();
}

TEST_F(LimitsTest, NulInAScriptIsRefused) {
  Submission submission;
  submission.script = std::string("echo a\0; echo b", 15);
  auto refused = session().Submit(submission);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument)
      << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("NUL"));
  ExpectAlive();
}

// --- What shows of runs.

TEST_F(LimitsTest, ExecfailReadsOnInARun) {
  Run("shopt execfail", {.out = "execfail       \ton\n"});
  size_t from = session().terminal().size();
  TypeLine("shopt execfail | tr -s ' \\t' :");
  ExpectPrinted(from, "execfail:off");
}

TEST_F(LimitsTest, BackgroundJobIsAnnouncedAtThePrompt) {
  Run("sleep 0.05 & echo on", {.out = "on\n"});
  Run("sleep 0.2", {.out = ""});
  size_t from = session().terminal().size();
  TypeLine("echo typed");
  Check(session().WaitTerminal("Done", from));
  EXPECT_THAT(Printed(from), HasSubstr("sleep 0.05"));
}

TEST_F(LimitsTest, CancelledLoopInterruptsWhatIsInTheShellsOwnGroup) {
  Run("exec 3> >(exec cat >/dev/null); cat=$!");
  // An external command has a group of its own, once it runs.
  uint64_t sequence = Begin("sh -c 'echo on; exec sleep 1000'");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence);
  Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
  Run("kill -0 $cat");
  // A loop has the shell's, as with ^C on any terminal.
  sequence = Begin("echo on; while :; do :; done");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence);
  Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
  Run("wait $cat 2>/dev/null; kill -0 $cat", {.status = 1, .err = kAny});
}

TEST_F(LimitsTest, RunThatNeverEndsIsInterruptedByCtrlC) {
  uint64_t sequence = Begin("echo on; while :; do sleep 0.01; done");
  Check(session().WaitOutput(sequence, "on"));
  size_t from = session().terminal().size();
  Type("echo typed\n");
  session().Idle(absl::Milliseconds(50));
  EXPECT_THAT(Printed(from), Not(HasSubstr("typed")));
  TypeUntilPrompt("\x03");
  Finish(sequence, {.out = kAny, .status = 130, .err = kAny});
  ExpectPrinted(from, "typed");
}

// --- The shell replaced, stopped, killed.

TEST_F(LimitsTest, RunThatReplacesTheShellByAProgramThatStays) {
  uint64_t sequence = Begin("echo before; exec sleep 30");
  Check(session().WaitOutput(sequence, "before"));
  Check(session().WaitUntil(
      [&] {
        session().Idle(absl::Milliseconds(1));
        return ProcessName(session().shell_pid()) == "sleep";
      },
      "the exec"));
  // It is the run's still, and can be interrupted.
  Interrupt(sequence);
  Result result =
      Finish(sequence, {.out = "before\n", .status = 130, .err = kAny});
  Check(session().WaitGone());
}

TEST_F(LimitsTest, RunsQueuedBehindAShellThatDiesAreReportedAsNotStarted) {
  uint64_t first = Begin("sleep 0.1; kill -9 $$");
  uint64_t second = Queue("echo never");
  Result result = Finish(first, {.out = "", .status = 137});
  EXPECT_EQ(result.how, How::kShellEnded);
  auto never = session().Wait(second);
  if (never.ok()) {
    EXPECT_EQ(never->how, How::kNotStarted);
    EXPECT_EQ(never->out, "");
  } else {
    EXPECT_EQ(never.status().code(), StatusCode::kFailedPrecondition)
        << never.status();
  }
  Check(session().WaitGone());
  holder::v1::SessionEnded end = JournalEnd();
  EXPECT_EQ(end.reason(), 2u);  // END_REASON_SHELL_EXITED
  EXPECT_EQ(end.wait_status(), SIGKILL);
}

TEST_F(LimitsTest, TypedExitEndsTheSessionWithItsStatus) {
  Type("exit 3\n");
  Check(session().WaitGone());
  holder::v1::SessionEnded end = JournalEnd();
  EXPECT_EQ(end.reason(), 2u);  // END_REASON_SHELL_EXITED
  EXPECT_EQ(end.wait_status(), 3 << 8);
}

TEST_F(LimitsTest, StoppedShellDoesNotHangTheSession) {
  Repeat([&](int) {
    kill(session().shell_pid(), SIGSTOP);
    Run("echo on", {.out = "on\n"});
    Run("kill -STOP $$; echo after", {.out = "after\n", .err = kAny});
    RunAnyhow("suspend -f");
    ExpectAlive();
  });
}

TEST_F(LimitsTest, RunThatStopsItselfCanBeInterrupted) {
  Repeat([&](int) {
    uint64_t sequence = Begin("sh -c 'kill -STOP $$; echo NOT'");
    session().Idle(absl::Milliseconds(50));
    Interrupt(sequence);
    Result result = Finish(sequence, {.status = kAny, .err = kAny});
    EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
    RunAnyhow("kill -9 $(jobs -p) 2>/dev/null; wait 2>/dev/null");
    ExpectAlive();
  });
}

// --- The end of everything.

TEST_F(LimitsTest, TerminateEndsEverythingInTheSession) {
  const char* scripts[] = {
      "sleep 1000",
      "while :; do :; done",
      "trap '' HUP INT TERM; while :; do sleep 0.01; done",
      "sh -c \"trap '' HUP INT TERM; sleep 1000; :\"",
      "(trap '' HUP; sleep 1000) & sleep 1000 & wait",
      "x=$(sleep 1000)",
  };
  for (const char* script : scripts) {
    SCOPED_TRACE(script);
    Begin(script);
    Restart();  // Which checks that no process of it stays.
  }
}

struct Moment {
  const char* name;
  const char* script;  // What the session does when it is ended; "": nothing.
  bool finished;       // The script has ended at that very moment.
};

class TerminateTest : public LimitsTest,
                      public ::testing::WithParamInterface<Moment> {};

// What acts on SIGHUP need not be killed, for which the holder waits a second:
// a bash that got it right after a run slept over it.
TEST_P(TerminateTest, TakesNoTime) {
  std::vector<absl::Duration> took;
  RepeatFresh([&](int) {
    const Moment& moment = GetParam();
    if (moment.finished) {
      Run(moment.script);
    } else if (*moment.script != 0) {
      Begin(moment.script);
    }
    const absl::Time start = absl::Now();
    End();
    took.push_back(absl::Now() - start);
    EXPECT_LT(took.back(), absl::Milliseconds(700));
  });
  std::sort(took.begin(), took.end());
  ASSERT_FALSE(took.empty());
  // Not each: other programs may want the processor.
  EXPECT_LT(took[took.size() / 2], absl::Milliseconds(150));
}

INSTANTIATE_TEST_SUITE_P(
    All, TerminateTest,
    ::testing::Values(Moment{"AtThePrompt", "", false},
                      Moment{"AfterARun", "true", true},
                      Moment{"AfterAProgram", "/bin/true", true},
                      Moment{"AsARunBegins", "true", false},
                      Moment{"BusyLoop", "while :; do :; done", false},
                      Moment{"LoopOfPrograms", "while :; do /bin/true; done",
                             false},
                      Moment{"Program", "sleep 1000", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(LimitsTest, AgentOfTheVersionBeforeIsServed) {
  HolderSession::Options options;
  options.change_start = [](auto& start) { start.set_version(1); };
  Restart(options);
  Run("echo x", {.out = "x\n"});
}

TEST_F(LimitsTest, TerminateIsInTheJournalWithItsReason) {
  holder::v1::Request request;
  request.mutable_terminate()->set_reason(3);  // END_REASON_IDLE_TIMEOUT
  Check(session().client().Send(request));
  Check(session().WaitGone());
  EXPECT_EQ(JournalEnd().reason(), 3u);
}

struct Orphan {
  const char* name;
  const char* script;
};

class HolderKilledTest : public LimitsTest,
                         public ::testing::WithParamInterface<Orphan> {};

TEST_P(HolderKilledTest, ShellAndWhatItRunsEnd) {
  RepeatFresh([&](int) {
    uint64_t sequence = Begin(StrCat("echo ready; ", GetParam().script));
    Check(session().WaitOutput(sequence, "ready"));
    session().Idle(absl::Milliseconds(20));
    kill(session().holder_pid(), SIGKILL);
    Check(session().WaitGone());
    End();  // Which waits for the end of all its processes.
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, HolderKilledTest,
    ::testing::Values(Orphan{"Child", "sleep 1000"},
                      Orphan{"BuiltinLoop", "while :; do :; done"},
                      Orphan{"Substitution", "x=$(sleep 1000)"},
                      Orphan{"Wait", "sleep 1000 & wait"},
                      Orphan{"Read", "mkfifo ~/f; read x <>~/f"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(LimitsTest, KilledHolderLeavesTheOutputReadable) {
  Result result = Run("echo kept");
  kill(session().holder_pid(), SIGKILL);
  Check(session().WaitGone());
  auto logged = session().ReadLog(result.sequence, 0, 5);
  if (!Check(logged.status())) return;
  EXPECT_EQ(logged->out, "kept\n");
}

TEST_F(LimitsTest, IdentityFileNamesTheHolder) {
  std::string identity = ReadTextFile(session().directory() + "/holder");
  EXPECT_THAT(identity, HasSubstr(StrCat(session().holder_pid())));
  EXPECT_THAT(identity, HasSubstr(ProcessField(session().holder_pid(), 22)));
}

TEST_F(LimitsTest, FilesOfTheSessionArePrivate) {
  Run("echo x");
  for (const char* name : {"socket", "journal", "holder"}) {
    struct stat info;
    std::string path = StrCat(session().directory(), "/", name);
    ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 077, 0u) << path;
  }
}

}  // namespace
}  // namespace berth::testing

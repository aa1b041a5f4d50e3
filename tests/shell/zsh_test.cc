// What is zsh's own. What all kinds do is in kinds_test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

class ZshTest : public ShellTest {
 protected:
  void SetUp() override {
    Restart(OptionsFor(ZshKind()));
    ASSERT_TRUE(started());
  }

  void RestartWith(const std::string& zshrc) {
    HolderSession::Options options = OptionsFor(ZshKind());
    options.zshrc = zshrc;
    Restart(options);
  }
};

TEST_F(ZshTest, RunsAreAtTopLevel) {
  Run("typeset y=7; declare -A m; m[a]=1; local z=3; integer n=4");
  Run("echo $y $m[a] $z $n", {.out = "7 1 3 4\n"});
  size_t from = session().terminal().size();
  TypeLine("echo ${(t)y} $y");
  ExpectPrinted(from, "scalar 7");
}

TEST_F(ZshTest, FunctionsAliasesAndOptionsPersist) {
  Run("f() { echo f:$1 }; alias ll='echo LL'; setopt extended_glob");
  Run("f 1; ll 2; [[ -o extended_glob ]] && echo on",
      {.out = "f:1\nLL 2\non\n"});
}

TEST_F(ZshTest, StatusOfTheRunBeforeAndOfTheUserAreApart) {
  TypeLine("(exit 5)");
  Run("false", {.status = 1});
  Run("echo $?", {.out = "1\n"});
  size_t from = session().terminal().size();
  TypeLine("echo status $?");
  ExpectPrinted(from, "status 5");
}

TEST_F(ZshTest, ReturnEndsTheRun) {
  Run("echo a; return 9; echo b", {.out = "a\n", .status = 9});
}

TEST_F(ZshTest, ExitInAFunctionEndsTheRunAlone) {
  Run("f() { exit 6; echo NOT }; f; echo NOT", {.status = 6});
  Run("for i in 1 2; do exit 7; done", {.status = 7});
  Run("eval exit 8", {.status = 8});
  Run("false; exit", {.status = 1});
  Run("(exit 4); echo $?; echo $(exit 5)$?", {.out = "4\n5\n"});
  Run("whence -w exit", {.out = "exit: function\n"});
  size_t from = session().terminal().size();
  TypeLine("whence -w exit TRAPZERR");
  ExpectPrinted(from, "exit: builtin\r\nTRAPZERR: none");
}

TEST_F(ZshTest, ExitFunctionOfTheUserStaysTheirs) {
  Run("exit() { echo mine $1 }");
  Run("exit 3", {.out = "mine 3\n"});
  Run("whence -w exit", {.out = "exit: function\n"});
}

TEST_F(ZshTest, FailureUnderErrexitEndsTheRunAlone) {
  Repeat([&](int) {
    Result result =
        Run("set -e; echo a; false; echo NOT", {.out = "a\n", .status = 1});
    EXPECT_EQ(result.how, How::kExited);
    Run("false; echo on; [[ -o errexit ]] || echo off", {.out = "on\noff\n"});
  });
}

TEST_F(ZshTest, ErrorThatAbortsEndsTheRunAlone) {
  Run("echo a; ${none:?gone}; echo NOT",
      {.out = "a\n", .status = 126, .err = kAny});
  Run("echo alive", {.out = "alive\n"});
}

TEST_F(ZshTest, CursorOfAHalfTypedLineIsKept) {
  Repeat([&](int) {
    TypePart("echo ac");
    Type("\x02");  // One character back.
    session().Idle(absl::Milliseconds(30));
    Run("echo run", {.out = "run\n"});
    size_t from = session().terminal().size();
    TypeUntilPrompt("b\n");
    ExpectPrinted(from, "abc");
  });
}

TEST_F(ZshTest, RunsAreNotInTheHistory) {
  TypeLine("echo typed");
  Run("echo run", {.out = "run\n"});
  size_t from = session().terminal().size();
  TypeLine("fc -l -n -2");
  EXPECT_THAT(Printed(from), HasSubstr("echo typed"));
  EXPECT_THAT(Printed(from), Not(HasSubstr("_berth")));
}

TEST_F(ZshTest, ContinuedCommandIsBusy) {
  size_t from = session().terminal().size();
  Type("for q in 1 2\n");
  Check(session().WaitState(State::TERMINAL));
  Check(session().WaitTerminal("for>", from));
  uint64_t sequence = Queue("echo run");
  TypeUntilPrompt("do echo q$q; done\n");
  Finish(sequence, {.out = "run\n"});
  ExpectPrinted(from, "q1\r\nq2");
}

TEST_F(ZshTest, UnfinishedSequenceOfKeysIsNotBroken) {
  TypePart("echo x");
  Type("\x18");  // Ctrl-X: another key follows.
  session().Idle(absl::Milliseconds(50));
  Submission submission;
  submission.script = "echo run";
  auto sequence = session().Submit(submission);
  if (!Check(sequence.status())) return;
  session().Idle(absl::Milliseconds(100));
  EXPECT_FALSE(session().command(*sequence).ended);
  Type("\x18");  // Ctrl-X Ctrl-X: mark and cursor change places.
  Finish(*sequence, {.out = "run\n"});
  size_t from = session().terminal().size();
  TypeUntilPrompt("\x05y\n");
  ExpectPrinted(from, "xy");
}

TEST_F(ZshTest, HooksThatTheUserTookAwayAreNotMissed) {
  TypeLine("precmd_functions=() preexec_functions=() zle_line_init=()");
  Run("echo one", {.out = "one\n"});
  TypeLine("precmd_functions=(); bindkey -d; zle -D zle-line-init");
  Run("echo two", {.out = "two\n"});
  Run("echo three", {.out = "three\n"});
}

TEST_F(ZshTest, ViModeIsServedToo) {
  RestartWith("PS1='$ '; bindkey -v\n");
  Run("echo insert", {.out = "insert\n"});
  TypePart("echo half");
  Type("\x1b");
  session().Idle(absl::Seconds(1));  // Longer than KEYTIMEOUT.
  Run("echo command", {.out = "command\n"});
}

TEST_F(ZshTest, SpecialOptionsDoNotMatter) {
  for (const char* option :
       {"ksh_arrays", "sh_word_split", "no_unset", "glob_subst", "no_clobber",
        "posix_builtins", "xtrace", "no_short_loops", "no_function_argzero",
        "verbose", "no_prompt_sp", "sh_file_expansion", "interactive_comments",
        "no_multios", "no_bg_nice", "err_return", "pipe_fail", "monitor"}) {
    SCOPED_TRACE(option);
    TypeLine(StrCat("setopt ", option));
    Run("echo out; (exit 3)", {.out = "out\n", .status = 3, .err = kAny});
    Run("cat", {.out = "in", .err = kAny, .input = "in"});
    TypeLine(StrCat("unsetopt ", option));
  }
}

TEST_F(ZshTest, PrivateDirectoryOfStartUpFilesIsTheUsers) {
  Run("echo ${ZDOTDIR-unset}", {.out = "unset\n"});
  HolderSession::Options options = OptionsFor(ZshKind());
  TempDir dotfiles;
  WriteTextFile(dotfiles.path() + "/.zshrc", "PS1='$ '; from=dotfiles\n");
  WriteTextFile(dotfiles.path() + "/.zshenv", "early=yes\n");
  options.environment = {"ZDOTDIR=" + dotfiles.path()};
  Restart(options);
  Run("echo $ZDOTDIR $from $early",
      {.out = dotfiles.path() + " dotfiles yes\n"});
}

TEST_F(ZshTest, ShellThatIgnoresInterruptsCanBeForced) {
  uint64_t sequence = Begin("trap '' INT; echo on; while :; do :; done");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence, /*force=*/true);
  Finish(sequence, {.out = "on\n", .status = 130});
  Run("trap - INT; echo alive", {.out = "alive\n"});
}

TEST_F(ZshTest, TrapForInterruptsIsTheUsers) {
  uint64_t sequence =
      Begin("trap 'echo caught; return 4' INT; echo on; sleep 1000; echo NOT");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence);
  Result result = Finish(sequence, {.status = kAny});
  EXPECT_THAT(result.out, HasSubstr("caught\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
}

struct Unfit {
  const char* name;
  const char* shell;
  const char* argument;
  const char* error;
};

class UnfitZshTest : public ShellTest,
                     public ::testing::WithParamInterface<Unfit> {
 protected:
  void SetUp() override {}
};

TEST_P(UnfitZshTest, IsAClearErrorAtTheStart) {
  HolderSession::Options options = OptionsFor(ZshKind());
  options.shell = GetParam().shell;
  if (GetParam().argument[0] != 0) options.arguments = {GetParam().argument};
  options.hello_timeout = absl::Seconds(1);
  absl::Status status = HolderSession::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    All, UnfitZshTest,
    ::testing::Values(
        Unfit{"OtherShell", "/bin/bash", "", "is it a zsh"},
        Unfit{"WithoutStartUpFiles", "/usr/bin/zsh", "-f", "-f"},
        Unfit{"NotInteractive", "/usr/bin/zsh", "+i", "not interactive"},
        Unfit{"Missing", "/nonexistent/zsh", "", "/nonexistent/zsh"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::testing

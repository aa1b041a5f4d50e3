// Whatever its user has done to the shell, runs go on to work.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;

class HostileTest : public ShellTest {};

struct Setting {
  const char* name;
  const char* typed;
};

class SettingTest : public HostileTest,
                    public ::testing::WithParamInterface<Setting> {};

TEST_P(SettingTest, DoesNotDisturbRuns) {
  // Where `exec >~/out` and the like end up.
  TypeLine("cd ~");
  const uint64_t prompts = session().prompts();
  Type(StrCat(GetParam().typed, "\n"));
  Check(session().WaitPrompt(prompts));
  Repeat([&](int i) {
    Run(StrCat("hx=v", i, "; echo \"$hx a b\""),
        {.out = StrCat("v", i, " a b\n")});
    Run("echo \"$hx\"; (exit 4)", {.out = StrCat("v", i, "\n"), .status = 4});
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, SettingTest,
    ::testing::Values(
        Setting{"PromptCommandUnset", "unset PROMPT_COMMAND"},
        Setting{"PromptCommandFails", "PROMPT_COMMAND='echo PC; false'"},
        Setting{"Ps0", "PS0='zz'"},
        Setting{"Ps1OfTwoLines",
                R"(PS1='\n[\w] \[\e[32m\]\$(date)\[\e[0m\]\n> ')"},
        Setting{"TrapWinchRemoved", "trap - WINCH"},
        Setting{"TrapWinchIgnored", "trap '' WINCH"},
        Setting{"AllTrapsReset",
                R"(for t in $(trap -l | grep -o "SIG[A-Z0-9+-]*"); do )"
                "trap - $t 2>/dev/null; done"},
        Setting{"TrapDebug", "trap ':' DEBUG"},
        Setting{"TrapErr", "trap ':' ERR"},
        Setting{"FunctraceReturn", "set -T -E; trap ':' RETURN"},
        Setting{"StdoutToAFile", "exec >~/out"},
        Setting{"MoreDescriptors", "exec 3</dev/null 4>&1"},
        Setting{"Nounset", "set -u"}, Setting{"Posix", "set -o posix"},
        Setting{"Extdebug", "shopt -s extdebug"},
        Setting{"ExtdebugSkipsSourcing",
                "shopt -s extdebug; trap '[[ $BASH_COMMAND != .* ]]' DEBUG"},
        Setting{"IfsOfDigits", "IFS=0123456789/"}, Setting{"IfsEmpty", "IFS="},
        Setting{"FunctionsUnset",
                "for f in $(compgen -A function); do unset -f \"$f\"; done"},
        Setting{"VariablesUnset", "for v in ${!__*}; do unset $v; done"},
        Setting{"Noglob", "set -f"}, Setting{"Noclobber", "set -C"},
        Setting{"Keyword", "set -k"}, Setting{"Allexport", "set -a"},
        Setting{"PathEmpty", "PATH="}, Setting{"LocaleC", "export LC_ALL=C"},
        Setting{"BuiltinsAreFunctions",
                "printf() { :; }; builtin() { :; }; trap() { :; }; "
                "read() { :; }"},
        Setting{"BuiltinsAreAliases",
                "alias printf=false builtin=false .=false if=echo case=echo"},
        Setting{"NoAliases", "shopt -u expand_aliases"},
        Setting{"NoPromptvars", "shopt -u promptvars"},
        Setting{"NoHistory", "set +o history"},
        Setting{"KeysRebound",
                R"(bind -x "\"\\e[5731~\": :"; bind -r "\\e[5731~"; )"
                R"(bind "\"a\": \"b\"")"},
        Setting{"ViMode", "set -o vi"},
        Setting{"ExportedFunction", "exf() { :; }; export -f exf"},
        Setting{"WorkingDirectoryDeleted",
                "mkdir -p ~/gone; cd ~/gone; rmdir ~/gone"},
        Setting{"VariablesOfTheEnvironmentUnset", "unset TMPDIR HOME TERM"},
        Setting{"NoJobControl", "set +m"},
        Setting{"UmaskOfAllBits", "umask 777"},
        Setting{"BuiltinsDisabled", "enable -n printf read . eval trap"},
        Setting{"TwentyDescriptors", "ulimit -S -n 20"},
        Setting{"TmoutSet", "TMOUT=1000"}, Setting{"Restricted", "set -r"},
        Setting{"NoLineEditing", "set +o emacs; set +o vi"},
        Setting{"Errexit", "set -e"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(HostileTest, StdinOfTheShellFromElsewhereEndsItCleanly) {
  // As in any bash: it reads its next command there, finds the end, and exits.
  Type("exec </dev/null\n");
  Check(session().WaitGone());
}

TEST_F(HostileTest, XtraceIsOfTheRunAlone) {
  TypeLine("set -x");
  Repeat([&](int) {
    Check(session().Flush());
    size_t from = session().terminal().size();
    Run("echo a", {.out = "a\n", .err = "+ echo a\n"});
    Check(session().Flush());
    EXPECT_EQ(session().terminal().substr(from), "");
  });
}

TEST_F(HostileTest, VerboseShellStillRuns) {
  TypeLine("set -v");
  Repeat([&](int) { Run("echo a", {.out = "a\n", .err = kAny}); });
}

TEST_F(HostileTest, ErrTrapFiresOnce) {
  RunAnyhow("trap 'echo E >&2' ERR");
  Repeat([&](int) { Run("false", {.out = "", .status = 1, .err = "E\n"}); });
}

TEST_F(HostileTest, DebugTrapSeesOnlyTheCommandsOfRuns) {
  RunAnyhow("dbg=0; trap 'dbg=$((dbg+1))' DEBUG");
  Repeat([&](int) {
    int before = atoi(Run("echo $dbg").out.c_str());
    int after = atoi(Run("echo $dbg").out.c_str());
    EXPECT_EQ(after - before, 1);
  });
}

// --- Another shell in front.

TEST_F(HostileTest, RunWaitsBehindANestedShell) {
  RepeatFresh([&](int) {
    size_t from = session().terminal().size();
    uint64_t prompts = session().prompts();
    Type("bash --norc\n");
    Check(session().WaitForeground("bash"));
    Check(session().WaitTerminal("bash-", from));  // Its prompt.
    uint64_t sequence = Queue("echo $BASHPID");
    Type("exit\n");
    Check(session().WaitPrompt(prompts));
    Finish(sequence, {.out = StrCat(session().shell_pid(), "\n")});
  });
}

TEST_F(HostileTest, ReplacedShellIsNoticedAndItsTerminalWorksOn) {
  RepeatFresh([&](int) {
    size_t from = session().terminal().size();
    Type("exec bash --norc\n");
    Check(session().WaitState(State::REPLACED));
    EXPECT_TRUE(ProcessLives(session().shell_pid()));
    Submission submission;
    submission.script = "echo x";
    auto refused = session().Submit(submission);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition)
        << refused.status();
    Type("echo still $((40+2))\n");
    Check(session().WaitTerminal("still 42", from));
  });
}

}  // namespace
}  // namespace berth::testing

// What one run leaves behind is there for the next, and for the person at the
// terminal: a run executes in the session's own shell, at top level.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/shell/shell_test.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

class StateTest : public ShellTest {};

TEST_F(StateTest, VariableStays) {
  Repeat([&](int i) {
    Run(StrCat("V", i, "=$((7*", i, "))"));
    Run(StrCat("echo $V", i, "; unset V", i), {.out = StrCat(7 * i, "\n")});
  });
}

TEST_F(StateTest, FunctionStays) {
  Repeat([&](int i) {
    Run(StrCat("fn", i, R"(() { local a=$1; echo "f:$a"; })"));
    Run(StrCat("fn", i, " x y; unset -f fn", i), {.out = "f:x\n"});
  });
}

TEST_F(StateTest, AliasStays) {
  Repeat([&](int i) {
    Run(StrCat("alias al", i, "=\"echo A", i, "\""));
    Run(StrCat("al", i, " b\nunalias al", i), {.out = StrCat("A", i, " b\n")});
  });
}

TEST_F(StateTest, WorkingDirectoryStaysAndIsReported) {
  Repeat([&](int i) {
    std::string directory = i % 2 ? "/usr/share" : "/var/tmp";
    EXPECT_EQ(Run("cd " + directory).cwd, directory);
    Run("pwd", {.out = directory + "\n"});
  });
}

TEST_F(StateTest, WorkingDirectoryWithAnOddNameIsReported) {
  Repeat([&](int) {
    std::string directory = session().home() + "/dir \u00e9\u4e16 '$x";
    Result result =
        Run("d=\"$HOME/dir \u00e9\u4e16 '\\$x\"; mkdir -p \"$d\"; cd \"$d\"");
    EXPECT_EQ(result.cwd, directory);
    Run("cd /");
  });
}

TEST_F(StateTest, UmaskStays) {
  Repeat([&](int i) {
    Run(absl::StrFormat("umask 0%o", i % 64));
    Run("umask", {.out = absl::StrFormat("%04o\n", i % 64)});
    Run("umask 022");
  });
}

TEST_F(StateTest, ResourceLimitStays) {
  Repeat([&](int i) {
    Run(StrCat("ulimit -S -s ", 7000 + i));
    Run("ulimit -S -s", {.out = StrCat(7000 + i, "\n")});
  });
}

TEST_F(StateTest, ExportedVariableReachesChildren) {
  Repeat([&](int i) {
    Run(StrCat("export EX", i, "=\"v ", i, "\""));
    Run(StrCat("sh -c 'echo \"$EX", i, "\"'; unset EX", i),
        {.out = StrCat("v ", i, "\n")});
  });
}

TEST_F(StateTest, EveryShoptOptionStays) {
  std::vector<std::string> names;
  for (absl::string_view line :
       absl::StrSplit(RunAnyhow("shopt").out, '\n', absl::SkipEmpty())) {
    std::string name(line.substr(0, line.find_first_of(" \t")));
    // These can't be changed, or are changed for the time of a run.
    if (name == "login_shell" || name == "restricted_shell" ||
        name == "extdebug" || name == "execfail") {
      continue;
    }
    names.push_back(name);
  }
  EXPECT_GT(names.size(), 40u);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    int before = RunAnyhow("shopt " + name).status;
    RunAnyhow(StrCat("shopt ", before ? "-s " : "-u ", name));
    int after = RunAnyhow("shopt " + name).status;
    RunAnyhow(StrCat("shopt ", before ? "-u " : "-s ", name));
    EXPECT_NE(before, after);
  }
}

// Inside a run it reads "on", since a failed exec must not end the session;
// what was set counts for the person at the terminal.
TEST_F(StateTest, ShoptExecfailStaysForTheTerminal) {
  Repeat([&](int i) {
    bool on = i % 2 != 0;
    Run(StrCat("shopt ", on ? "-s" : "-u", " execfail"));
    EXPECT_THAT(TypeLine("shopt execfail | tr -s ' \\t' ' '"),
                HasSubstr(on ? "execfail on" : "execfail off"));
  });
}

TEST_F(StateTest, EverySetOptionStays) {
  for (std::string name : {"allexport",  "braceexpand",
                           "emacs",      "errtrace",
                           "functrace",  "hashall",
                           "histexpand", "history",
                           "ignoreeof",  "interactive-comments",
                           "keyword",    "monitor",
                           "noclobber",  "noglob",
                           "nolog",      "notify",
                           "nounset",    "physical",
                           "pipefail",   "vi"}) {
    SCOPED_TRACE(name);
    std::string query = StrCat("[[ -o ", name, " ]]");
    int before = RunAnyhow(query).status;
    RunAnyhow(StrCat("set ", before ? "-o " : "+o ", name));
    int after = RunAnyhow(query).status;
    RunAnyhow(StrCat("set ", before ? "+o " : "-o ", name));
    if (name == "vi") RunAnyhow("set -o emacs");
    EXPECT_NE(before, after);
  }
}

TEST_F(StateTest, EveryKindOfVariableStays) {
  Repeat([&](int i) {
    Run(StrCat("declare -A h=([k]='v w'); declare -i n=3; declare -r r", i,
               "=1; declare -x X=y; arr=(1 '2 3'); typeset -l low=ABC; n+=4"));
    Run(StrCat(R"(echo "${h[k]}|$n|$r)", i, R"(|${arr[1]}|$low"; printenv X)"),
        {.out = "v w|7|1|2 3|abc\ny\n"});
  });
}

TEST_F(StateTest, DirectoryStackStays) {
  Repeat([&](int) {
    Run("cd /; pushd /usr >/dev/null; pushd /var >/dev/null");
    Run("dirs; popd >/dev/null; popd >/dev/null; pwd",
        {.out = "/var /usr /\n/\n"});
  });
}

TEST_F(StateTest, PositionalParametersStay) {
  Repeat([&](int i) {
    Run(StrCat("set -- a 'b ", i, "'"));
    Run(R"(echo "$#:$2"; set --)", {.out = StrCat("2:b ", i, "\n")});
  });
}

TEST_F(StateTest, OpenDescriptorStays) {
  Repeat([&](int) {
    Run("exec 7>~/seven; echo one >&7");
    Run("echo two >&7; exec 7>&-; cat ~/seven", {.out = "one\ntwo\n"});
  });
}

TEST_F(StateTest, TrapStays) {
  Repeat([&](int) {
    Run("trap 'echo U' USR1");
    Run("kill -USR1 $$; :; trap - USR1", {.out = "U\n"});
  });
}

TEST_F(StateTest, BackgroundJobStays) {
  Repeat([&](int) {
    Run("sleep 50 & p=$!", {.out = ""});
    Run("jobs -p | grep -qx $p && kill $p; wait $p 2>/dev/null; echo $?",
        {.out = "143\n", .err = kAny});
  });
}

TEST_F(StateTest, RunSeesTheStatusOfTheRunBefore) {
  Repeat([&](int i) {
    int status = i % 200 + 1;
    Run(StrCat("(exit ", status, ")"), {.status = status});
    Run("echo $?", {.out = StrCat(status, "\n")});
  });
}

TEST_F(StateTest, RunsKeepTheStatusThatTheTerminalSees) {
  Repeat([&](int i) {
    int status = i % 200 + 1;
    TypeLine(StrCat("(exit ", status, ")"));
    Run("true");
    Run("false", {.status = 1});
    EXPECT_THAT(TypeLine(R"(echo "<$?>")"),
                HasSubstr(StrCat("<", status, ">")));
  });
}

TEST_F(StateTest, RunsKeepTheLastArgumentThatTheTerminalSees) {
  Repeat([&](int i) {
    TypeLine(StrCat("true zz", i));
    Run("echo other", {.out = "other\n"});
    EXPECT_THAT(TypeLine(R"(echo "<$_>")"), HasSubstr(StrCat("<zz", i, ">")));
  });
}

TEST_F(StateTest, TerminalAndRunsShareOneShell) {
  Repeat([&](int i) {
    TypeLine(StrCat("HV=", i, "; hf() { echo \"hf $HV\"; }; cd /usr"));
    Run("hf; pwd; HV=r$HV; cd /", {.out = StrCat("hf ", i, "\n/usr\n")});
    EXPECT_THAT(TypeLine(R"(echo "<$HV:$PWD>")"),
                HasSubstr(StrCat("<r", i, ":/>")));
  });
}

TEST_F(StateTest, RunsAreNotInTheHistory) {
  Repeat([&](int i) {
    TypeLine(StrCat("echo human", i));
    Run(StrCat("echo secret_run", i));
    Result result = Run("history 3");
    EXPECT_THAT(result.out, HasSubstr(StrCat("human", i)));
    EXPECT_THAT(result.out, Not(HasSubstr("secret_run")));
  });
}

}  // namespace
}  // namespace berth::testing

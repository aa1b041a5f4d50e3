// Any text that bash can read is a script: the forms it may take, and the ways
// in which it may end without taking the session with it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/shell/shell_test.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class ScriptTest : public ShellTest {
 protected:
  void ExpectAlive() { Run("echo alive", {.out = "alive\n"}); }
};

TEST_F(ScriptTest, HereDocuments) {
  Repeat([&](int i) {
    Run(StrCat("cat <<EOF\na $((1+", i,
               "))\n\ttab \"q\" \\$x\nEOF\ncat <<-'E2'\n\t\traw $x\n\tE2\n"),
        {.out = StrCat("a ", 1 + i, "\n\ttab \"q\" $x\nraw $x\n")});
  });
}

TEST_F(ScriptTest, ManyLinesWithLoopsAndConditions) {
  Repeat([&](int) {
    Run(R"(for i in 1 2 3; do
  case $i in
  2) continue;;
  *) echo "n$i" ;;
  esac
done |
  while read -r x; do echo "<$x>"; done
if true
then
 echo yes
fi)",
        {.out = "<n1>\n<n3>\nyes\n"});
  });
}

TEST_F(ScriptTest, QuotesAndUnicode) {
  Repeat([&](int) {
    Run(R"(printf '%s\n' "a'b" 'c"d' $'e\tf' "ünï ☃ 世界 🎉" \\ '$HOME' )"
        R"("`echo bt`")",
        {.out = "a'b\nc\"d\ne\tf\nünï ☃ 世界 🎉\n\\\n$HOME\nbt\n"});
  });
}

TEST_F(ScriptTest, ExclamationMarksAreOrdinary) {
  Repeat([&](int) {
    Run(R"(echo "wow!!" !x '!' a!b)", {.out = "wow!! !x ! a!b\n"});
  });
}

TEST_F(ScriptTest, OfAMegabyte) {
  Repeat([&](int i) {
    std::string end = StrCat("\necho ok", i);
    Run(StrCat(": ", std::string((1 << 20) - 2 - end.size(), 'x'), end),
        {.out = StrCat("ok", i, "\n")});
  });
}

TEST_F(ScriptTest, OfMoreThanAMegabyteIsRefused) {
  Submission submission;
  submission.script = std::string((1 << 20) + 1, ' ');
  absl::Status status = session().Submit(submission).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("1048576"));
}

TEST_F(ScriptTest, OfFiveThousandLines) {
  std::string script = "n=0\n";
  for (int k = 0; k < 5000; ++k) script += "n=$((n+1))\n";
  script += "echo $n";
  Repeat([&](int) { Run(script, {.out = "5000\n"}); });
}

TEST_F(ScriptTest, WithNothingInIt) {
  Repeat([&](int) {
    Run("", {.out = ""});
    Run("\n\n# c\n", {.out = ""});
    Run("   ", {.out = ""});
  });
}

TEST_F(ScriptTest, UsesAnAliasThatItDefines) {
  Repeat([&](int) {
    Run("alias qq=\"echo Q\"\nqq 1\nunalias qq", {.out = "Q 1\n"});
  });
}

TEST_F(ScriptTest, ReturnEndsItWithThatStatus) {
  Repeat([&](int i) {
    Run(StrCat("echo a; return ", i % 256, "; echo b"),
        {.out = "a\n", .status = i % 256});
  });
}

TEST_F(ScriptTest, SyntaxErrorIsReportedToItsStderr) {
  Repeat([&](int) {
    Result result = RunAnyhow("echo a\nif then fi");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("syntax error"));
    ExpectAlive();
  });
}

TEST_F(ScriptTest, UnterminatedQuoteOrHereDocumentEndsIt) {
  Repeat([&](int) {
    EXPECT_NE(RunAnyhow("echo \"abc").status, 0);
    RunAnyhow("cat <<X\nabc");
    ExpectAlive();
  });
}

TEST_F(ScriptTest, UnboundVariableEndsIt) {
  Repeat([&](int) {
    Result result = RunAnyhow("set -u; echo $nope_x; set +u");
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.err, HasSubstr("unbound"));
    Run("set +u; echo alive", {.out = "alive\n"});
  });
}

TEST_F(ScriptTest, RequiredVariableEndsIt) {
  Repeat([&](int) {
    Result result = RunAnyhow("echo ${nope:?bad}; echo no");
    EXPECT_NE(result.status, 0);
    EXPECT_EQ(result.out, "");
    ExpectAlive();
  });
}

TEST_F(ScriptTest, AssignmentToAReadonlyVariableEndsIt) {
  Repeat([&](int) {
    RunAnyhow("readonly ro_x=1 2>/dev/null; :");
    EXPECT_EQ(RunAnyhow("ro_x=2; echo no").out, "");
    ExpectAlive();
  });
}

TEST_F(ScriptTest, BreakAndContinueOutsideOfLoopsAreHarmless) {
  Repeat([&](int) {
    RunAnyhow("break; continue 3; echo x");
    ExpectAlive();
  });
}

TEST_F(ScriptTest, ExitEndsTheSessionIfAskedTo) {
  RepeatFresh([&](int i) {
    Submission submission;
    submission.script = StrCat("echo a; exit ", i % 256, "; echo b");
    submission.exit_ends_session = true;
    absl::StatusOr<Result> result = session().Run(submission);
    if (!Check(result.status())) return;
    EXPECT_EQ(result->status, i % 256);
    EXPECT_EQ(result->out, "a\n");
    Check(session().WaitGone());
  });
}

TEST_F(ScriptTest, ExitEndsOnlyTheRun) {
  Repeat([&](int i) {
    Result result =
        Run(StrCat("X=1; f() { local z=1; exit ", i % 256, "; }; f; echo b"),
            {.out = "", .status = i % 256});
    EXPECT_EQ(result.how, How::kExited);
    Run(R"(echo "$X${z-}")", {.out = "1\n"});
  });
}

TEST_F(ScriptTest, SetEStopsIt) {
  Repeat([&](int) {
    Result result = RunAnyhow("set -e\necho a\nfalse\necho b");
    EXPECT_EQ(result.out, "a\n");
    EXPECT_EQ(result.status, 1);
    RunAnyhow("set +e");
  });
}

TEST_F(ScriptTest, SetEEndsOnlyTheRun) {
  Repeat([&](int) {
    Result result = Run("set -e; false; echo b", {.out = "", .status = 1});
    EXPECT_EQ(result.how, How::kExited);
    Run("set +e; echo alive", {.out = "alive\n"});
  });
}

TEST_F(ScriptTest, SetEUnwindsFunctionsAndRedirections) {
  Repeat([&](int) {
    Run("set -e; f() { local q=1; { false; echo b; } >~/q; }; f",
        {.out = "", .status = 1});
    Run("set +e; echo \"alive${q-}\"", {.out = "alive\n"});
  });
}

TEST_F(ScriptTest, ExecGivesTheStatusOfTheProgramThatReplacedTheShell) {
  RepeatFresh([&](int) {
    Result result = Run("exec sh -c 'echo from-exec; exit 9'",
                        {.out = "from-exec\n", .status = 9});
    EXPECT_EQ(result.how, How::kShellEnded);
    Check(session().WaitGone());
  });
}

TEST_F(ScriptTest, ExecOfAMissingProgramEndsOnlyTheRun) {
  Repeat([&](int) {
    Result result = RunAnyhow("exec /nonexistent_x");
    EXPECT_THAT(result.status, AnyOf(126, 127));
    Run("case $- in *m*) echo m;; esac", {.out = "m\n"});
  });
}

TEST_F(ScriptTest, ExecRedirectionsLastAsLongAsTheRun) {
  Repeat([&](int) {
    Run("exec >~/z 2>&1; echo z", {.out = ""});
    Run("echo back; cat ~/z", {.out = "back\nz\n"});
    size_t from = session().terminal().size();
    TypeLine("echo '<tty-ok>'");
    ExpectPrinted(from, "<tty-ok>");
  });
}

}  // namespace
}  // namespace berth::testing

// Sessions of other configurations than bash, as a person uses them: what they
// share with the terminal, and that restricted ones have none.

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;

// A configuration of another shell, and its words for the same things.
struct Shell {
  const char* name;
  const char* program;
  const char* prompt;
  const char* set;   // x = "from-run"
  const char* type;  // y = "typed-" + x; print(x + "-seen")
  const char* get;   // print(y)
};

class ShellsTest : public TerminalTest,
                   public ::testing::WithParamInterface<Shell> {};

INSTANTIATE_TEST_SUITE_P(
    All, ShellsTest,
    ::testing::Values(Shell{"zsh", "/usr/bin/zsh", "%>", "x=from-run",
                            "y=typed-$x; echo $x-seen", "echo $y"},
                      Shell{
                          "python", "/usr/bin/python3", ">>>", "x = 'from-run'",
                          "y = 'typed-' + x; print(x + '-seen')", "print(y)"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(ShellsTest, RunAndEnterShareTheirState) {
  const Shell& shell = GetParam();
  WriteTextFile(fleet_.directory() + "/home/.zshrc", "PS1='%%> '\n");
  fleet_.Register("web01", shell.name,
                  StrCat("shell = \"", shell.program, "\"\n"));
  fleet_.Run(
      {"new", "-c", "web01", "--name", "s", "--configuration", shell.name});
  EXPECT_EQ(fleet_.Run({"run", "-s", "s", "--", shell.set}), "");
  auto terminal = Start({"enter", "s"});
  terminal->WaitFor(shell.prompt);
  terminal->Type(StrCat(shell.type, "\r"));
  terminal->WaitForLine("from-run-seen");
  terminal->Type("half-typed");
  terminal->WaitFor("half-typed");
  EXPECT_EQ(fleet_.Run({"run", "-s", "s", "--", shell.get}),
            "typed-from-run\n");
  terminal->WaitFor("half-typed");
  terminal->Type("\x15");  // Clears the line, so that ~. is at its beginning.
  terminal->WaitGone("half-typed");
  terminal->Type("\r~.");
  EXPECT_EQ(terminal->Wait(), 0);
}

class RestrictedTest : public TerminalTest {
 protected:
  RestrictedTest() {
    fleet_.Register("web01", "status",
                    "kind = \"restricted\"\ncopy_limit = \"1MiB\"\n"
                    "allowed = [\n"
                    "  { name = \"show\", path = \"/bin/cat\","
                    "    arguments = [\"[a-z.]+\"], repeat_last = true },\n"
                    "  { name = \"where\", path = \"/bin/pwd\" },\n"
                    "]\n");
    fleet_.Run(
        {"new", "-c", "web01", "--name", "r", "--configuration", "status"});
  }

  // In the session; must be refused.
  std::string RunRefused(const std::string& command) {
    const auto refused = fleet_.Berth({"run", "-s", "r", "--", command});
    EXPECT_EQ(refused.exit_code, 126) << command;
    EXPECT_EQ(refused.out, "") << command;
    return refused.err;
  }

  // `berth` with this must fail; what it says.
  std::string Refused(const std::vector<std::string>& arguments) {
    const auto refused = fleet_.Berth(arguments);
    EXPECT_NE(refused.exit_code, 0) << refused.out;
    return refused.err;
  }
};

TEST_F(RestrictedTest, RunsWhatIsAllowedAndNamesIt) {
  const std::string file = fleet_.directory() + "/data.txt";
  WriteTextFile(file, "content\n");
  fleet_.Run({"cp", file, "r:data.txt"});
  EXPECT_EQ(fleet_.Run({"run", "-s", "r", "--", "show data.txt data.txt"}),
            "content\ncontent\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", "r", "--", "where"}),
            StrCat(fleet_.AgentDirectory("web01"), "/sessions/",
                   fleet_.Session("r").instance_id(), "/files\n"));
  EXPECT_THAT(RunRefused("rm data.txt"),
              HasSubstr("not allowed in this session; allowed: show, where"));
  EXPECT_THAT(RunRefused("show data.txt /etc/passwd"),
              HasSubstr("argument 2 of 'show', '/etc/passwd'"));
  EXPECT_THAT(RunRefused("show data.txt; where"),
              HasSubstr("means nothing here"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "r", "--", "show data.txt"}), "content\n");
}

TEST_F(RestrictedTest, HasNoTerminalAndTakesNoVariables) {
  auto terminal = Start({"enter", "r"});
  EXPECT_EQ(terminal->Wait(), 125);
  EXPECT_THAT(terminal->Text(), HasSubstr("has no terminal"));
  ExpectClean(*terminal);
  EXPECT_THAT(Refused({"run", "-s", "r", "--env", "A=x", "--", "where"}),
              HasSubstr("restricted"));
  for (const char* option : {"--env=A=x", "--cwd=/etc"}) {
    EXPECT_THAT(
        Refused({"new", "-c", "web01", "--configuration", "status", option}),
        HasSubstr("'status' is restricted"));
  }
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
}

TEST_F(RestrictedTest, CopiesStayInItsAreaAndBelowItsLimit) {
  const std::string here = fleet_.directory() + "/here";
  std::filesystem::create_directory(here);
  WriteTextFile(here + "/small", "small");
  WriteTextFile(here + "/large", std::string(2'000'000, 'x'));
  EXPECT_THAT(Refused({"cp", here + "/small", "r:/tmp/berth-escaped"}),
              HasSubstr("'/tmp/berth-escaped'"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/berth-escaped"));
  EXPECT_THAT(Refused({"cp", "r:../record", here}), HasSubstr("'..'"));
  EXPECT_FALSE(std::filesystem::exists(here + "/record"));
  EXPECT_THAT(Refused({"cp", "r:/etc/passwd", here}),
              HasSubstr("'/etc/passwd'"));
  EXPECT_FALSE(std::filesystem::exists(here + "/passwd"));
  EXPECT_THAT(Refused({"cp", here + "/small", here + "/large", "r:."}),
              HasSubstr("no room"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "r", "--", "show small"}), "small");
  fleet_.Run({"cp", "r:small", here + "/back"});
  EXPECT_EQ(ReadTextFile(here + "/back"), "small");
  const std::string area = StrCat(fleet_.AgentDirectory("web01"), "/sessions/",
                                  fleet_.Session("r").instance_id(), "/files");
  EXPECT_FALSE(std::filesystem::exists(area + "/large"));
  fleet_.Run({"rm", "r"});
  EXPECT_FALSE(std::filesystem::exists(area));
}

// Who only watches a session does not keep it.
TEST_F(TerminalTest, WatchersAreWarnedBeforeAnIdleEnd) {
  fleet_.Run({"new", "-c", "web01", "--name", "late", "--idle-timeout", "4m"});
  auto before = Start({"enter", "--peek", "late"});
  before->WaitFor("$");
  fleet_.Run({"disconnect", "late"});
  before->WaitFor("this idle session ends at ");
  EXPECT_THAT(before->Text(), HasSubstr("in 4m"));
  auto after = Start({"enter", "--peek", "late"}, "desk");
  after->WaitFor("this idle session ends at ");

  // The warning comes five minutes before.
  fleet_.Run(
      {"new", "-c", "web01", "--name", "later", "--idle-timeout", "303s"});
  auto later = Start({"enter", "--peek", "later"});
  later->WaitFor("$");
  fleet_.Run({"disconnect", "later"});
  later->WaitFor("unless somebody connects", absl::Seconds(30));
  EXPECT_THAT(later->Text(), HasSubstr("in 5m"));
  for (auto* watcher : {before.get(), after.get(), later.get()}) {
    watcher->Type("\x03");
    EXPECT_EQ(watcher->Wait(), 0);
  }
}

}  // namespace
}  // namespace berth::testing

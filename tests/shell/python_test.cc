// What is Python's own. What all kinds do is in kinds_test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/shell/kinds.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PythonTest : public ShellTest {
 protected:
  void SetUp() override {
    Restart(OptionsFor(PythonKind()));
    ASSERT_TRUE(started());
  }
};

TEST_F(PythonTest, ExceptionIsATracebackAndStatusOne) {
  Result result = Run("print('a')\ndef f(): return 1 / 0\nf()\nprint('NOT')",
                      {.out = "a\n", .status = 1, .err = kAny});
  EXPECT_EQ(result.how, How::kCompleted);
  EXPECT_EQ(result.err,
            "Traceback (most recent call last):\n"
            "  File \"<run>\", line 3, in <module>\n"
            "  File \"<run>\", line 2, in f\n"
            "ZeroDivisionError: division by zero\n");
}

TEST_F(PythonTest, SyntaxErrorIsOneOfTheRun) {
  Result result = Run("print('NOT')\nx = = 1", {.status = 1, .err = kAny});
  EXPECT_THAT(result.err, StartsWith("  File \"<run>\", line 2\n"));
  EXPECT_THAT(result.err, HasSubstr("SyntaxError"));
}

TEST_F(PythonTest, SystemExitIsItsCode) {
  Run("raise SystemExit", {.status = 0});
  Run("raise SystemExit(7)", {.status = 7});
  Run("raise SystemExit(300)", {.status = 44});
  Run("raise SystemExit('why')", {.status = 1, .err = "why\n"});
  EXPECT_EQ(Run("exit(5)", {.status = 5}).how, How::kExited);
  Run("print('alive')", {.out = "alive\n"});
}

TEST_F(PythonTest, ExpressionsAreNotEchoed) {
  Run("1 + 1\n'text'\nprint(2)", {.out = "2\n"});
}

TEST_F(PythonTest, RunsAreInMain) {
  Run("import os\nx = 5\ndef f(): return x + 1\nclass C: pass");
  Run("print(__name__, f(), C().__class__.__module__, os.sep)",
      {.out = "__main__ 6 __main__ /\n"});
  Run("x = 10");
  size_t from = session().terminal().size();
  TypeLine("f()");
  ExpectPrinted(from, "11");
}

TEST_F(PythonTest, NothingOfTheServingIsInMain) {
  Run("print(sorted(k for k in globals() if not k.startswith('__')))",
      {.out = "[]\n"});
  Run("import os\nprint([k for k in os.environ if 'BERTH' in k or 'PYTHON' in "
      "k])",
      {.out = "[]\n"});
}

TEST_F(PythonTest, InputOfTheRunIsStdin) {
  Run("print(input(), input())", {.out = "one two\n", .input = "one\ntwo\n"});
  Result result = Run("input()", {.status = 1, .err = kAny});
  EXPECT_THAT(result.err, EndsWith("EOFError: EOF when reading a line\n"));
}

TEST_F(PythonTest, TypedCodeThatRunsIsBusy) {
  uint64_t prompts = session().prompts();
  Type("import time; time.sleep(0.3); y = 1\n");
  Check(session().WaitState(State::TERMINAL));
  uint64_t sequence = Queue("print(y)");
  Finish(sequence, {.out = "1\n"});
  EXPECT_GT(session().prompts(), prompts);
}

TEST_F(PythonTest, HalfTypedBlockIsKept) {
  size_t from = session().terminal().size();
  Type("def g():\n");
  Check(session().WaitTerminal("... ", from));
  Run("print('run')", {.out = "run\n"});
  TypeUntilPrompt("    return 'block'\n\n");
  Run("print(g())", {.out = "block\n"});
}

TEST_F(PythonTest, PromptOfTheUserIsWatchedToo) {
  Repeat([&](int i) {
    size_t from = session().terminal().size();
    TypeLine(StrCat("import sys; sys.ps1 = 'p", i, "> '"));
    Check(session().WaitTerminal(StrCat("p", i, "> "), from));
    Run("print('a')", {.out = "a\n"});
    TypeLine("z = 1");
    Run("print('b')", {.out = "b\n"});
    Run(StrCat("import sys; sys.ps1 = 'r", i, "> '"));
    TypeLine("z = 2");
    Run("print(z)", {.out = "2\n"});
    TypeLine("P = type('P', (), {'__str__': lambda self: 'object> '})");
    TypeLine("sys.ps1 = P()");
    Run("print('c')", {.out = "c\n"});
    TypeLine("z = 3");
    Run("print(z)", {.out = "3\n"});
  });
}

TEST_F(PythonTest, StartUpFileOfTheUserIsExecuted) {
  HolderSession::Options options = OptionsFor(PythonKind());
  TempDir directory;
  const std::string file = directory.path() + "/startup.py";
  WriteTextFile(file, "import sys\nmine = 5\nsys.ps1 = 'mine> '\n");
  options.environment = {"PYTHONSTARTUP=" + file};
  Restart(options);
  Run("import os\nprint(mine, os.environ['PYTHONSTARTUP'])",
      {.out = StrCat("5 ", file, "\n")});
  WriteTextFile(file, "1 / 0\n");
  Restart(options);
  Check(session().WaitTerminal("ZeroDivisionError"));
  Run("print('alive')", {.out = "alive\n"});
}

TEST_F(PythonTest, RunThatCatchesEverythingCanBeForced) {
  uint64_t sequence = Begin(
      "import time\nprint('on')\nwhile True:\n"
      "    try:\n        while True: time.sleep(100)\n"
      "    except BaseException:\n        pass\n");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence, /*force=*/true);
  Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
  Run("import sys\nprint(sys.gettrace())", {.out = "None\n"});
}

TEST_F(PythonTest, InterruptIsAKeyboardInterrupt) {
  uint64_t sequence = Begin(
      "import time\ntry:\n    print('on')\n    time.sleep(100)\n"
      "except KeyboardInterrupt:\n    print('caught')\n");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence);
  Finish(sequence, {.out = "on\ncaught\n"});
}

TEST_F(PythonTest, InterruptShowsWhereTheRunWas) {
  uint64_t sequence =
      Begin("import time\nprint('on')\nwhile True: time.sleep(100)");
  Check(session().WaitOutput(sequence, "on"));
  session().Idle(absl::Milliseconds(20));
  Interrupt(sequence);
  Finish(sequence, {.out = "on\n",
                    .status = 130,
                    .err = "Traceback (most recent call last):\n"
                           "  File \"<run>\", line 3, in <module>\n"
                           "KeyboardInterrupt\n"});
}

TEST_F(PythonTest, ThreadsAndForksAreNotServed) {
  Run("import threading, os, sys\n"
      "t = threading.Thread(target=lambda: exec('print(\"thread\")'))\n"
      "t.start(); t.join()\n"
      "sys.stdout.flush()\n"
      "pid = os.fork()\n"
      "if pid == 0:\n    exec('print(\"child\")'); sys.stdout.flush(); "
      "os._exit(0)\n"
      "os.waitpid(pid, 0)\n",
      {.out = "thread\nchild\n"});
  Check(session().WaitState(State::IDLE));
}

TEST_F(PythonTest, LineIsDrawnAgainAfterWhatTheRunPrintsOnTheTerminal) {
  TypePart("print('ha");
  size_t from = session().terminal().size();
  Run("open('/dev/tty', 'w').write('note')");
  Check(session().WaitTerminal("note", from));
  Check(session().WaitTerminal("print('ha", from));
  from = session().terminal().size();
  TypeUntilPrompt("lf')\n");
  ExpectPrinted(from, "half");
}

TEST_F(PythonTest, ProgramOnTheTerminalGetsItsMode) {
  Run("import subprocess\n"
      "print(' icanon' in subprocess.run('stty -a </dev/tty', shell=True, "
      "capture_output=True, text=True).stdout)",
      {.out = "True\n"});
}

// --- Other Pythons.

// Those that pyenv and the system may have.
std::string PythonOfVersion(const std::string& version) {
  for (const std::string& path : {StrCat("/usr/bin/python", version),
                                  StrCat("/usr/local/bin/python", version)}) {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) return path;
  }
  return "";
}

class OtherPythonTest : public ShellTest,
                        public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    const char* given = getenv(StrCat("BERTH_PYTHON_", GetParam()).c_str());
    path_ = given != nullptr ? given : PythonOfVersion(GetParam());
    if (path_.empty()) {
      GTEST_SKIP() << "no Python " << GetParam()
                   << " on this machine (BERTH_PYTHON_" << GetParam() << ")";
    }
  }

  HolderSession::Options OptionsOf() {
    HolderSession::Options options = OptionsFor(PythonKind());
    options.shell = path_;
    return options;
  }

  std::string path_;
};

class NewPythonTest : public OtherPythonTest {};
class OldPythonTest : public OtherPythonTest {};

TEST_P(NewPythonTest, IsServed) {
  Restart(OptionsOf());
  ASSERT_TRUE(started());
  Run("x = 5");
  TypeLine("y = x + 1");
  TypePart("z = y");
  Run("print(y)", {.out = "6\n"});
  TypeUntilPrompt(" + 1\n");
  Run("print(z)", {.out = "7\n"});
  uint64_t sequence = Begin("print('on')\nwhile True: pass");
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence);
  Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
  Run("import sys; sys.exit(3)", {.status = 3});
}

TEST_P(OldPythonTest, IsAClearErrorAtTheStart) {
  absl::Status status = HolderSession::Start(OptionsOf()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("sessions need 3.8 or newer"));
}

std::string VersionName(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  name[name.find('.')] = '_';
  return StrCat("V", name);
}

INSTANTIATE_TEST_SUITE_P(All, NewPythonTest,
                         ::testing::Values("3.8", "3.9", "3.10", "3.11", "3.12",
                                           "3.13"),
                         VersionName);
INSTANTIATE_TEST_SUITE_P(All, OldPythonTest,
                         ::testing::Values("2.7", "3.6", "3.7"), VersionName);

struct Unfit {
  const char* name;
  const char* shell;
  const char* argument;
};

class UnfitPythonTest : public ShellTest,
                        public ::testing::WithParamInterface<Unfit> {
 protected:
  void SetUp() override {}
};

TEST_P(UnfitPythonTest, IsAClearErrorAtTheStart) {
  HolderSession::Options options = OptionsFor(PythonKind());
  options.shell = GetParam().shell;
  if (GetParam().argument[0] != 0) options.arguments = {GetParam().argument};
  options.hello_timeout = absl::Seconds(1);
  absl::Status status = HolderSession::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().shell));
}

INSTANTIATE_TEST_SUITE_P(
    All, UnfitPythonTest,
    ::testing::Values(Unfit{"OtherShell", "/bin/bash", ""},
                      Unfit{"IgnoresItsEnvironment", "/usr/bin/python3", "-E"},
                      Unfit{"Missing", "/nonexistent/python", ""}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::testing

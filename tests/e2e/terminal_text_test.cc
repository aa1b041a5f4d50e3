// Text that would act on a terminal, given to the real programs in every way
// that somebody else can give it: it is refused or shown, and never acts, on
// pipes and terminals and in logs.

#include <signal.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/hostile_text.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

// Short, and without "/".
std::string ShortText() {
  return "x\x1b]0;title\x07\x1b[2J\xc2\x9b"
         "6n\u202e\u2028\x7f\r\b\x01\x1b]52;c;b3duZWQ=\x1b\\";
}

// Names of files need not be UTF-8.
std::string HostileName() { return ShortText() + "\xff\x9b"; }

class TerminalTextTest : public ::testing::Test {
 protected:
  TerminalTextTest() : fleet_({"web01"}) {}
  ~TerminalTextTest() override {
    for (const char* log : {"/broker.log", "/web01.log"}) {
      EXPECT_EQ(FirstActing(ReadTextFile(fleet_.directory() + log)), "") << log;
    }
  }

  // Whatever it ends with.
  std::string Shown(const Words& command, const std::string& client = "laptop",
                    const std::string& input = "") {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    const auto finished = fleet_.Berth(command, input, client);
    EXPECT_EQ(FirstActing(finished.out), "");
    EXPECT_EQ(FirstActing(finished.err), "");
    return finished.out + finished.err;
  }

  std::string OnTerminal(const Words& command) {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    TtyProgram program(fleet_.Command(command, "laptop"), 24, 250);
    program.Wait(absl::Minutes(1));
    program.Look();
    EXPECT_EQ(FirstActing(program.output(), Shown::kTerminal), "");
    return program.output();
  }

  Fleet fleet_;
};

TEST_F(TerminalTextTest, WhatIsRunCalledAndTyped) {
  using testing::Shown;
  const std::string evil = HostileText();
  fleet_.Run({"new", "-c", "web01", "--name", "work"});
  for (const Words& refused :
       std::vector<Words>{{"new", "-c", "web01", "--name", evil},
                          {"new", "-c", evil},
                          {"new", "-c", "web01", "--configuration", evil},
                          {"new", "-c", "web01", "--cwd", "/" + evil},
                          {"new", "-c", "web01", "--env", evil},
                          {"new", "-c", "web01", "--run-as", evil},
                          {"ls", evil},
                          {"ls", "--state", evil},
                          {"ls", "-o", evil},
                          {"ls", "--" + evil},
                          {evil},
                          {"help", evil},
                          {"connect", evil},
                          {"rm", evil},
                          {"run", "-s", evil, "--", "true"},
                          {"run", "-s", "1", "--env", evil, "--", "true"},
                          {"run", "-s", "1", "--file", evil},
                          {"run", "-s", "1", "--timeout", evil, "--", "true"},
                          {"receive", "1", "--command", evil},
                          {"wait", "1", "--until", "output", "(" + evil},
                          {"watch", "--until", evil},
                          {"jobs", "rm", evil},
                          {"play", evil},
                          {"admin", "user", "add", evil},
                          {"admin", "user", "lock", evil},
                          {"admin", "user", "key", "add", "bob", evil},
                          {"admin", "token", "create", "--names", evil},
                          {"admin", "token", "rm", evil},
                          {"admin", "cert", "revoke", evil},
                          {"admin", "can-i", evil, "web01"},
                          {"admin", "can-i", "run", evil},
                          {"admin", "policy", "check", "-f", evil},
                          {"approval", "request", evil},
                          {"approval", "approve", evil},
                          {"--context", evil, "ls"},
                          {"ls", "--context", evil},
                          {"ssh-config", "--gateway", evil},
                          {"keeper", evil}}) {
    const auto finished = fleet_.Berth(refused);
    EXPECT_NE(finished.exit_code, 0) << absl::StrJoin(refused, " ");
    EXPECT_EQ(FirstActing(finished.out), "") << absl::StrJoin(refused, " ");
    EXPECT_EQ(FirstActing(finished.err), "") << absl::StrJoin(refused, " ");
    EXPECT_NE(finished.err, "") << absl::StrJoin(refused, " ");
  }
  // Who lists sees the text of what runs; so does who finds it busy.
  const std::string fifo = fleet_.directory() + "/go";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  fleet_.Run({"run", "-s", "1", "--detach", "--",
              absl::StrCat(": '", evil, "'; read -r x <", fifo)});
  fleet_.WaitFor({"ls", "1", "-o", "jsonl"}, "COMMAND");
  for (const Words& command :
       std::vector<Words>{{"ls", "-o", "wide"},
                          {"ls", "-o", "json"},
                          {"rm", "1", "--what-if"},
                          {"run", "-s", "1", "--no-wait", "--", "true"},
                          {"watch", "--until", "known"},
                          {"admin", "audit", "search"},
                          {"admin", "audit", "search", "-o", "json"}}) {
    const std::string shown = this->Shown(command);
    EXPECT_THAT(shown, HasSubstr("title")) << absl::StrJoin(command, " ");
    OnTerminal(command);
  }
}

TEST_F(TerminalTextTest, NamesOfFiles) {
  fleet_.Run({"new", "-c", "web01"});
  const std::string folder = fleet_.directory() + "/from";
  mkdir(folder.c_str(), 0700);
  const std::string name = HostileName();
  WriteTextFile(folder + "/" + name, "content");
  const std::string fifo = folder + "/fifo" + name;
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string copy = fleet_.directory() + "/copy";
  const std::string back = fleet_.directory() + "/back";
  // A fifo is told of, by whoever reads it.
  EXPECT_THAT(Shown({"cp", "-r", folder, "1:" + copy}), HasSubstr("fifo"));
  EXPECT_EQ(ReadTextFile(copy + "/" + name), "content");
  EXPECT_THAT(Shown({"cp", "-r", "1:" + folder, back}), HasSubstr("fifo"));
  EXPECT_EQ(ReadTextFile(back + "/" + name), "content");
  EXPECT_THAT(Shown({"cp", "1:" + copy + "/no" + name, "."}),
              HasSubstr("title"));
  EXPECT_THAT(Shown({"cp", folder + "/no" + name, "1:/tmp/"}),
              HasSubstr("title"));
  EXPECT_THAT(Shown({"cp", folder + "/" + name, "1:/no" + name + "/x"}),
              HasSubstr("title"));
  OnTerminal({"cp", "-r", folder, "1:" + copy + "2"});
  OnTerminal({"cp", "-r", "1:" + folder, back + "2"});
  // And where the shell is.
  const std::string there = folder + "/cd" + name;
  mkdir(there.c_str(), 0700);
  fleet_.Run({"run", "-s", "1", "--", "cd " + folder + "; cd cd*"});
  Shown({"ls", "-o", "wide"});
  Shown({"cp", "1:nothing", "."});
}

TEST_F(TerminalTextTest, ReasonsAndDescriptions) {
  const std::string evil = HostileText();
  fleet_.AddUser("bob");
  fleet_.Run({"ls"}, "", "bob");
  fleet_.Run({"admin", "user", "lock", "bob", "--reason", ShortText()});
  EXPECT_THAT(Shown({"ls"}, "bob"), HasSubstr("locked"));
  EXPECT_THAT(Shown({"admin", "user", "ls"}), HasSubstr("locked"));
  Shown({"admin", "user", "ls", "-o", "json"});
  OnTerminal({"admin", "user", "ls"});
  fleet_.Run({"admin", "user", "unlock", "bob"});
  // What a computer says of itself.
  fleet_.Register("web01", "odd",
                  "kind = \"restricted\"\n"
                  "description = \"d\\u001b]0;title\\u0007\\u009b2J\\u202e\"\n"
                  "allowed = [{ name = \"ok\", path = \"/bin/true\" }]\n");
  for (const char* format : {"table", "wide", "json"}) {
    EXPECT_THAT(Shown({"configurations", "-o", format}), HasSubstr("title"));
  }
  fleet_.Register("web01", "failing",
                  "startup_script = \"printf 'no\\\\033]0;title\\\\007"
                  "\\\\233\\\\342\\\\200\\\\256' >&2; false\"\n");
  EXPECT_THAT(Shown({"new", "-c", "web01", "--configuration", "failing"}),
              HasSubstr("title"));
  // What a restricted session refuses is told on its stderr, by the agent.
  fleet_.Run({"new", "-c", "web01", "--configuration", "odd", "--name", "r"});
  EXPECT_THAT(Shown({"run", "-s", "r", "--", "no'" + evil + "'"}),
              HasSubstr("title"));
  // A policy that can't be read, and one that can.
  const std::string path = fleet_.directory() + "/policy.toml";
  WriteTextFile(path,
                absl::StrCat("[roles.\"a\\u001b]0;title\\u0007\"]\n",
                             "users = [\"\\u202e\"]\nverbs = [\"fly\"]\n"));
  Shown({"admin", "policy", "check", "-f", path});
  Shown({"admin", "policy", "apply", "-f", path});
  for (const Words& command :
       std::vector<Words>{{"admin", "audit", "search"},
                          {"admin", "audit", "search", "-o", "json"},
                          {"recordings", "ls"},
                          {"computers", "-o", "wide"}}) {
    Shown(command);
    OnTerminal(command);
  }
}

}  // namespace
}  // namespace berth::testing

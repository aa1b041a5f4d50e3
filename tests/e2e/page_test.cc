// The examples of the page about_PSSessions, in its order, on three computers.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The words of a table, line by line, without the rule below its headings.
std::vector<std::vector<std::string>> Table(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    rows.push_back(absl::StrSplit(line, ' ', absl::SkipWhitespace()));
    if (rows.back()[0] == "--") rows.pop_back();
  }
  return rows;
}

TEST(PageTest, EveryExample) {
  Fleet fleet({"Server01", "Server02", "Server03"});

  // Create one session on each.
  fleet.Run({"new", "-c", "Server01,Server02,Server03"});
  EXPECT_THAT(Table(fleet.Run({"ls"})),
              ElementsAre(ElementsAre("Id", "Name", "ComputerName", "State",
                                      "ConfigurationName", "Availability"),
                          ElementsAre("1", "Session1", "Server01", "Opened",
                                      "default", "Available"),
                          ElementsAre("2", "Session2", "Server02", "Opened",
                                      "default", "Available"),
                          ElementsAre("3", "Session3", "Server03", "Opened",
                                      "default", "Available")));

  // A command in each, tagged with its computer.
  const std::string listing = fleet.Run({"run", "-s", "1,2,3", "--", "ls /"});
  for (const char* computer : {"Server01", "Server02", "Server03"}) {
    EXPECT_THAT(listing, HasSubstr(absl::StrCat(computer, ": usr\n")));
  }

  // Commands of one session share variables, functions and the directory.
  fleet.Run({"run", "-s", "1", "--",
             "cd /usr; p=$(pwd); f() { echo \"got $1 in $p\"; }; cd /var"});
  EXPECT_EQ(fleet.Run({"run", "-s", "1", "--", "f hello; pwd"}),
            "got hello in /usr\n/var\n");
  EXPECT_EQ(fleet.Run({"run", "-s", "2", "--", "echo \"<$p>\""}), "<>\n");

  // Standard input, binary exact.
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes += static_cast<char>(i * 7 + i / 256);
  EXPECT_EQ(fleet.Run({"run", "-s", "1", "--", "cat"}, bytes), bytes);

  // A command that goes on by itself, received on another machine.
  const std::string fifo = fleet.directory() + "/go";
  const std::string id = fleet.Run(
      {"run", "-s", "2", "--detach", "--",
       "mkfifo " + fifo + "; echo before; read -r x <" + fifo + "; echo $x"});
  EXPECT_THAT(id, ::testing::ContainsRegex("[0-9a-f-]{36}"));
  EXPECT_EQ(fleet.Session("2").availability(), v1::SESSION_AVAILABILITY_BUSY);
  fleet.Run({"disconnect", "2"});
  EXPECT_THAT(Table(fleet.Run({"ls", "-c", "Server02"}, "", "desk"))[1],
              ElementsAre("2", "Session2", "Server02", "Disconnected",
                          "default", "Busy"));
  fleet.Run({"connect", "2"}, "", "desk");
  EXPECT_EQ(fleet.Session("2", "desk").state(), v1::SESSION_STATE_OPENED);
  fleet.Run({"run", "-s", "3", "--", "echo after >" + fifo}, "", "laptop");
  EXPECT_EQ(fleet.Run({"receive", "2"}, "", "desk"), "before\nafter\n");
  // Received is not consumed.
  EXPECT_EQ(fleet.Run({"receive", "2"}, "", "desk"), "");
  EXPECT_EQ(fleet.Run({"receive", "2", "--from-start"}, "", "desk"),
            "before\nafter\n");

  // Remove by id, and by computer and id.
  fleet.Run({"rm", "1"});
  fleet.Run({"rm", "-c", "Server03", "--id", "3"});
  EXPECT_THAT(
      Table(fleet.Run({"ls"}, "", "desk")),
      ElementsAre(::testing::_, ElementsAre("2", "Session2", "Server02",
                                            "Opened", "default", "Available")));

  const std::string computers = fleet.Run({"computers"});
  for (const char* computer : {"Server01", "Server02", "Server03"}) {
    EXPECT_THAT(computers, HasSubstr(computer));
  }
}

TEST(PageTest, OneFailingComputerDoesNotHinderTheOthers) {
  Fleet fleet({"Server01", "Server02"});
  auto made = fleet.Berth({"new", "-c", "Server01,Server99,Server02"});
  EXPECT_EQ(made.exit_code, 1);
  EXPECT_THAT(made.err, HasSubstr("Server99"));
  EXPECT_EQ(fleet.Sessions({}).size(), 2u);
}

TEST(PageTest, NewWithoutComputerIsOnThisOne) {
  char name[65] = "";
  ASSERT_EQ(gethostname(name, sizeof name - 1), 0);
  Fleet fleet({name});
  fleet.Run({"new", "--name", "here"});
  EXPECT_EQ(fleet.Session("here").computer(), name);
}

TEST(PageTest, TwoHundredCommandsDoWhatOneShellWouldDo) {
  Fleet fleet({"Server01"});
  fleet.Run({"new", "-c", "Server01"});
  std::string script, want_all;
  auto line = [](int i) {
    switch (i % 5) {
      case 0:
        return absl::StrCat("v", i, "=$((", i, " * 3)); last=$v", i);
      case 1:
        return absl::StrCat("f", i, "() { echo \"f", i, " $1 $last\"; }");
      case 2:
        return absl::StrCat("f", i - 1, " arg; echo e", i, " >&2");
      case 3:
        return absl::StrCat("mkdir -p d", i % 7, "; cd d", i % 7,
                            "; pwd | sed 's,.*/,,'; cd ..");
      default:
        return absl::StrCat("(exit ", i % 9, "); echo \"status $?\"; a+=(", i,
                            "); echo \"${#a[@]} ${a[*]: -1}\"");
    }
  };
  std::string got;
  const std::string work = fleet.directory() + "/work";
  fleet.Run({"run", "-s", "1", "--", "mkdir " + work + "; cd " + work});
  for (int i = 0; i < 200; ++i) {
    got += fleet.Run({"run", "-s", "1", "--", line(i)});
    script += line(i) + "\n";
  }
  auto whole =
      Process::Run({.argv = {"/bin/bash", "-c",
                             "cd \"$(mktemp -d -p " + fleet.directory() +
                                 ")\"\n" + script}});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(got, whole->out);
}

}  // namespace
}  // namespace berth::testing

// Whatever a broker, or a computer behind it, says in names, labels, messages
// and errors: nothing of it acts on the terminal of the one who reads it.

#include "tests/cli/hostile_broker.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/audit.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

class HostileBrokerTest : public ::testing::Test {
 protected:
  HostileBrokerTest() : broker_(dir_.path()) {
    mkdir((dir_.path() + "/run").c_str(), 0700);
  }

  Process::Finished Berth(const std::vector<std::string>& arguments) {
    const std::string& root = dir_.path();
    Process::Options options;
    // Some follow a broker for ever, whatever it says.
    options.argv = {"/usr/bin/timeout", "-s", "INT", "3",
                    std::filesystem::absolute(getenv("BERTH_CLI"))};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.environment = {
        absl::StrCat("HOME=", root),
        absl::StrCat("XDG_RUNTIME_DIR=", root, "/run"),
        absl::StrCat("PATH=", getenv("PATH")),
        "LANG=C.UTF-8",
        "BERTH_KEEPER=off",
        absl::StrCat("BERTH_BROKER=127.0.0.1:", broker_.port()),
        absl::StrCat("BERTH_CA=", root, "/ca.pem"),
        absl::StrCat("BERTH_CERTIFICATE=", root, "/user.pem"),
        absl::StrCat("BERTH_KEY=", root, "/user.key")};
    auto finished = Process::Run(options, "", absl::Minutes(1));
    EXPECT_TRUE(finished.ok()) << finished.status();
    if (!finished.ok()) return {.exit_code = -1, .out = "", .err = ""};
    return *std::move(finished);
  }

  // Runs it, and looks at all that it shows.
  Process::Finished ExpectHarmless(const std::vector<std::string>& arguments) {
    SCOPED_TRACE(absl::StrJoin(arguments, " "));
    const int before = broker_.calls();
    Process::Finished finished = Berth(arguments);
    EXPECT_GT(broker_.calls(), before) << "it asked nothing";
    EXPECT_EQ(FirstActing(finished.out), "");
    EXPECT_EQ(FirstActing(finished.err), "");
    return finished;
  }

  TempDir dir_;
  HostileBroker broker_;
};

// What every command that shows what others say is asked to show.
const std::vector<std::vector<std::string>>& Commands() {
  static const auto* const commands = new std::vector<std::vector<std::string>>{
      {"ls"},
      {"ls", "-o", "wide"},
      {"ls", "-o", "json"},
      {"ls", "-c", "web01"},
      {"computers"},
      {"computers", "-o", "json"},
      {"configurations", "-c", "web01"},
      {"new", "-c", "web01"},
      {"connect", "1"},
      {"disconnect", "1"},
      {"rm", "1"},
      {"run", "-s", "1", "--timeout", "5s", "--", "true"},
      {"run", "-s", "1", "--detach", "--", "true"},
      {"run", "-c", "web01,web02", "--total-timeout", "5s", "--", "true"},
      {"run", "-c", "web01,web02", "--gather", "--total-timeout", "5s", "--",
       "true"},
      {"receive", "1"},
      {"wait", "1", "--timeout", "2s"},
      {"admin", "token", "create"},
      {"admin", "status"},
      {"admin", "audit", "search"},
      {"admin", "audit", "search", "-o", "json"},
      {"admin", "audit", "tail"},
      {"admin", "audit", "tail", "-o", "json"},
      {"admin", "audit", "verify"},
  };
  return *commands;
}

TEST_F(HostileBrokerTest, TheCheckSeesWhatActs) {
  EXPECT_EQ(FirstActing("plain, naïve and 漢字\n"), "");
  for (const char* acting : {"\x1b[2J", "a\rb", "\x7f", "\xc2\x9b", "\t",
                             "\x9b", "\xff", "\xe6\xbc"}) {
    EXPECT_NE(FirstActing(absl::StrCat("before ", acting)), "");
  }
  EXPECT_NE(FirstActing(HostileText()), "");
  v1::ListComputersResponse computers;
  FillWithHostileText(computers, 0);
  ASSERT_EQ(computers.computers_size(), 1);
  EXPECT_EQ(computers.computers(0).name(), HostileText());
  ASSERT_EQ(computers.computers(0).labels_size(), 1);
  v1::SearchAuditResponse records;
  FillWithHostileText(records, 0);
  EXPECT_EQ(records.records(0).json(), HostileText());
}

TEST_F(HostileBrokerTest, NamesAreShownHarmlessly) {
  for (const auto& command : Commands()) ExpectHarmless(command);
  ExpectHarmless({"watch"});
  // They are shown, not hidden.
  EXPECT_THAT(ExpectHarmless({"computers"}).out,
              HasSubstr("\\x1b]0;title\\x07"));
  EXPECT_THAT(ExpectHarmless({"ls"}).out, HasSubstr("\\x1b]0;title\\x07"));
}

TEST_F(HostileBrokerTest, ErrorsAreShownHarmlessly) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::NOT_FOUND,
        grpc::StatusCode::FAILED_PRECONDITION}) {
    broker_.FailWith(code);
    for (const auto& command : Commands()) {
      EXPECT_NE(ExpectHarmless(command).exit_code, 0);
    }
    ExpectHarmless({"watch"});
  }
}

}  // namespace
}  // namespace berth::testing

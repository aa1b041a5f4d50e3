// Whatever a broker, or a computer behind it, says in names, labels, messages
// and errors: nothing of it acts on the terminal of the one who reads it.

#include "tests/cli/hostile_broker.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/audit.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

bool IsJson(const std::string& text) {
  // Protobuf reads more escapes than there are in JSON.
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    if (!absl::StrContains("\"\\/bfnrtu", text.substr(++i, 1))) return false;
  }
  google::protobuf::Value value;
  return google::protobuf::util::JsonStringToMessage(text, &value).ok();
}

class HostileBrokerTest : public ::testing::Test {
 protected:
  HostileBrokerTest() : broker_(dir_.path()) {
    mkdir((dir_.path() + "/run").c_str(), 0700);
  }

  Process::Options Command(const Words& arguments) {
    const std::string& root = dir_.path();
    Process::Options options;
    // Some follow a broker for ever, whatever it says.
    options.argv = {"/usr/bin/timeout",
                    "--foreground",
                    "-s",
                    "INT",
                    "-k",
                    "20",
                    "3",
                    std::filesystem::absolute(getenv("BERTH_CLI"))};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.directory = root;
    options.environment = {
        absl::StrCat("HOME=", root),
        absl::StrCat("XDG_RUNTIME_DIR=", root, "/run"),
        absl::StrCat("PATH=", getenv("PATH")),
        "LANG=C.UTF-8",
        "TERM=xterm-256color",
        "USER=alice",
        "BERTH_KEEPER=off",
        absl::StrCat("BERTH_BROKER=127.0.0.1:", broker_.port()),
        absl::StrCat("BERTH_CA=", root, "/ca.pem"),
        absl::StrCat("BERTH_CERTIFICATE=", root, "/user.pem"),
        absl::StrCat("BERTH_KEY=", root, "/user.key")};
    return options;
  }

  // Runs it, and looks at all that it shows.
  Process::Finished ExpectHarmless(const Words& arguments) {
    SCOPED_TRACE(absl::StrJoin(arguments, " "));
    const int before = broker_.calls();
    // Where something is asked.
    auto finished = Process::Run(Command(arguments), "n\n", absl::Minutes(1));
    EXPECT_TRUE(finished.ok()) << finished.status();
    if (!finished.ok()) return {.exit_code = -1, .out = "", .err = ""};
    EXPECT_GT(broker_.calls(), before) << "it asked nothing: " << finished->err;
    EXPECT_EQ(FirstActing(finished->out), "");
    EXPECT_EQ(FirstActing(finished->err), "");
    return *std::move(finished);
  }

  std::string OnTerminal(const Words& arguments) {
    TtyProgram program(Command(arguments), 24, 400);
    program.Type("n\n");
    program.Wait(absl::Minutes(1));
    program.Look();
    return program.output();
  }

  TempDir dir_;
  HostileBroker broker_;
};

// What every command that shows what others say is asked to show.
const std::vector<Words>& Commands() {
  static const auto* const commands = new std::vector<Words>{
      {"ls"},
      {"ls", "-o", "wide"},
      {"ls", "-o", "name"},
      {"ls", "-c", "web01"},
      {"ls", "--all-owners"},
      {"computers"},
      {"computers", "-o", "wide"},
      {"computers", "-o", "name"},
      {"configurations", "-c", "web01"},
      {"configurations", "-o", "wide"},
      {"configurations", "-o", "name"},
      {"new", "-c", "web01"},
      {"connect", "1"},
      {"disconnect", "1"},
      {"rm", "1"},
      {"rm", "*"},
      {"rm", "--what-if", "*"},
      {"rm", "-i", "*"},
      {"run", "-s", "1", "--timeout", "5s", "--", "true"},
      {"run", "-s", "1", "--detach", "--", "true"},
      {"run", "-s", "*", "--detach", "--", "true"},
      {"run", "-s", "*", "--total-timeout", "2s", "--", "true"},
      {"run", "-s", "*", "--gather", "--total-timeout", "2s", "--", "true"},
      {"run", "-s", "*", "--diff", "--total-timeout", "2s", "--", "true"},
      {"run", "-c", "web01,web02", "--total-timeout", "2s", "--", "true"},
      {"run", "-c", "*", "--gather", "--total-timeout", "2s", "--", "true"},
      {"receive", "1"},
      {"receive", "*"},
      {"wait", "1", "--timeout", "2s"},
      {"wait", "*", "--timeout", "2s"},
      {"cp", "1:/x", "from"},
      {"cp", "*:/x", "."},
      {"cp", "user.pem", "*:/tmp/"},
      {"play", "1"},
      {"export", "--text", "-", "1"},
      {"export", "--asciicast", "-", "1"},
      {"recordings", "ls"},
      {"recordings", "verify", "1"},
      {"approval", "ls"},
      {"approval", "ls", "--all"},
      {"approval", "request", "ops"},
      {"approval", "request", "ops", "--wait"},
      {"approval", "approve", "1"},
      {"approval", "deny", "1"},
      {"approval", "withdraw", "1"},
      {"admin", "token", "create"},
      {"admin", "token", "ls"},
      {"admin", "status"},
      {"admin", "user", "add", "bob"},
      {"admin", "user", "ls"},
      {"admin", "user", "lock", "bob"},
      {"admin", "user", "key", "ls"},
      {"admin", "user", "key", "add", "bob", "ssh-ed25519 AAAA"},
      {"admin", "cert", "ls"},
      {"admin", "cert", "revoke", "--user", "bob"},
      {"admin", "policy", "show"},
      {"admin", "policy", "history"},
      {"admin", "policy", "diff", "1", "2"},
      {"admin", "policy", "rollback", "1", "--dry-run"},
      {"admin", "can-i", "run", "web01"},
      {"admin", "who-can", "run", "web01"},
      {"admin", "audit", "search"},
      {"admin", "audit", "search", "-o", "json"},
      {"admin", "audit", "tail"},
      {"admin", "audit", "tail", "-o", "json"},
      {"admin", "audit", "verify"},
      {"doctor"},
      {"ssh-config", "--gateway", "gw"},
  };
  return *commands;
}

// What is one JSON value, or one a line.
const std::vector<Words>& JsonCommands() {
  static const auto* const commands = new std::vector<Words>{
      {"ls", "-o", "json"},
      {"ls", "-o", "jsonl"},
      {"computers", "-o", "json"},
      {"configurations", "-o", "json"},
      {"connect", "1", "-o", "json"},
      {"run", "-s", "*", "-o", "jsonl", "--total-timeout", "2s", "--", "true"},
      {"approval", "ls", "-o", "json"},
      {"admin", "token", "ls", "-o", "json"},
      {"admin", "user", "ls", "-o", "jsonl"},
      {"admin", "user", "key", "ls", "-o", "json"},
      {"admin", "cert", "ls", "-o", "json"},
      {"watch", "-o", "jsonl"},
  };
  return *commands;
}

TEST_F(HostileBrokerTest, TheCheckSeesWhatActs) {
  EXPECT_EQ(FirstActing("plain, naïve and 漢字\n"), "");
  for (const char* acting : {"\x1b[2J", "a\rb", "\x7f", "\xc2\x9b", "\t",
                             "\x9b", "\xff", "\xe6\xbc", "\u202e", "\u2028"}) {
    EXPECT_NE(FirstActing(absl::StrCat("before ", acting)), "");
  }
  EXPECT_EQ(FirstActing("\r\x1b[1;31ma\x1b[0m\x1b[K\n", Shown::kTerminal), "");
  EXPECT_NE(FirstActing("\x1b[2K", Shown::kTerminal), "");
  EXPECT_NE(FirstActing(HostileText()), "");
  v1::ListComputersResponse computers;
  FillWithHostileText(computers, 0);
  ASSERT_EQ(computers.computers_size(), 1);
  EXPECT_EQ(computers.computers(0).name(), HostileText());
  ASSERT_EQ(computers.computers(0).labels_size(), 1);
  v1::SearchAuditResponse records;
  FillWithHostileText(records, 0);
  EXPECT_EQ(records.records(0).json(), HostileText());
  EXPECT_TRUE(IsJson("{\"a\":[1]}"));
  EXPECT_FALSE(IsJson("{\"a\":\"\\x1b\"}"));
}

TEST_F(HostileBrokerTest, NamesAreShownHarmlessly) {
  for (const Words& command : Commands()) ExpectHarmless(command);
  ExpectHarmless({"watch"});
  // They are shown, not hidden.
  EXPECT_THAT(ExpectHarmless({"computers"}).out,
              HasSubstr("\\x1b]0;title\\x07"));
  EXPECT_THAT(ExpectHarmless({"ls"}).out, HasSubstr("\\x1b]0;title\\x07"));
  EXPECT_THAT(ExpectHarmless({"admin", "user", "ls", "-o", "name"}).out,
              HasSubstr("\\x1b]0;title\\x07"));
}

TEST_F(HostileBrokerTest, JsonIsJsonAndHarmless) {
  for (const Words& command : JsonCommands()) {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    const std::string out = ExpectHarmless(command).out;
    EXPECT_THAT(out, HasSubstr("\\u001b]0;title"));
    if (absl::StrContains(absl::StrJoin(command, " "), "jsonl")) {
      for (const absl::string_view line :
           absl::StrSplit(out, '\n', absl::SkipEmpty())) {
        EXPECT_TRUE(IsJson(std::string(line))) << line;
      }
    } else {
      EXPECT_TRUE(IsJson(out)) << out;
    }
  }
}

TEST_F(HostileBrokerTest, CompletionsAreHarmless) {
  for (const Words& words : {Words{"run", "-s", ""}, Words{"ls", "-c", ""}}) {
    Words command = {"complete", "--"};
    command.insert(command.end(), words.begin(), words.end());
    auto finished = Process::Run(Command(command), "", absl::Minutes(1));
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_EQ(FirstActing(finished->out, Shown::kTabs), "");
    EXPECT_EQ(FirstActing(finished->err), "");
  }
}

TEST_F(HostileBrokerTest, OnTerminalsToo) {
  for (const Words& command : std::vector<Words>{
           {"ls", "-o", "wide"},
           {"computers", "-o", "wide"},
           {"rm", "-i", "*"},
           {"run", "-s", "*", "--total-timeout", "1s", "--", "true"},
           {"run", "-c", "*", "--gather", "--total-timeout", "1s", "--",
            "true"},
           {"wait", "1", "--timeout", "1s"},
           {"cp", "*:/x", "."},
           {"recordings", "ls"},
           {"approval", "ls"},
           {"admin", "user", "ls"},
           {"admin", "audit", "search"},
           {"watch"}}) {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    const std::string shown = OnTerminal(command);
    EXPECT_NE(shown, "");
    EXPECT_EQ(FirstActing(shown, Shown::kTerminal), "");
  }
}

// It draws by itself: what must not be there is what the texts would do.
TEST_F(HostileBrokerTest, NoticesOfATerminalAreHarmless) {
  for (const Words& command :
       {Words{"enter", "1"}, Words{"enter", "1", "--peek"},
        Words{"play", "1"}}) {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    const std::string shown = OnTerminal(command);
    EXPECT_NE(shown, "");
    for (const char* acting :
         {"\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1b[6n", "\x9b",
          "\xc2\x9d", "\u202e", "\u2066", "\u2028",
          "\x1b"
          "c\r"}) {
      EXPECT_THAT(shown, Not(HasSubstr(acting)));
    }
  }
}

TEST_F(HostileBrokerTest, ErrorsAreShownHarmlessly) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::NOT_FOUND,
        grpc::StatusCode::FAILED_PRECONDITION}) {
    broker_.FailWith(code);
    for (const Words& command : Commands()) {
      EXPECT_NE(ExpectHarmless(command).exit_code, 0)
          << absl::StrJoin(command, " ");
    }
    ExpectHarmless({"watch"});
  }
}

}  // namespace
}  // namespace berth::testing

// Help, manual pages and completion, as people and shells use them.

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

class HelpTest : public ::testing::Test {
 protected:
  HelpTest() : fleet_({}) {}

  std::vector<std::string> Names() {
    return Lines(fleet_.Run({"help", "--names"}));
  }

  Fleet fleet_;
};

TEST_F(HelpTest, ListsAllSessionCommandsAndTopics) {
  const std::string help = fleet_.Run({"help"});
  for (const char* verb :
       {"connect", "disconnect", "enter", "ls", "new", "receive", "rm", "run",
        "wait", "watch", "cp", "configurations"}) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("\n  ", verb, " ")));
  }
  for (const char* topic :
       {"about-sessions", "about-details", "about-disconnected-sessions",
        "about-requirements", "about-output", "about-variables", "about-jobs",
        "troubleshooting", "faq"}) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("\n  ", topic, " ")));
  }
}

TEST_F(HelpTest, EveryCommandHasHelpWithExamples) {
  for (const std::string& name : Names()) {
    if (name == "berth") continue;
    const std::string help = fleet_.Run({"help", name});
    EXPECT_GT(help.size(), 200u) << name;
    if (!absl::StartsWith(name, "about-") && name != "troubleshooting" &&
        name != "faq") {
      EXPECT_THAT(help, HasSubstr("Examples:")) << name;
      EXPECT_THAT(help, HasSubstr(absl::StrCat("berth ", name)));
      EXPECT_EQ(fleet_.Run({name, "--help"}), help);
    }
  }
  EXPECT_EQ(fleet_.Run({"help", "sessions"}),
            fleet_.Run({"help", "about-sessions"}));
  EXPECT_EQ(fleet_.Berth({"help", "nonsense"}).exit_code, 1);
}

TEST_F(HelpTest, CommandsThatTopicsMentionExist) {
  std::set<std::string> known = {"admin", "keeper", "jobs"};
  for (const std::string& name : Names()) known.insert(name);
  for (const std::string& name : Names()) {
    if (!absl::StartsWith(name, "about-")) continue;
    std::istringstream words(fleet_.Run({"help", name}));
    for (std::string word, before; words >> word; before = word) {
      if (before != "berth" && before != "'berth") continue;
      std::string verb =
          word.substr(0, word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"));
      if (!verb.empty() && verb[0] != '-') {
        EXPECT_THAT(known, Contains(verb)) << name;
      }
    }
  }
}

TEST_F(HelpTest, TopicsSayWhatTheyMust) {
  const std::string details = fleet_.Run({"help", "about-details"});
  // Defaults, units, and who checks what.
  for (const char* words : {"2 hours", "at least 60 seconds", "90s, 5m, 2h",
                            "for 4 minutes", "Ctrl-C", "First your own client",
                            "then the broker", "then the computer"}) {
    EXPECT_THAT(details, HasSubstr(words));
  }
  EXPECT_THAT(fleet_.Run({"help", "about-requirements"}),
              HasSubstr("through\nanother machine"));
  EXPECT_THAT(fleet_.Run({"help", "about-disconnected-sessions"}),
              HasSubstr("64 MiB"));
}

TEST_F(HelpTest, ManualPagesAreCleanRoff) {
  ASSERT_EQ(access("/usr/bin/groff", X_OK), 0)
      << "see deploy/install-build-deps";
  for (const std::string& name : Names()) {
    const std::string page = fleet_.Run({"help", "--man", name});
    EXPECT_THAT(page, HasSubstr(".SH NAME\n"));
    auto lint = Process::Run({.argv = {"/usr/bin/groff", "-man", "-ww", "-z",
                                       "-Tutf8", "-K", "utf8"}},
                             page);
    ASSERT_TRUE(lint.ok()) << lint.status();
    EXPECT_EQ(lint->exit_code, 0) << name;
    EXPECT_EQ(lint->err, "") << name << "\n" << page;
  }
}

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : fleet_({"Server01"}) {
    fleet_.Run({"new", "-c", "Server01", "--name", "build"});
  }

  // Runs a script in a shell, where `berth` is found.
  Process::Finished InShell(std::vector<std::string> shell,
                            const std::string& script) {
    Process::Options options = fleet_.Command({}, "laptop");
    const std::string bin = fleet_.directory() + "/bin";
    mkdir(bin.c_str(), 0700);
    char* const berth = realpath(options.argv[0].c_str(), nullptr);
    (void)!symlink(berth, (bin + "/berth").c_str());
    free(berth);
    options.argv = std::move(shell);
    options.argv.push_back("-c");
    options.argv.push_back(
        absl::StrCat("export PATH=\"", bin, ":$PATH\"\n", script));
    auto finished = Process::Run(options);
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished();
  }

  // What bash offers for the last of these words, as readline takes them
  // apart.
  std::vector<std::string> InBash(const std::string& words) {
    const Process::Finished finished = InShell(
        {"/bin/bash", "--norc"},
        absl::StrCat("eval \"$(berth completion bash)\"\nCOMP_WORDS=(", words,
                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_berth\n"
                     "printf '%s\\n' \"${COMPREPLY[@]}\"\n"));
    EXPECT_EQ(finished.err, "");
    return Lines(finished.out);
  }

  Fleet fleet_;
};

TEST_F(CompletionTest, CompletesInBash) {
  EXPECT_THAT(InBash("berth rec"),
              ::testing::ElementsAre("receive", "recordings"));
  EXPECT_THAT(InBash("berth ''"), Contains("new"));
  EXPECT_THAT(InBash("berth ls --st"), ::testing::ElementsAre("--state"));
  EXPECT_THAT(InBash("berth ls --output = jso"),
              ::testing::ElementsAre("json", "jsonl"));
  EXPECT_THAT(InBash("berth enter bu"), ::testing::ElementsAre("build"));
  EXPECT_THAT(InBash("berth rm 1,bu"), ::testing::ElementsAre("1,build"));
  EXPECT_THAT(InBash("berth run -s ''"), Contains("1"));
  EXPECT_THAT(InBash("berth new -c Ser"), ::testing::ElementsAre("Server01"));
  EXPECT_THAT(InBash("berth run -s 1 -- l"), ::testing::ElementsAre());
  EXPECT_THAT(InBash("berth help about-j"),
              ::testing::ElementsAre("about-jobs"));
}

TEST_F(CompletionTest, AnInteractiveBashTakesIt) {
  EXPECT_EQ(InShell({"/bin/bash", "--norc", "-i"},
                    "eval \"$(berth completion bash)\"\n"
                    "complete -p berth; type -t _berth\n")
                .out,
            "complete -o default -o nosort -F _berth berth\nfunction\n");
}

TEST_F(CompletionTest, CompletesInZsh) {
  ASSERT_EQ(access("/usr/bin/zsh", X_OK), 0) << "see deploy/install-build-deps";
  // compadd works only inside of completion: a stand-in shows what it is given.
  const Process::Finished finished =
      InShell({"/usr/bin/zsh", "-f"},
              "compdef() { print -r -- \"compdef $*\" }\n"
              "compadd() { print -rl -- \"${values[@]}\" }\n"
              "source <(berth completion zsh)\n"
              "words=(berth rec); CURRENT=2\n_berth\n"
              "words=(berth enter bu); CURRENT=3\n_berth\n");
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.out, "compdef _berth berth\nreceive\nrecordings\nbuild\n");
}

TEST_F(CompletionTest, CompletesInFish) {
  ASSERT_EQ(access("/usr/bin/fish", X_OK), 0)
      << "see deploy/install-build-deps";
  // A word a line, with what it is about after a tab.
  const Process::Finished finished =
      InShell({"/usr/bin/fish", "--no-config"},
              "berth completion fish | source\n"
              "for line in 'berth rec' 'berth enter bu' 'berth rm 1,bu' "
              "'berth new -c Ser' 'berth ls --st' 'berth run -s '\n"
              "  complete -C $line | string split -f 1 \\t\n"
              "  echo .\n"
              "end\n");
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(
      finished.out,
      "receive\nrecordings\n.\nbuild\n.\n1,build\n.\nServer01\n.\n--state\n.\n"
      "1\nbuild\n.\n");
}

TEST_F(CompletionTest, IsSilentAndQuickWithABrokerThatSaysNothing) {
  const UniqueFd silent(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(silent.get(), any, size), 0);
  ASSERT_EQ(listen(silent.get(), 5), 0);
  ASSERT_EQ(getsockname(silent.get(), any, &size), 0);
  const absl::Time start = absl::Now();
  const Process::Finished finished =
      InShell({"/bin/bash", "--norc"},
              absl::StrCat("BERTH_BROKER=127.0.0.1:", ntohs(address.sin_port),
                           " berth --no-keeper complete -- enter ''\n"));
  // 300 ms, and time for a busy machine.
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "");
}

}  // namespace
}  // namespace berth::testing

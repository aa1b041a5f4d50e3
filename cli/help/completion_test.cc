#include "cli/help/completion.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "cli/help/man.h"

namespace berth::cli {
namespace {

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    app_.add_option("selectors", list_, "which")->type_name("SELECTOR");
    app_.add_option("-c,--computer", list_, "where")->type_name("NODES");
    app_.add_option("-o,--output", text_, "how")->type_name("FORMAT");
    app_.add_flag("--all", flag_, "all of them");
    app_.footer("More to say.\n\nExamples:\n  berth ls -o jsonl\n");
    CLI::App* add = app_.add_subcommand("add", "Adds something");
    add->add_flag("--use", flag_, "and uses it");
  }

  // "prefix|typed|live|words".
  std::string Try(const std::vector<std::string>& words) {
    Description description = Describe(app_);
    if (!with_subcommands_) description.subcommands.clear();
    const Candidates candidates = Complete(description, words);
    return candidates.prefix + "|" + candidates.typed + "|" +
           std::to_string(static_cast<int>(candidates.live)) + "|" +
           absl::StrJoin(candidates.words, " ",
                         [](std::string* text, const Candidates::Word& word) {
                           *text += word.word;
                         });
  }

  CLI::App app_{"Lists things.", "berth ls"};
  std::vector<std::string> list_;
  std::string text_;
  bool flag_ = false;
  bool with_subcommands_ = false;
};

TEST_F(CompletionTest, CompletesOptionsAndTheirValues) {
  EXPECT_EQ(Try({"--a"}), "|--a|0|-h --help -c --computer -o --output --all");
  EXPECT_EQ(Try({"-o", "js"}), "|js|0|table wide json jsonl name");
  EXPECT_EQ(Try({"--output=js"}), "--output=|js|0|table wide json jsonl name");
  EXPECT_EQ(Try({"--all=x"}), "|--all=x|0|");
}

TEST_F(CompletionTest, AsksForLiveNamesAndTheirLists) {
  EXPECT_EQ(Try({""}), "||1|");
  EXPECT_EQ(Try({"--all", "1,we"}), "1,|we|1|");
  EXPECT_EQ(Try({"-c", "web01,d"}), "web01,|d|2|");
  EXPECT_EQ(Try({"-c", "web01", ""}), "||1|");
}

TEST_F(CompletionTest, KnowsSubcommandsAndLeavesScriptsAlone) {
  with_subcommands_ = true;
  EXPECT_EQ(Try({"a"}), "|a|0|add");
  EXPECT_EQ(Try({"add", "--"}), "|--|0|-h --help --use");
  EXPECT_EQ(Try({"--", "x"}), "||0|");
}

TEST_F(CompletionTest, PutsWordsTogetherThatBashTookApart) {
  EXPECT_EQ(JoinAtEquals({"ls", "--output", "=", "js"}),
            (std::vector<std::string>{"ls", "--output=js"}));
  EXPECT_EQ(JoinAtEquals({"ls", "--output", "="}),
            (std::vector<std::string>{"ls", "--output="}));
  EXPECT_EQ(JoinAtEquals({"="}), (std::vector<std::string>{"="}));
}

TEST_F(CompletionTest, ThereIsAScriptForEachShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_NE(CompletionScript(shell).find("complete --"), std::string::npos);
  }
  EXPECT_EQ(CompletionScript("csh"), "");
}

TEST_F(CompletionTest, ManualPagesSayWhatHelpSays) {
  const std::string page = ManPage(Describe(app_));
  EXPECT_NE(page.find(".TH BERTH\\-LS 1"), std::string::npos);
  EXPECT_NE(page.find("berth\\-ls \\- lists things\n"), std::string::npos);
  EXPECT_NE(page.find("\\fB\\-c\\fR, \\fB\\-\\-computer\\fR \\fINODES\\fR\n"
                      "where\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find(".SS berth ls add\n"), std::string::npos);
  EXPECT_NE(page.find("  berth ls \\-o jsonl\n"), std::string::npos);
  // Nothing that roff would take for its own.
  const std::string topic = ManPage("about-dots", "Dots", ".begin\n'x\\y");
  EXPECT_NE(topic.find("\n\\&.begin\n\\(aqx\\ey\n"), std::string::npos)
      << topic;
}

}  // namespace
}  // namespace berth::cli

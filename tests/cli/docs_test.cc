// The command lines of README.md and docs/: every command in them exists, and
// its help has every option that they give it.

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using Words = std::vector<std::string>;

// A command as it is written: "berth admin user lock NAME [--reason TEXT]".
struct Line {
  std::string where;
  std::string text;
};

// What begins with `berth` in code: in blocks, and between backquotes.
std::vector<Line> CodeOf(const std::string& file) {
  std::vector<Line> found;
  bool block = false;
  int number = 0;
  const std::vector<std::string> lines =
      absl::StrSplit(ReadTextFile(file), '\n');
  for (const std::string& line : lines) {
    const std::string where = absl::StrCat(file, ":", ++number);
    if (absl::StartsWith(line, "```")) {
      block = !block;
    } else if (block || absl::StartsWith(line, "    ")) {
      // "tar c . | berth run ...", "berth admin ... && berth admin ...".
      const std::regex command("(^|[|&;] *) *(berth [^#]*)");
      std::string rest = line;
      for (std::smatch match; std::regex_search(rest, match, command);
           rest = match.suffix()) {
        for (const absl::string_view one :
             absl::StrSplit(match.str(2), "&& ")) {
          if (absl::StartsWith(one, "berth ")) {
            found.push_back({where, std::string(one)});
          }
        }
      }
    } else {
      const std::vector<std::string> parts = absl::StrSplit(line, '`');
      for (size_t i = 1; i < parts.size(); i += 2) {
        if (absl::StartsWith(parts[i], "berth ")) {
          found.push_back({where, parts[i]});
        }
      }
    }
  }
  return found;
}

// The commands and subcommands of a text: the words before anything else.
Words VerbsOf(absl::string_view text) {
  Words verbs;
  for (const absl::string_view word :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const bool plain = std::all_of(word.begin(), word.end(), [](char c) {
      return absl::ascii_islower(c) || c == '-';
    });
    if (!plain || word[0] == '-') break;
    verbs.emplace_back(word);
  }
  return verbs;
}

// "-c", "--from-start"; not what follows "--", nor what stands in quotes.
Words OptionsOf(std::string text) {
  text = text.substr(0, text.find(" -- "));
  text = std::regex_replace(text, std::regex("'[^']*'|\"[^\"]*\""), "x");
  Words options;
  const std::regex option("(^|[ \\[(|])(--?[a-zA-Z][a-z-]*)");
  for (std::sregex_iterator it(text.begin(), text.end(), option), end;
       it != end; ++it) {
    options.push_back(it->str(2));
  }
  return options;
}

class DocsTest : public ::testing::Test {
 protected:
  // What `berth VERBS --help` says; empty if there is no such command.
  const std::string& Help(const Words& verbs) {
    const auto [it, is_new] = help_.emplace(absl::StrJoin(verbs, " "), "");
    if (!is_new) return it->second;
    Process::Options options;
    options.argv = {std::filesystem::absolute(getenv("BERTH_CLI"))};
    options.argv.insert(options.argv.end(), verbs.begin(), verbs.end());
    options.argv.push_back("--help");
    options.environment = {absl::StrCat("HOME=", home_.path()),
                           "BERTH_KEEPER=off"};
    const auto finished = Process::Run(options, "", absl::Minutes(1));
    EXPECT_TRUE(finished.ok()) << finished.status();
    if (!finished.ok() || finished->exit_code != 0) return it->second;
    // Examples are what is checked, too.
    const size_t examples = finished->out.find("\nExamples:\n");
    it->second = finished->out.substr(0, examples);
    if (examples == std::string::npos) return it->second;
    const std::vector<std::string> lines =
        absl::StrSplit(finished->out.substr(examples), '\n');
    for (const std::string& line : lines) {
      if (!absl::StartsWith(line, "  berth ")) continue;
      examples_.push_back({absl::StrCat("help of ", it->first),
                           std::string(absl::string_view(line).substr(
                               2, line.find_first_of("|#") - 2))});
    }
    return it->second;
  }

  bool Knows(const Words& verbs, const std::string& option) {
    return std::regex_search(
        Help(verbs),
        std::regex(absl::StrCat("(^|[\\s,])", option, "(?![a-zA-Z-])")));
  }

  // "admin user ls | lock NAME [--reason TEXT]": what stands behind a bar goes
  // on from some word of what stands before.
  void Check(const Line& line) {
    SCOPED_TRACE(absl::StrCat(line.where, ": ", line.text));
    Words before;
    const std::vector<std::string> parts = absl::StrSplit(line.text, " | ");
    // Of no command: "berth --version".
    if (absl::StartsWith(line.text, "berth --") && parts.size() == 1) {
      EXPECT_THAT((Words{"--version", "--help", "--no-keeper"}),
                  ::testing::Contains(OptionsOf(line.text).at(0)));
      return;
    }
    for (const std::string& part : parts) {
      const bool first = before.empty();
      const Words verbs = VerbsOf(first ? part.substr(6) : part);  // "berth ".
      if (first) {
        EXPECT_TRUE(verbs.empty() || Help(verbs) != "") << "no such command";
        before = verbs;
      }
      for (const std::string& option : OptionsOf(part)) {
        ++options_;
        bool known = Knows(verbs, option);
        for (size_t keep = 1; !first && keep < before.size(); ++keep) {
          Words whole(before.begin(), before.begin() + keep);
          whole.insert(whole.end(), verbs.begin(), verbs.end());
          known = known || Knows(whole, option);
        }
        EXPECT_TRUE(known) << "no option " << option << " in its help";
      }
    }
  }

  TempDir home_;
  std::map<std::string, std::string> help_;
  std::vector<Line> examples_;
  int options_ = 0;
};

TEST_F(DocsTest, TheCheckKnowsWhatIsThereAndWhatIsNot) {
  EXPECT_TRUE(Knows({"run"}, "--detach"));
  EXPECT_TRUE(Knows({"run"}, "-s"));
  EXPECT_FALSE(Knows({"run"}, "--detac"));
  EXPECT_TRUE(Knows({"admin", "user", "lock"}, "--reason"));
  EXPECT_FALSE(Knows({"admin", "user", "ls"}, "--reason"));
  EXPECT_EQ(Help({"nonsense"}), "");
  EXPECT_EQ(OptionsOf("berth run -c 'a --b' [--job X] --x=y -- ls --all"),
            (Words{"-c", "--job", "--x"}));
  EXPECT_EQ(VerbsOf("admin user add NAME"), (Words{"admin", "user", "add"}));
}

TEST_F(DocsTest, CommandsAndOptionsOfTheDocumentsExist) {
  std::vector<std::string> files = {"README.md"};
  for (const auto& entry : std::filesystem::directory_iterator("docs")) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 7u);
  size_t lines = 0;
  for (const std::string& file : files) {
    for (const Line& line : CodeOf(file)) {
      Check(line);
      ++lines;
    }
  }
  const size_t found = examples_.size();
  for (size_t i = 0; i < found; ++i) Check(Line(examples_[i]));
  // Or nothing was looked at.
  EXPECT_GT(found, 60u);
  EXPECT_GT(lines, 60u);
  EXPECT_GT(options_, 60);
}

}  // namespace
}  // namespace berth::testing

// Holds checklist.txt to its word: every line that must be there is, and names
// tests that exist.

#include <limits.h>
#include <stdlib.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

struct Line {
  std::string what;
  std::vector<std::string> tests;
};

std::set<int> Wanted() {
  std::set<int> wanted;
  for (const auto& [first, last] : std::vector<std::pair<int, int>>{
           {1, 70}, {72, 72}, {75, 92}, {95, 95}, {97, 97}, {100, 104}, {107, 111}, {113, 113}, {115, 115}}) {
    for (int i = first; i <= last; ++i) wanted.insert(i);
  }
  return wanted;
}

// The list itself, and not its link among a test's files: the sources of all
// other tests are found beside it.
std::string ChecklistPath() {
  char* const real = realpath("tests/e2e/checklist.txt", nullptr);
  const std::string path = real == nullptr ? "" : real;
  free(real);
  return path;
}

std::map<int, Line> ReadChecklist() {
  std::map<int, Line> lines;
  const auto text = ReadFile(ChecklistPath());
  EXPECT_TRUE(text.ok()) << text.status();
  for (absl::string_view row :
       absl::StrSplit(text.value_or(""), '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(row, "#")) continue;
    const std::vector<std::string> cells = absl::StrSplit(row, " | ");
    int number = 0;
    EXPECT_EQ(cells.size(), 3u) << row;
    EXPECT_TRUE(absl::SimpleAtoi(cells[0], &number)) << row;
    EXPECT_FALSE(lines.contains(number)) << row;
    if (cells.size() == 3) {
      lines[number] = {cells[1], absl::StrSplit(cells[2], ", ")};
    }
  }
  return lines;
}

// "tests/e2e/page_test:PageTest.EveryExample" is in that file, which is the
// source of a target of that name.
::testing::AssertionResult Exists(const std::string& root,
                                  const std::string& test) {
  std::smatch parts;
  static const std::regex form(R"(([\w/]+)/(\w+):(\w+)\.(\w+))");
  if (!std::regex_match(test, parts, form)) {
    return ::testing::AssertionFailure() << "not folder/file:Suite.Case";
  }
  const std::string folder = absl::StrCat(root, "/", parts[1].str());
  const auto source =
      ReadFile(absl::StrCat(folder, "/", parts[2].str(), ".cc"));
  const auto build = ReadFile(absl::StrCat(folder, "/BUILD.bazel"));
  if (!source.ok() || !build.ok()) {
    return ::testing::AssertionFailure() << "no such file, or no BUILD beside";
  }
  if (!absl::StrContains(*build, absl::StrCat("\"", parts[2].str(), "\""))) {
    return ::testing::AssertionFailure() << "no such target";
  }
  const std::regex macro(absl::StrCat("TEST(_F|_P)?\\(\\s*", parts[3].str(),
                                      ",\\s*", parts[4].str(), "\\s*\\)"));
  if (!std::regex_search(*source, macro)) {
    return ::testing::AssertionFailure() << "no such case";
  }
  return ::testing::AssertionSuccess();
}

TEST(ChecklistTest, EveryLineIsThere) {
  const std::map<int, Line> lines = ReadChecklist();
  for (const int number : Wanted()) {
    EXPECT_TRUE(lines.contains(number)) << "line " << number << " is missing";
  }
}

TEST(ChecklistTest, EveryLineNamesTestsThatExist) {
  const std::string path = ChecklistPath();
  const std::string root = path.substr(0, path.rfind("/tests/e2e/"));
  for (const auto& [number, line] : ReadChecklist()) {
    EXPECT_FALSE(line.tests.empty());
    for (const std::string& test : line.tests) {
      EXPECT_TRUE(Exists(root, test)) << number << ": " << test;
    }
  }
}

}  // namespace
}  // namespace berth::testing

#include "base/toml.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(TomlTest, QuotesAndCommentsMayHaveAnything) {
  for (const char* text :
       {"", "a = 1\n", "# h\xC3\xA9\na = 1", "a = \"h\xC3\xA9\\\"\xC3\xA9\"",
        "a = 'h\xC3\xA9\\\xC3\xA9'\n", "a = \"\"\"x\n\xC3\xA9\"\"\"\"\n",
        "\xEF\xBB\xBF"
        "a = 1",
        "\"h\xC3\xA9\" = 1", "a = '''\n''\xC3\xA9'''"}) {
    EXPECT_TRUE(ParseToml(text, "x.toml").ok()) << text;
  }
}

// The parser's table of blanks has no case for most of them: what it then did
// was up to the compiler.
TEST(TomlTest, NothingElseMayBeOutsideOfThem) {
  for (const char* text :
       {"\n\n\xC3\xA9 = 1", "a = 1\nb =\n\xEF\xBB\xB9no", "# c\n\n\xC2\xA0"}) {
    const absl::Status status = ParseToml(text, "x.toml").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()),
              "x.toml:3: what is not ASCII may only be in quotes and comments");
  }
  EXPECT_FALSE(ParseToml("a = 'x'\xC3\xA9", "x").ok());
  EXPECT_FALSE(ParseToml("a = \"x\n\xC3\xA9", "x").ok());
}

TEST(TomlTest, NorFollowABackslashInQuotes) {
  for (const char* text :
       {"\na = \"x\\\xC3\xA9\"", "a = \"\"\"x\\ \t\n\xEF\xB9\xBF\"\"\"",
        "\n\"\"\"\\\\e\\\xEF\xB9\xBF "}) {
    const absl::Status status = ParseToml(text, "x.toml").status();
    EXPECT_EQ(std::string(status.message()),
              "x.toml:2: what is not ASCII may not follow a backslash");
  }
}

// Where the parser saw no string it looked for blanks in what looks like one.
TEST(TomlTest, NorBeInWhatIsNoString) {
  for (const char* text :
       {"a =-\"b)0\n\"\"\xC3\xA5 \"3\"", "a = -[\"\xCD\xAEQ\nsc]\nb = \"c\""}) {
    EXPECT_EQ(ParseToml(text, "x.toml").status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(TomlTest, WhatIsTakenIsWhatWasWritten) {
  const auto table = ParseToml("\"h\xC3\xA9\" = '\xE2\x82\xAC'", "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)["h\xC3\xA9"].value_or(std::string()), "\xE2\x82\xAC");
}

TEST(TomlTest, StringsComeBackAsTheyWere) {
  const std::string text("a\"b\\c\\\xC3\xA9\n\t\x01\x7f\0'#", 15);
  const auto table =
      ParseToml(absl::StrCat("a = ", TomlString(text)), "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)["a"].value_or(std::string()), text);
}

}  // namespace
}  // namespace berth

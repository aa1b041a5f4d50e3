#include "agent/shell/restricted/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::shell {
namespace {

using ::testing::HasSubstr;

struct Line {
  const char* line;
  std::vector<std::string> words;
};

TEST(CommandLineTest, WordsAreSplitAsAShellWould) {
  const Line lines[] = {
      {"ls", {"ls"}},
      {"  ls \t -l  ", {"ls", "-l"}},
      {"ls -l\n", {"ls", "-l"}},
      {"echo 'a  b' c", {"echo", "a  b", "c"}},
      {"echo \"a  b\"", {"echo", "a  b"}},
      {"echo a'b'\"c\"d", {"echo", "abcd"}},
      {"echo '' \"\" x", {"echo", "", "", "x"}},
      {"echo 'it'\\''s'", {"echo", "it's"}},
      {"echo \\;\\|\\ x", {"echo", ";| x"}},
      {"echo ';|&<>()$`*?[{~#\"\\'", {"echo", ";|&<>()$`*?[{~#\"\\"}},
      {"echo \";|&<>()*?[{~#'\"", {"echo", ";|&<>()*?[{~#'"}},
      {"echo \"\\\"\\\\\\n\"", {"echo", "\"\\\\n"}},
      {"echo a~b a#b a=b a,b @%+:-_./]}!^",
       {"echo", "a~b", "a#b", "a=b", "a,b", "@%+:-_./]}!^"}},
      {"echo 'two\nlines'", {"echo", "two\nlines"}},
      {"echo \xc3\xa4 \xff", {"echo", "\xc3\xa4", "\xff"}},
  };
  for (const Line& it : lines) {
    auto words = SplitCommandLine(it.line);
    ASSERT_TRUE(words.ok()) << it.line << ": " << words.status();
    EXPECT_EQ(*words, it.words) << it.line;
  }
}

TEST(CommandLineTest, WhatAShellWouldActOnIsRefusedByItsName) {
  for (char c : std::string(";|&<>()$`*?[{")) {
    const std::string text(1, c);
    for (const std::string& line :
         {"ls" + text, "ls " + text, text + "ls", "ls a" + text + "b"}) {
      absl::Status status = SplitCommandLine(line).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
      EXPECT_THAT(std::string(status.message()), HasSubstr("'" + text + "'"));
    }
  }
  for (const char* line : {"ls ~", "ls ~root", "# x", "ls #x", "ls \"$HOME\"",
                           "ls \"`id`\"", "ls\nid", "ls\rid", "ls \\\nid"}) {
    EXPECT_EQ(SplitCommandLine(line).status().code(),
              absl::StatusCode::kInvalidArgument)
        << line;
  }
}

TEST(CommandLineTest, WhatDoesNotEndIsRefused) {
  for (const char* line : {"ls 'a", "ls \"a", "ls '", "ls \"a\\\"", "ls \\"}) {
    EXPECT_EQ(SplitCommandLine(line).status().code(),
              absl::StatusCode::kInvalidArgument)
        << line;
  }
}

TEST(CommandLineTest, NothingIsRefused) {
  for (const char* line : {"", " ", "\n", " \t\n"}) {
    EXPECT_EQ(SplitCommandLine(line).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace berth::shell

#include "base/escape.h"

#include <string>

#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(EscapeForTerminalTest, KeepsPrintableTextAsItIs) {
  EXPECT_EQ(EscapeForTerminal("ls -l 'a b' ünï ☃ 世界 🎉"),
            "ls -l 'a b' ünï ☃ 世界 🎉");
}

TEST(EscapeForTerminalTest, ShowsControlCharactersInsteadOfSendingThem) {
  EXPECT_EQ(EscapeForTerminal("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\n\\t\\x7f");
  EXPECT_EQ(EscapeForTerminal(std::string("a\0b", 3)), "a\\x00b");
}

TEST(EscapeForTerminalTest, ShowsC1ControlsAndDirectionMarks) {
  EXPECT_EQ(EscapeForTerminal("\xc2\x9b"
                              "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(EscapeForTerminal("\xe2\x80\xae"), "\\xe2\\x80\\xae");
}

TEST(EscapeForTerminalTest, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(EscapeForTerminal("\xff"), "\\xff");
  EXPECT_EQ(EscapeForTerminal("\xe4\xb8"), "\\xe4\\xb8");  // Cut short.
  EXPECT_EQ(EscapeForTerminal("\xc0\xaf"), "\\xc0\\xaf");  // Overlong.
  EXPECT_EQ(EscapeForTerminal("\xed\xa0\x80"),
            "\\xed\\xa0\\x80");  // Surrogate.
}

}  // namespace
}  // namespace berth

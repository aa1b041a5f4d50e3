#include "base/escape.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/hostile_text.h"

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

TEST(EscapeForTerminalTest, LetsNoHostileTextThrough) {
  using testing::FirstActing;
  for (const auto& texts : {testing::HostileTexts(), testing::HostileBytes()}) {
    for (const std::string& text : texts) {
      if (text != "a\nb") {
        ASSERT_NE(FirstActing(text), "") << "the check misses " << text;
      }
      const std::string escaped = EscapeForTerminal(text);
      EXPECT_EQ(FirstActing(escaped), "");
      EXPECT_EQ(escaped.find('\n'), escaped.npos);
      EXPECT_EQ(EscapeForTerminal(escaped), escaped);
      const std::string json = EscapeJson(text);
      EXPECT_EQ(FirstActing(json), "");
      EXPECT_EQ(json.find('\n'), json.npos);
    }
  }
}

TEST(EscapeForTerminalTest, KeepsWhatScriptsAndEmojiNeed) {
  const std::string text = "नमस्ते \u200c\u200d 👩\u200d💻 שלום é";
  EXPECT_EQ(EscapeForTerminal(text), text);
  EXPECT_EQ(EscapeJson(text), text);
}

TEST(EscapeJsonTest, MeansTheSame) {
  EXPECT_EQ(EscapeJson("{\"a\":\"x\x1b\xc2\x9b\u202e\\n\xff\"}\n"),
            "{\"a\":\"x\\u001b\\u009b\\u202e\\n\\ufffd\"}\\u000a");
}

}  // namespace
}  // namespace berth

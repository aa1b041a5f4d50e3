#include "agent/screen/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace berth::screen {
namespace {

// What was seen, as text.
class Recorder : public Parser::Handler {
 public:
  void Print(char32_t c) override {
    if (c < 0x80) {
      seen_ += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&seen_, "U+%04X", static_cast<uint32_t>(c));
    }
  }
  void Control(char c) override {
    absl::StrAppendFormat(&seen_, "^%c", static_cast<char>(c + '@'));
  }
  void Escape(const Sequence& sequence) override {
    absl::StrAppend(&seen_, "<ESC");
    if (sequence.intermediate != 0) seen_ += sequence.intermediate;
    seen_ += sequence.final;
    seen_ += '>';
  }
  void Csi(const Sequence& sequence) override {
    absl::StrAppend(&seen_, "<CSI");
    if (sequence.leader != 0) seen_ += sequence.leader;
    for (size_t i = 0; i < sequence.count; ++i) {
      absl::StrAppend(&seen_, sequence.parameters[i].sub ? ":" : " ",
                      sequence.parameters[i].value);
    }
    if (sequence.intermediate != 0) seen_ += sequence.intermediate;
    seen_ += sequence.final == 0 ? '!' : sequence.final;
    seen_ += '>';
  }
  void Osc(absl::string_view text) override {
    absl::StrAppend(&seen_, "<OSC ", text, ">");
  }

  std::string seen_;
};

struct Case {
  const char* name;
  std::string input;
  std::string seen;
  std::string pending = "";
};

class ParserTest : public ::testing::TestWithParam<Case> {};

TEST_P(ParserTest, TakesApart) {
  const Case& test = GetParam();
  Recorder whole;
  Parser parser(whole);
  parser.Feed(test.input);
  EXPECT_EQ(whole.seen_, test.seen);
  EXPECT_EQ(parser.Pending(), test.pending);
  // Byte by byte it is the same.
  Recorder pieces;
  Parser slow(pieces);
  for (char byte : test.input) slow.Feed(absl::string_view(&byte, 1));
  EXPECT_EQ(pieces.seen_, test.seen);
}

INSTANTIATE_TEST_SUITE_P(
    All, ParserTest,
    ::testing::Values(
        Case{"Text", "ab\r\n", "ab^M^J"},
        Case{"Utf8", "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80",
             "U+00E9U+4E2DU+1F600"},
        Case{"BrokenUtf8", "\x80\xc3x\xf0\x9f\xc3\xa9\xff\xed\xa0\x80",
             "U+FFFDU+FFFDxU+FFFDU+00E9U+FFFDU+FFFD"},
        Case{"OverlongUtf8", "\xe0\x80\x80", "U+FFFD"},
        Case{"PartOfACharacter", "a\xe4\xb8", "a", "\xe4\xb8"},
        Case{"ControlsOfEightBits",
             "a\xc2\x9b"
             "1m",
             "a1m"},
        Case{"Csi", "\x1b[1;;22m", "<CSI 1 -1 22m>"},
        Case{"CsiWithoutNumbers", "\x1b[H", "<CSIH>"},
        Case{"CsiWithColons", "\x1b[4:3;38:2::1:2:3m",
             "<CSI 4:3 38:2:-1:1:2:3m>"},
        Case{"PrivateCsi", "\x1b[?1049h\x1b[>4;2m", "<CSI? 1049h><CSI> 4 2m>"},
        Case{"Intermediate", "\x1b[2 q\x1b[!p", "<CSI 2 q><CSI!p>"},
        Case{"LargeNumber", "\x1b[99999999999999m", "<CSI 65535m>"},
        Case{"ControlWithin", "\x1b[1\n2m", "^J<CSI 12m>"},
        Case{"Cancelled", "\x1b[1\x18m", "^Xm"},
        Case{"EscapeWithin", "\x1b[1\x1b[2m", "<CSI 2m>"},
        Case{"Malformed", "\x1b[1?2m\x1b[ 1mx", "<CSI 1!><CSI !>x"},
        Case{"TooLong", "\x1b[" + std::string(5000, '1') + "mx",
             "<CSI 65535!>x"},
        Case{"Escapes",
             "\x1b"
             "7\x1b(0\x1bM",
             "<ESC7><ESC(0><ESCM>"},
        Case{"Title", "\x1b]2;a b\x07\x1b]0;\xc3\xa9\x1b\\",
             "<OSC 2;a b><OSC 0;\xc3\xa9><ESC\\>"},
        Case{"OtherStrings", "\x1bPx\x1b\\\x1b_y\x07z", "<OSC ><ESC\\><OSC >z"},
        Case{"LongString", "\x1b]2;" + std::string(100'000, 'x') + "\x07z",
             "<OSC >z"},
        Case{"PartOfASequence", "x\x1b[38;5", "x", "\x1b[38;5"},
        Case{"PartOfATitle", "\x1b]2;ab", "", "\x1b]2;ab"},
        Case{"PartOfAString", "\x1bPab", "", "\x1bP"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParserTest, KeepsNoMoreThanTheFirstParameters) {
  Recorder recorder;
  Parser parser(recorder);
  std::string many = "\x1b[";
  for (int i = 0; i < 60; ++i) absl::StrAppend(&many, i, ";");
  parser.Feed(many + "m");
  EXPECT_TRUE(recorder.seen_.ends_with(" 31m>")) << recorder.seen_;
}

}  // namespace
}  // namespace berth::screen

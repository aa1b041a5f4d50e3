#include "agent/screen/terminal_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace berth::screen {
namespace {

using absl::StrCat;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// All that a terminal shows, as text.
std::string Describe(const TerminalScreen& screen) {
  std::string all =
      StrCat(screen.row(), ",", screen.column(),
             screen.alternate() ? " alternate" : "", " ", screen.title(), "\n");
  for (size_t row = 0; row < screen.rows(); ++row) {
    for (size_t column = 0; column < screen.columns(); ++column) {
      const Cell& cell = screen.cell(row, column);
      char32_t code = cell.code == 0 ? U' ' : cell.code;
      absl::StrAppend(&all, static_cast<uint32_t>(code), "/", cell.foreground,
                      "/", cell.background, "/", cell.attributes, "/",
                      absl::StrJoin(cell.marks, "+"), " ");
    }
    absl::StrAppend(&all, "\n");
  }
  return all;
}

// What is drawn is the same on a fresh terminal and on a used one; and so is
// what a program does afterwards, which it does here.
void ExpectDrawsItself(TerminalScreen& screen) {
  TerminalScreen fresh(screen.rows(), screen.columns());
  fresh.Feed(screen.Redraw(true));
  EXPECT_EQ(Describe(fresh), Describe(screen));
  TerminalScreen used(screen.rows(), screen.columns());
  used.Feed(
      "old\x1b[?1049h\x1b[?1;6;2004h\x1b[?7l\x1b[3;4r\x1b[44;1mx\x1b(0\x0e");
  used.Feed("\x1b[4h\x1b[?1003;1006h\x1b[");
  used.Feed(screen.Redraw(false));
  EXPECT_EQ(Describe(used), Describe(screen));
  for (TerminalScreen* each : {&screen, &fresh, &used}) {
    each->Feed(
        "m\xad y\x1b[Az\n\n\n\x1b"
        "8s\x1b[?1049lq\x1b[Hh\r\nl");
  }
  EXPECT_EQ(Describe(fresh), Describe(screen));
  EXPECT_EQ(Describe(used), Describe(screen));
}

// ---- What sequences do, on 4 lines of 10 columns ----

struct Case {
  const char* name;
  std::string input;
  std::string lines;   // With '|' between, without trailing empty ones.
  std::string cursor;  // "row,column"
};

class SequenceTest : public ::testing::TestWithParam<Case> {};

TEST_P(SequenceTest, DoesWhatItSays) {
  TerminalScreen screen(4, 10);
  screen.Feed(GetParam().input);
  std::vector<std::string> text = screen.Text();
  while (!text.empty() && text.back().empty()) text.pop_back();
  EXPECT_EQ(absl::StrJoin(text, "|"), GetParam().lines);
  EXPECT_EQ(StrCat(screen.row(), ",", screen.column()), GetParam().cursor);
  ExpectDrawsItself(screen);
}

constexpr char kFour[] = "one\r\ntwo\r\nthree\r\nfour";

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

INSTANTIATE_TEST_SUITE_P(
    All, SequenceTest,
    ::testing::Values(
        Case{"Nothing", "", "", "0,0"}, Case{"Text", "ab\r\nc", "ab|c", "1,1"},
        Case{"Wrap", "0123456789ab", "0123456789|ab", "1,2"},
        Case{"FullLine", "0123456789", "0123456789", "0,9"},
        Case{"FullLineAndReturn", "0123456789\r\nx", "0123456789|x", "1,1"},
        Case{"FullLineAndBackspace", "0123456789\bX", "01234567X9", "0,9"},
        Case{"NoWrap", "\x1b[?7l0123456789ab", "012345678b", "0,9"},
        Case{"Scroll", StrCat(kFour, "\r\nfive"), "two|three|four|five", "3,4"},
        Case{"Wide",
             "a\xe4\xb8\xad"
             "b",
             "a\xe4\xb8\xad"
             "b",
             "0,4"},
        Case{"WideDoesNotFit", "012345678\xe4\xb8\xad",
             "012345678|\xe4\xb8\xad", "1,2"},
        Case{"WideIsHalfOverwritten",
             "\xe4\xb8\xad"
             "b\x1b[2Gx",
             " xb", "0,2"},
        Case{"WideAtTheEnd", "01234567\xe4\xb8\xad", "01234567\xe4\xb8\xad",
             "0,9"},
        Case{"Marks", "e\xcc\x81x", "e\xcc\x81x", "0,2"},
        Case{"MarkAtTheEnd", "012345678e\xcc\x81", "012345678e\xcc\x81", "0,9"},
        Case{"MarkOnNothing", "\xcc\x81x", "x", "0,1"},
        Case{"Tabs", "a\tb\tc", "a       bc", "0,9"},
        Case{"OwnTabs", "\x1b[3g\x1b[4G\x1bH\r\tx\ty", "   x     y", "0,9"},
        Case{"Moves", "\x1b[3;5Hx\x1b[A\x1b[2Dy\x1b[B\x1b[Cz\x1b[2Gw",
             "|   y| w  xz", "2,2"},
        Case{"MoveStaysInside", "\x1b[99;99Hx\x1b[99A\x1b[99D\x1b[99Bz",
             "|||z        x", "3,1"},
        Case{"EraseToTheEnd", StrCat(kFour, "\x1b[2;2H\x1b[J"), "one|t", "1,1"},
        Case{"EraseToTheBeginning", StrCat(kFour, "\x1b[2;2H\x1b[1J"),
             "|  o|three|four", "1,1"},
        Case{"EraseAll", StrCat(kFour, "\x1b[2J"), "", "3,4"},
        Case{"EraseLine", "abcdef\x1b[3G\x1b[K", "ab", "0,2"},
        Case{"EraseLineBefore", "abcdef\x1b[3G\x1b[1K", "   def", "0,2"},
        Case{"EraseCharacters", "abcdef\x1b[3G\x1b[2X", "ab  ef", "0,2"},
        Case{"InsertCharacters", "abcdefghij\x1b[3G\x1b[2@", "ab  cdefgh",
             "0,2"},
        Case{"DeleteCharacters", "abcdef\x1b[3G\x1b[2P", "abef", "0,2"},
        Case{"InsertMode", "abcdef\r\x1b[4hxy\x1b[4l", "xyabcdef", "0,2"},
        Case{"InsertLines", StrCat(kFour, "\x1b[2;2H\x1b[2L"), "one|||two",
             "1,0"},
        Case{"DeleteLines", StrCat(kFour, "\x1b[2;2H\x1b[2M"), "one|four",
             "1,0"},
        Case{"ScrollUpAndDown", StrCat(kFour, "\x1b[2S\x1b[T"), "|three|four",
             "3,4"},
        Case{"Margins", StrCat(kFour, "\x1b[2;3r\x1b[3H\nX\x1b[2H\x1bMY"),
             "one|Y|three|four", "1,1"},
        Case{"OriginMode", StrCat(kFour, "\x1b[2;3r\x1b[?6h\x1b[1;1HX\x1b[9HY"),
             "one|Xwo|Yhree|four", "2,1"},
        Case{"ReverseLineFeed", StrCat(kFour, "\x1b[H\x1bM"), "|one|two|three",
             "0,0"},
        Case{"SavedCursor",
             "ab\x1b"
             "7\x1b[3;3Hx\x1b"
             "8c",
             "abc||  x", "0,3"},
        Case{"LineDrawing", "\x1b(0lqk\x1b(Bq",
             "\xe2\x94\x8c\xe2\x94\x80"
             "\xe2\x94\x90q",
             "0,4"},
        Case{"OtherSetInUse", "\x1b)0\x0eq\x0fq", "\xe2\x94\x80q", "0,2"},
        Case{"Repeat", "ab\x1b[3b", "abbbb", "0,5"},
        Case{"RepeatNothing", "ab\x1b[m\x1b[3b", "ab", "0,2"},
        Case{"NewlineMode", "ab\x1b[20h\nc", "ab|c", "1,1"},
        Case{"Align", "\x1b#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE",
             "0,0"},
        Case{"Reset",
             StrCat(kFour,
                    "\x1b[?6;1049h\x1b"
                    "cx"),
             "x", "0,1"},
        Case{"AlternateScreen", "main\x1b[?1049halt", "    alt", "0,7"},
        Case{"BackFromIt", "main\x1b[?1049halt\x1b[?1049l!", "main!", "0,5"},
        Case{"OlderAlternateScreen", "main\x1b[?47hx\x1b[?47ly", "main y",
             "0,6"},
        Case{"PartOfASequence", "ab\x1b[3", "ab", "0,2"},
        Case{"PartOfACharacter", "ab\xe4\xb8", "ab", "0,2"}),
    [](const auto& info) { return std::string(info.param.name); });

// ---- Styles ----

struct Styled {
  const char* name;
  const char* sgr;
  Style style;
};

void PrintTo(const Styled& test, std::ostream* out) { *out << test.name; }

class StyleTest : public ::testing::TestWithParam<Styled> {};

TEST_P(StyleTest, IsOfTheCell) {
  TerminalScreen screen(2, 10);
  screen.Feed(StrCat("a\x1b[", GetParam().sgr, "mb"));
  EXPECT_EQ(screen.cell(0, 0).style(), Style());
  EXPECT_EQ(screen.cell(0, 1).style(), GetParam().style);
  ExpectDrawsItself(screen);
}

INSTANTIATE_TEST_SUITE_P(
    All, StyleTest,
    ::testing::Values(
        Styled{"Bold", "1", {0, 0, kBold}},
        Styled{"Several",
               "2;3;5;7;8;9;53",
               {0, 0,
                kFaint | kItalic | kBlink | kReverse | kConceal | kStrike |
                    kOverline}},
        Styled{"SwitchedOff", "1;2;3;4;5;7;8;9;53;22;23;24;25;27;28;29;55", {}},
        Styled{"Underline", "4", {0, 0, 1 << kUnderlineShift}},
        Styled{"DoubleUnderline", "21", {0, 0, 2 << kUnderlineShift}},
        Styled{"CurlyUnderline", "4:3", {0, 0, 3 << kUnderlineShift}},
        Styled{"Colors", "31;42", {IndexedColor(1), IndexedColor(2), 0}},
        Styled{
            "BrightColors", "91;102", {IndexedColor(9), IndexedColor(10), 0}},
        Styled{"OfAPalette",
               "38;5;200;48;5;100",
               {IndexedColor(200), IndexedColor(100), 0}},
        Styled{"OfAPaletteWithColons", "38:5:200", {IndexedColor(200), 0, 0}},
        Styled{"Rgb",
               "38;2;1;2;3;48;2;4;5;6",
               {RgbColor(1, 2, 3), RgbColor(4, 5, 6), 0}},
        Styled{"RgbWithColons", "38:2:1:2:3", {RgbColor(1, 2, 3), 0, 0}},
        Styled{"RgbWithAColorSpace", "38:2::1:2:3", {RgbColor(1, 2, 3), 0, 0}},
        Styled{"ColorOfTheUnderline", "58;5;3;1", {0, 0, kBold}},
        Styled{"DefaultColors", "31;42;39;49", {}},
        Styled{"CutOff", "1;38;5", {0, 0, kBold}},
        Styled{"Reset", "1;31;0", {}}, Styled{"EmptyReset", "1m\x1b[", {}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TerminalScreenTest, ErasesInTheColorOfTheBackground) {
  TerminalScreen screen(3, 10);
  screen.Feed("abc\x1b[44m\x1b[K\x1b[2;3H\x1b[1K\x1b[mx");
  EXPECT_EQ(screen.cell(0, 2).background, kDefaultColor);
  EXPECT_EQ(screen.cell(0, 3).background, IndexedColor(4));
  EXPECT_EQ(screen.cell(0, 9).background, IndexedColor(4));
  EXPECT_EQ(screen.cell(1, 1).background, IndexedColor(4));
  EXPECT_EQ(screen.cell(1, 3).background, kDefaultColor);
  ExpectDrawsItself(screen);
}

// ---- Modes ----

TEST(TerminalScreenTest, DrawsTheModesThatWereSet) {
  TerminalScreen screen(4, 10);
  screen.Feed(
      "\x1b[?1;1002;1006;2004;1004;12h\x1b=\x1b[?25l\x1b[4 q\x1b[>4;2m");
  screen.Feed("\x1b]2;a title\x07\x1b[4h\x1b[?7l\x1b[?5h");
  const std::string drawn = screen.Redraw(false);
  for (const char* mode :
       {"\x1b[?1h", "\x1b[?1002h", "\x1b[?1006h", "\x1b[?2004h", "\x1b[?1004h",
        "\x1b[?12h", "\x1b=", "\x1b[?25l", "\x1b[4 q", "\x1b[>4;2m", "\x1b[4h",
        "\x1b[?7l", "\x1b[?5h", "\x1b]2;a title\x07"}) {
    EXPECT_THAT(drawn, HasSubstr(mode));
  }
  screen.Feed("\x1b[?1;1002;1006;2004;1004;12;5l\x1b>\x1b[?25;7h\x1b[4l");
  const std::string later = screen.Redraw(false);
  for (const char* mode : {"\x1b[?1h", "\x1b[?1002h", "\x1b[?1006h",
                           "\x1b[?2004h", "\x1b[?1004h", "\x1b=", "\x1b[4h"}) {
    EXPECT_THAT(later, Not(HasSubstr(mode)));
  }
}

TEST(TerminalScreenTest, LeavesAloneWhatNobodySet) {
  const std::string drawn = TerminalScreen(4, 10).Redraw(true);
  for (const char* left : {" q", "\x1b]2", "\x1b[>4", "\x1b[3g", "?12"}) {
    EXPECT_THAT(drawn, Not(HasSubstr(left)));
  }
}

// ---- Screens ----

TEST(TerminalScreenTest, MainScreenComesBackAfterAFullScreenProgram) {
  TerminalScreen screen(4, 10);
  screen.Feed(StrCat(kFour, "\x1b[?1049h\x1b[2J\x1b[Heditor\x1b[2;3r"));
  TerminalScreen watcher(4, 10);
  watcher.Feed(screen.Redraw(true));
  for (TerminalScreen* each : {&screen, &watcher}) {
    each->Feed("\x1b[r\x1b[?1049l$ ");
    EXPECT_THAT(each->Text(), ElementsAre("one", "two", "three", "four$"));
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(TerminalScreenTest, ShowsWhatAnEditorShows) {
  const std::string recorded = ReadFile("agent/screen/testdata/vim.bytes");
  ASSERT_THAT(recorded, HasSubstr("\x1b[?1049h"));
  TerminalScreen screen(24, 80);
  screen.Feed("$ vim hello.c\r\n");
  screen.Feed(recorded);
  EXPECT_TRUE(screen.alternate());
  const std::vector<std::string> text = screen.Text();
  EXPECT_EQ(text[1], "#include <stdio.h>");
  EXPECT_EQ(text[3],
            "/* Gr\xc3\xbc\xc3\x9f"
            "e, \xe4\xb8\x96\xe7\x95\x8c */");
  EXPECT_EQ(text[10], "~");
  EXPECT_THAT(text[23], StartsWith("-- VISUAL LINE --"));
  EXPECT_EQ(screen.cell(4, 0).foreground, IndexedColor(2));    // int
  EXPECT_EQ(screen.cell(5, 2).foreground, IndexedColor(130));  // for
  EXPECT_EQ(screen.cell(6, 10).background, IndexedColor(7));   // Selected.
  EXPECT_EQ(screen.cell(7, 0).background, kDefaultColor);
  EXPECT_THAT(screen.Redraw(false), HasSubstr("\x1b[?2004h"));
  ExpectDrawsItself(screen);
  // At every moment of its start.
  for (size_t at = 0; at < recorded.size(); at += 7) {
    TerminalScreen part(24, 80);
    part.Feed(absl::string_view(recorded).substr(0, at));
    TerminalScreen watcher(24, 80);
    watcher.Feed(part.Redraw(true));
    watcher.Feed(absl::string_view(recorded).substr(at));
    part.Feed(absl::string_view(recorded).substr(at));
    ASSERT_EQ(Describe(watcher), Describe(part)) << "from byte " << at;
  }
}

// ---- Scrollback ----

TEST(TerminalScreenTest, RemembersLinesThatWereScrolledOut) {
  TerminalScreen screen(3, 10);
  screen.Feed("\x1b[31mred\x1b[m\r\n0123456789ab\r\n1\r\n2\r\n3");
  EXPECT_EQ(screen.scrollback().lines().size(), 3u);
  EXPECT_THAT(screen.Redraw(true), HasSubstr("\x1b[0;31mred\x1b[m\r\n"));
  // A line that went on is one line for whoever copies it.
  EXPECT_THAT(screen.Redraw(true), HasSubstr("0123456789ab\r\n1\r\n2\r\n3"));
  EXPECT_THAT(screen.Redraw(false), Not(HasSubstr("red")));
  ExpectDrawsItself(screen);
  screen.Feed("\x1b[3J");
  EXPECT_TRUE(screen.scrollback().lines().empty());
}

TEST(TerminalScreenTest, FullScreenProgramsLeaveNothingBehind) {
  TerminalScreen screen(3, 10);
  screen.Feed("\x1b[?1049h1\r\n2\r\n3\r\n4\r\n5\x1b[?1049l");
  screen.Feed("\x1b[2;3r\x1b[3Ha\r\nb\r\nc");
  EXPECT_TRUE(screen.scrollback().lines().empty());
}

TEST(TerminalScreenTest, ScrollbackIsBounded) {
  TerminalScreen screen(3, 400);
  for (int i = 0; i < 3000; ++i) screen.Feed(StrCat(i, "\r\n"));
  EXPECT_EQ(screen.scrollback().lines().size(), Scrollback::kMaxLines);
  EXPECT_EQ(screen.scrollback().lines().back().text, "2997");
  const std::string colorful = "\x1b[38;2;1;2;3mx\x1b[48;2;200;200;200my";
  for (int i = 0; i < 100'000; ++i) screen.Feed(colorful);
  EXPECT_LT(screen.scrollback().lines().size(), Scrollback::kMaxLines);
  EXPECT_LE(screen.Redraw(true).size(),
            Scrollback::kMaxBytes + 3 * 400 * 60 + 4096);
}

// ---- Size ----

TEST(TerminalScreenTest, LosesWhatIsCutOffAtTheRight) {
  TerminalScreen screen(3, 10);
  screen.Feed("0123456789\r\n01234\xe4\xb8\xad\r\nx");
  screen.Resize(3, 6);
  EXPECT_THAT(screen.Text(), ElementsAre("012345", "01234", "x"));
  screen.Resize(3, 12);
  EXPECT_THAT(screen.Text(), ElementsAre("012345", "01234", "x"));
  ExpectDrawsItself(screen);
}

TEST(TerminalScreenTest, KeepsTheCursorsLineWhenItGetsLower) {
  TerminalScreen screen(4, 10);
  screen.Feed(kFour);
  screen.Resize(2, 10);
  EXPECT_THAT(screen.Text(), ElementsAre("three", "four"));
  EXPECT_EQ(screen.row(), 1u);
  EXPECT_EQ(screen.scrollback().lines().size(), 2u);
  ExpectDrawsItself(screen);
}

TEST(TerminalScreenTest, LosesBlankLinesFirstWhenItGetsLower) {
  TerminalScreen screen(4, 10);
  screen.Feed("one\r\ntwo");
  screen.Resize(2, 10);
  EXPECT_THAT(screen.Text(), ElementsAre("one", "two"));
  screen.Resize(4, 10);
  EXPECT_THAT(screen.Text(), ElementsAre("one", "two", "", ""));
  EXPECT_EQ(screen.row(), 1u);
}

TEST(TerminalScreenTest, BothScreensGetAnotherSize) {
  TerminalScreen screen(4, 10);
  screen.Feed(StrCat(kFour, "\x1b[?1049h\x1b[2J\x1b[Hedit"));
  screen.Resize(3, 8);
  TerminalScreen watcher(3, 8);
  watcher.Feed(screen.Redraw(true));
  for (TerminalScreen* each : {&screen, &watcher}) {
    each->Feed("\x1b[?1049l");
    EXPECT_THAT(each->Text(), ElementsAre("two", "three", "four"));
    EXPECT_EQ(each->row(), 2u);
  }
}

TEST(TerminalScreenTest, HasAtLeastOneCellAndABound) {
  TerminalScreen smallest(0, 0);
  smallest.Feed("ab\xe4\xb8\xad\r\n\x1b[9;9Hx\t\x1b[5@\x1b[5P\x1b[L\x1b[M");
  EXPECT_EQ(smallest.rows(), 1u);
  EXPECT_EQ(smallest.columns(), 1u);
  ExpectDrawsItself(smallest);
  TerminalScreen largest(65535, 65535);
  EXPECT_EQ(largest.rows(), TerminalScreen::kMaxRows);
  EXPECT_EQ(largest.columns(), TerminalScreen::kMaxColumns);
}

TEST(TerminalScreenTest, MarginsEndWithTheSizeTheyWereOf) {
  TerminalScreen screen(24, 80);
  screen.Feed("\x1b[20;22r\x1b[?6h");
  screen.Resize(5, 80);
  screen.Feed(kFour);
  ExpectDrawsItself(screen);
}

}  // namespace
}  // namespace berth::screen

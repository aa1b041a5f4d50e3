#include "cli/recordings/rendering.h"

#include <string>

#include "cli/recordings/asciicast.h"
#include "cli/recordings/terminal_filter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

v1::RecordingEntry Terminal(const std::string& bytes, int64_t time = 0) {
  v1::RecordingEntry entry;
  entry.set_time_ns(time);
  entry.set_terminal(bytes);
  return entry;
}

// Byte by byte, as pieces may end anywhere.
std::string Filtered(TerminalFilter::Keep keep, absl::string_view text) {
  TerminalFilter filter(keep);
  const std::string at_once = TerminalFilter(keep).Take(text);
  std::string out;
  for (const char c : text) out += filter.Take(absl::string_view(&c, 1));
  EXPECT_EQ(out, at_once);
  return out;
}

TEST(TerminalFilterTest, KeepsWhatDrawsAndNothingThatActs) {
  const auto drawing = [](absl::string_view text) {
    return Filtered(TerminalFilter::Keep::kDrawing, text);
  };
  EXPECT_EQ(drawing("a\x1b[1;31mb\x1b[2J\x1b(B\r\n\x08"),
            "a\x1b[1;31mb\x1b[2J\x1b(B\r\n\x08");
  EXPECT_EQ(drawing("a\x1b]52;c;ZXZpbA==\x07"
                    "b\x1b]0;title\x1b\\c"),
            "abc");
  EXPECT_EQ(
      drawing("a\x1bP$q\"p\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e"),
      "abcde");
  EXPECT_EQ(drawing("a\x1b[c\x1b[6n\x1b[>c\x1b[?1$p\x1bZ\x1b[21t\x05\x1b[5i"
                    "b\xc2\x9b"
                    "6nc"),
            "ab6nc");
  EXPECT_EQ(drawing("\x1b[1\x1b[2mx\x1b\x1b[3my"), "\x1b[2mx\x1b[3my");
  EXPECT_EQ(drawing("\xc3\xa9\xc2\xa9"), "\xc3\xa9\xc2\xa9");
}

TEST(TerminalFilterTest, TextHasNoSequences) {
  EXPECT_EQ(Filtered(TerminalFilter::Keep::kText,
                     "\x1b[?2004h$ \x1b[1mls\x1b[0m\r\nfile\t\x07x\x1b]0;t\x07"
                     "y\r\n"),
            "$ ls\nfile\txy\n");
}

TEST(RenderingTest, SaysWhatHappenedOnLinesOfItsOwn) {
  RecordingRendering rendering;
  EXPECT_EQ(rendering.Render(Terminal("$ ")), "$ ");
  v1::RecordingEntry entry;
  entry.mutable_started()->set_sequence(3);
  entry.mutable_started()->set_user("bob");
  entry.mutable_started()->set_text("make\x1b[2J all\n");
  EXPECT_EQ(rendering.Render(entry), "\r\n[bob runs 3: make\\x1b[2J all]\r\n");
  entry.mutable_output()->set_data("one\ntwo\r");
  EXPECT_EQ(rendering.Render(entry), "one\r\ntwo\r");
  entry.mutable_output()->set_data("\nthree");
  EXPECT_EQ(rendering.Render(entry), "\nthree");
  entry.mutable_ended()->set_sequence(3);
  entry.mutable_ended()->set_exit_code(2);
  EXPECT_EQ(rendering.Render(entry), "\r\n[3 ended with 2]\r\n");
  entry.mutable_gap()->set_bytes(7);
  entry.mutable_gap()->set_reason("full");
  EXPECT_EQ(rendering.Render(entry), "[7 bytes are missing: full]\r\n");
}

TEST(AsciicastTest, HasAHeaderTimesAndWholeCharacters) {
  v1::Recording recording;
  recording.mutable_info()->set_owner("alice");
  recording.mutable_info()->set_computer("web");
  recording.mutable_info()->set_name("\"x\"");
  Asciicast cast(recording);
  v1::RecordingEntry size;
  size.set_time_ns(5'000'000'000);
  size.mutable_size()->set_rows(40);
  size.mutable_size()->set_columns(100);
  EXPECT_EQ(cast.Add(size),
            "{\"version\": 2, \"width\": 100, \"height\": 40, \"timestamp\": 5,"
            " \"title\": \"alice on web: \\\"x\\\"\"}\n");
  EXPECT_EQ(cast.Add(Terminal("\x1b[1m\xc3", 5'500'000'000)),
            "[0.500000, \"o\", \"\\u001b[1m\"]\n");
  // The clock was put back.
  EXPECT_EQ(cast.Add(Terminal("\xa9\xff", 1)),
            "[0.500000, \"o\", \"\xc3\xa9\\ufffd\"]\n");
  size.set_time_ns(6'000'000'000);
  EXPECT_EQ(cast.Add(size), "[1.000000, \"r\", \"100x40\"]\n");
  EXPECT_EQ(cast.Add(Terminal("\xe2\x82", 6'000'000'000)), "");
  EXPECT_EQ(cast.End(), "[1.000000, \"o\", \"\\ufffd\\ufffd\"]\n");
}

TEST(AsciicastTest, OfNothingItIsStillOne) {
  EXPECT_THAT(Asciicast(v1::Recording()).End(), HasSubstr("\"version\": 2"));
}

}  // namespace
}  // namespace berth::cli

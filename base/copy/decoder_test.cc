#include "base/copy/decoder.h"

#include <string>
#include <vector>

#include "base/copy/names.h"
#include "base/copy/walker.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace berth::copy {
namespace {

using ::testing::HasSubstr;

constexpr char kStart[] = "start { checksum_key: '0123456789abcdef' }";
constexpr char kSource[] = "source { index: 0 }";
constexpr char kEnd[] = "end { checksum: '0123456789abcdef' }";

absl::Status Take(Decoder& decoder, const std::string& text) {
  v1::CopyPart part;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &part))
      << text;
  return decoder.Take(part);
}

// What is said about the last of `parts`; all before must be fine.
std::string Verdict(const std::vector<std::string>& parts) {
  Decoder decoder(2);
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const absl::Status status = Take(decoder, parts[i]);
    EXPECT_TRUE(status.ok()) << parts[i] << ": " << status;
  }
  const absl::Status status = Take(decoder, parts.back());
  return status.ok() ? "ok" : std::string(status.message());
}

struct Case {
  const char* name;
  std::vector<std::string> parts;
  const char* verdict;
};

class DecoderTest : public ::testing::TestWithParam<Case> {};

TEST_P(DecoderTest, Judges) {
  EXPECT_THAT(Verdict(GetParam().parts), HasSubstr(GetParam().verdict));
}

const Case kCases[] = {
    {"File", {kStart, kSource, "file { name: 'a' }"}, "ok"},
    {"NoStart", {"source { index: 0 }"}, "before the start"},
    {"StartTwice", {kStart, kStart}, "second start"},
    {"BadKey", {"start { checksum_key: 'x' }"}, "another size"},
    {"NoSource", {kStart, "file { name: 'a' }"}, "no source"},
    {"UnknownSource", {kStart, "source { index: 2 }"}, "source 2 of 2"},
    {"SameSource",
     {kStart, kSource, "file { name: 'a' }", kSource},
     "source 0 of 2 after 0"},
    {"TwoEntriesOfASource",
     {kStart, kSource, "file { name: 'a' }", "file { name: 'b' }"},
     "no source"},
    {"Parent", {kStart, kSource, "enter { name: '..' }"}, "'..' is not a name"},
    {"Slash",
     {kStart, kSource, "file { name: '../../etc/passwd' }"},
     "is not a name"},
    {"Absolute", {kStart, kSource, "link { name: '/x' target: 'y' }"}, "name"},
    {"Nul", {kStart, kSource, "file { name: 'a\\0b' }"}, "is not a name"},
    {"EmptyFileName", {kStart, kSource, "file { }"}, "'' is not a name"},
    {"EmptySourceFolder", {kStart, kSource, "enter { }"}, "ok"},
    {"EmptyFolder",
     {kStart, kSource, "enter { name: 'a' }", "enter { }"},
     "'' is not a name"},
    {"Twice",
     {kStart, kSource, "enter { }", "file { name: 'a' }",
      "link { name: 'a' target: 'x' }"},
     "the name 'a' is out of order"},
    {"Descending",
     {kStart, kSource, "enter { }", "file { name: 'b' }", "file { name: 'a' }"},
     "out of order"},
    {"LeaveTooOften", {kStart, kSource, "leave { }"}, "end of a folder"},
    {"FinishInside", {kStart, kSource, "enter { }", "finished { }"}, "of all"},
    {"AfterTheEnd", {kStart, "finished { }", kSource}, "after the end"},
    {"ShortContent",
     {kStart, kSource, "file { name: 'a' size: 2 content: 'x' }"},
     "a file of 2 bytes with 1"},
    {"LongContent",
     {kStart, kSource, "file { name: 'a' size: 0 content: 'x' }"},
     "with 1"},
    {"HugeFile",
     {kStart, kSource, "file { name: 'a' size: 9223372036854775808 }"},
     "too large to exist"},
    {"EndsEarly",
     {kStart, kSource, "file { name: 'a' size: 70000 }", kEnd},
     "70000 bytes ends after 0"},
    {"BreaksOff",
     {kStart, kSource, "file { name: 'a' size: 70000 }", "end { }"},
     "ok"},
    {"HoleTooLong",
     {kStart, kSource, "file { name: 'a' size: 70000 }",
      "hole { length: 70001 }"},
     "more data than the 70000"},
    {"HoleThatWraps",
     {kStart, kSource, "file { name: 'a' size: 70000 }",
      "hole { length: 70000 }", "hole { length: 18446744073709551615 }"},
     "more data"},
    {"SeekUnasked",
     {kStart, kSource, "file { name: 'a' size: 2000000 }",
      "seek { offset: 7 }"},
     "a seek is out of order"},
    {"EntryInFile",
     {kStart, kSource, "file { name: 'a' size: 70000 }", "file { name: 'b' }"},
     "inside of a file"},
    {"LinkToNothing", {kStart, kSource, "link { name: 'a' }"}, "a link to"},
    {"OfALaterVersion", {kStart, ""}, "ok"},
};

INSTANTIATE_TEST_SUITE_P(All, DecoderTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST(DecoderTest, DataOnlyInFilesAndNotBeyondThem) {
  Decoder decoder(1);
  EXPECT_FALSE(decoder.TakeData(1).ok());
  ASSERT_TRUE(Take(decoder, kStart).ok());
  ASSERT_TRUE(Take(decoder, kSource).ok());
  ASSERT_TRUE(Take(decoder, "file { name: 'a' size: 70000 }").ok());
  EXPECT_TRUE(decoder.TakeData(69'999).ok());
  EXPECT_FALSE(decoder.TakeData(2).ok());
  EXPECT_TRUE(decoder.TakeData(1).ok());
  EXPECT_TRUE(Take(decoder, kEnd).ok());
  EXPECT_FALSE(decoder.TakeData(1).ok());
}

TEST(DecoderTest, ASeekGoesWhereItWasAskedTo) {
  Decoder decoder(1);
  ASSERT_TRUE(Take(decoder, kStart).ok());
  ASSERT_TRUE(Take(decoder, kSource).ok());
  ASSERT_TRUE(Take(decoder, "file { name: 'a' size: 2000000 }").ok());
  decoder.ExpectSeek(1'500'000);
  EXPECT_TRUE(decoder.TakeData(300'000).ok());
  EXPECT_FALSE(Take(decoder, "seek { offset: 1 }").ok());
  EXPECT_TRUE(Take(decoder, "seek { offset: 1500000 }").ok());
  EXPECT_EQ(decoder.position(), 1'500'000u);
  EXPECT_FALSE(Take(decoder, "seek { offset: 0 }").ok());
  EXPECT_TRUE(decoder.TakeData(500'000).ok());
  EXPECT_TRUE(Take(decoder, kEnd).ok());
}

TEST(DecoderTest, FoldersAreBounded) {
  Decoder decoder(1);
  ASSERT_TRUE(Take(decoder, kStart).ok());
  ASSERT_TRUE(Take(decoder, kSource).ok());
  for (size_t i = 0; i < kMaxDepth; ++i) {
    ASSERT_TRUE(Take(decoder, "enter { name: 'a' }").ok()) << i;
  }
  EXPECT_FALSE(Take(decoder, "enter { name: 'a' }").ok());
}

}  // namespace
}  // namespace berth::copy

#include "base/recording/segment.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

using ::testing::HasSubstr;

constexpr char kId[] = "00000000-0000-4000-8000-000000000001";

v1::RecordingSegment Segment() {
  v1::RecordingSegment segment;
  segment.set_instance_id(kId);
  segment.mutable_info()->set_instance_id(kId);
  segment.set_previous_sha256(NoRecordingHash());
  return segment;
}

void Print(v1::RecordingSegment& segment, int64_t time, const char* text) {
  v1::RecordingEntry& entry = *segment.add_entries();
  entry.set_time_ns(time);
  entry.set_terminal(text);
}

TEST(SegmentTest, IsReadAsItWasWritten) {
  v1::RecordingSegment segment = Segment();
  Print(segment, 7, "hi");
  const auto read = ParseRecordingSegment(segment.SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), segment.SerializeAsString());
  EXPECT_EQ(RecordingSegmentName(255), "00000000000000ff.seg");
  EXPECT_EQ(RecordingHash("abc").substr(0, 8), "ba7816bf");
}

TEST(SegmentTest, WhatIsNoneIsRefusedWithTheReason) {
  const auto why = [](const v1::RecordingSegment& segment) {
    return ParseRecordingSegment(segment.SerializeAsString())
        .status()
        .ToString();
  };
  v1::RecordingSegment segment = Segment();
  segment.set_instance_id("../../etc");
  EXPECT_THAT(why(segment), HasSubstr("no UUID"));
  segment = Segment();
  segment.mutable_info()->set_instance_id("other");
  EXPECT_THAT(why(segment), HasSubstr("two different sessions"));
  segment = Segment();
  segment.set_previous_sha256(std::string(64, 'a'));
  EXPECT_THAT(why(segment), HasSubstr("it is the first"));
  segment.set_index(1);
  EXPECT_EQ(why(segment), "OK");
  segment.set_previous_sha256("aa");
  EXPECT_THAT(why(segment), HasSubstr("hash before it"));
  segment = Segment();
  segment.add_entries();
  EXPECT_THAT(why(segment), HasSubstr("says nothing"));
  EXPECT_FALSE(ParseRecordingSegment("\xff\xff").ok());
  segment = Segment();
  Print(segment, 1, std::string(kMaxRecordingSegmentBytes, 'x').c_str());
  EXPECT_THAT(why(segment), HasSubstr("at most"));
}

TEST(SegmentTest, RedactingLeavesTheRestAndAHashOfWhatWasThere) {
  v1::RecordingSegment segment = Segment();
  for (int i = 1; i <= 4; ++i) Print(segment, i * 10, "secret");
  segment.add_entries()->mutable_session_ended()->set_reason("exit");
  segment.mutable_entries(4)->set_time_ns(25);
  v1::RecordingSegment removed;
  *removed.add_entries() = segment.entries(1);
  *removed.add_entries() = segment.entries(2);
  v1::RecordedRedaction redaction;
  redaction.set_user("boss");
  EXPECT_EQ(RedactSegment(20, 40, redaction, segment), 2);
  ASSERT_EQ(segment.entries_size(), 4);
  EXPECT_EQ(segment.entries(0).terminal(), "secret");
  EXPECT_EQ(segment.entries(1).redacted().user(), "boss");
  EXPECT_EQ(segment.entries(1).redacted().entries(), 2);
  EXPECT_EQ(segment.entries(1).redacted().sha256(),
            RecordingHash(removed.SerializeAsString()));
  EXPECT_EQ(segment.entries(2).terminal(), "secret");
  EXPECT_EQ(segment.entries(3).session_ended().reason(), "exit");
  // What was taken out is not taken out again.
  EXPECT_EQ(RedactSegment(0, 30, redaction, segment), 1);
  EXPECT_EQ(segment.entries(1).redacted().entries(), 2);
}

}  // namespace
}  // namespace berth

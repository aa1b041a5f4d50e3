#include "cli/client/output_prefix.h"

#include <random>
#include <string>

#include "gtest/gtest.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {
namespace {

std::string Event(uint64_t offset, v1::OutputStream stream,
                  const std::string& data, bool with_time) {
  v1::CommandEvent event;
  v1::Output& output = *event.mutable_output();
  output.set_offset(offset);
  output.set_stream(stream);
  output.set_data(data);
  if (with_time) {
    output.mutable_at()->set_seconds(1700000000);
    output.mutable_at()->set_nanos(999999999);
  }
  return event.SerializeAsString();
}

// As the reader of streams calls it: with the first bytes only.
std::optional<OutputPrefix> Parse(const std::string& event) {
  return ParseOutputPrefix(event.substr(0, kMaxOutputPrefix), event.size());
}

TEST(OutputPrefixTest, FindsTheData) {
  for (const size_t size : {1u, 100u, 127u, 128u, 65536u, 262144u}) {
    for (const uint64_t offset : {uint64_t{0}, uint64_t{300}, ~uint64_t{0}}) {
      for (const bool with_time : {false, true}) {
        const std::string data(size, 'x');
        const std::string event =
            Event(offset, v1::OUTPUT_STREAM_STDERR, data, with_time);
        const auto prefix = Parse(event);
        ASSERT_TRUE(prefix.has_value()) << size << " " << offset;
        EXPECT_EQ(prefix->offset, offset);
        EXPECT_EQ(prefix->stream, v1::OUTPUT_STREAM_STDERR);
        EXPECT_EQ(event.substr(prefix->size), data);
      }
    }
  }
}

TEST(OutputPrefixTest, LeavesOtherEventsToTheParser) {
  v1::CommandEvent event;
  event.mutable_ended()->set_exit_code(3);
  EXPECT_FALSE(Parse(event.SerializeAsString()).has_value());
  EXPECT_FALSE(Parse("").has_value());
  // Data is there, but not last.
  std::string event_with_more =
      Event(1, v1::OUTPUT_STREAM_STDOUT, "abc", false) + "\x78\x01";
  EXPECT_FALSE(Parse(event_with_more).has_value());
}

TEST(OutputPrefixTest, LeavesUnknownFieldsToTheParser) {
  // Output { 4: varint 1, data } in an event.
  const std::string output("\x20\x01\x7a\x01x", 5);
  EXPECT_FALSE(Parse("\x7a\x05" + output).has_value());
}

TEST(OutputPrefixTest, EveryCutIsRefused) {
  const std::string event =
      Event(1234567, v1::OUTPUT_STREAM_STDOUT, "some data", true);
  for (size_t size = 0; size < event.size(); ++size) {
    EXPECT_FALSE(Parse(event.substr(0, size)).has_value()) << size;
  }
}

TEST(OutputPrefixTest, AgreesWithTheParserOnGarbage) {
  std::mt19937 random(1);
  const std::string good =
      Event(1234567, v1::OUTPUT_STREAM_STDOUT, "some data", true);
  for (int i = 0; i < 200000; ++i) {
    std::string event = good;
    for (int k = 0; k < 3; ++k) {
      event[random() % event.size()] = static_cast<char>(random());
    }
    const auto prefix = Parse(event);
    if (!prefix) continue;
    ASSERT_LE(prefix->size, event.size());
    v1::CommandEvent parsed;
    // A time that is no Timestamp is the one thing it does not look at.
    if (!parsed.ParseFromString(event)) continue;
    EXPECT_EQ(parsed.output().data(), event.substr(prefix->size));
    EXPECT_EQ(parsed.output().offset(), prefix->offset);
  }
}

}  // namespace
}  // namespace berth::cli

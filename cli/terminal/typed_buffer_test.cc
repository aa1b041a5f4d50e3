#include "cli/terminal/typed_buffer.h"

#include <string>

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(TypedBufferTest, SendsWhatWasTypedOnceAndInOrder) {
  TypedBuffer buffer;
  EXPECT_EQ(buffer.Add("ab"), 2u);
  TypedBuffer::Frame frame = buffer.Next();
  EXPECT_EQ(frame.offset, 0u);
  EXPECT_EQ(frame.data, "ab");
  EXPECT_EQ(buffer.Next().data, "");
  buffer.Add("c");
  frame = buffer.Next();
  EXPECT_EQ(frame.offset, 2u);
  EXPECT_EQ(frame.data, "c");
  EXPECT_TRUE(buffer.in_flight());
  buffer.Taken(3);
  EXPECT_FALSE(buffer.in_flight());
  EXPECT_TRUE(buffer.empty());
}

TEST(TypedBufferTest, ANewStreamGetsWhatHadNotArrived) {
  TypedBuffer buffer;
  buffer.Add("abcdef");
  buffer.Next();
  buffer.Taken(2);
  buffer.Restart(4);
  const TypedBuffer::Frame frame = buffer.Next();
  EXPECT_EQ(frame.offset, 4u);
  EXPECT_EQ(frame.data, "ef");
}

TEST(TypedBufferTest, APeerThatForgotGetsWhatIsKept) {
  TypedBuffer buffer;
  buffer.Add("abcdef");
  buffer.Next();
  buffer.Taken(2);
  buffer.Restart(0);
  const TypedBuffer::Frame frame = buffer.Next();
  EXPECT_EQ(frame.offset, 2u);
  EXPECT_EQ(frame.data, "cdef");
}

TEST(TypedBufferTest, BoundsWhatIsKept) {
  TypedBuffer buffer;
  EXPECT_EQ(buffer.Add(std::string(TypedBuffer::kCapacity - 1, 'a')),
            TypedBuffer::kCapacity - 1);
  EXPECT_EQ(buffer.Add("bc"), 1u);
  EXPECT_EQ(buffer.room(), 0u);
}

// The end of a read that there was room for the beginning of was lost: a long
// paste had holes.
TEST(TypedBufferTest, HasRoomOnlyForAWholeRead) {
  TypedBuffer buffer;
  buffer.Add(std::string(TypedBuffer::kCapacity - TypedBuffer::kMaxRead, 'a'));
  EXPECT_TRUE(buffer.has_room());
  buffer.Add("b");
  EXPECT_FALSE(buffer.has_room());
}

TEST(TypedBufferTest, BoundsBytesInFlight) {
  TypedBuffer buffer;
  buffer.Add(std::string(2 * TypedBuffer::kMaxInFlight, 'a'));
  EXPECT_EQ(buffer.Next().data.size(), TypedBuffer::kMaxInFlight);
  EXPECT_EQ(buffer.Next().data.size(), 0u);
  buffer.Taken(100);
  EXPECT_EQ(buffer.Next().data.size(), 100u);
}

TEST(TypedBufferTest, BoundsFramesInFlight) {
  TypedBuffer buffer;
  for (size_t i = 0; i < TypedBuffer::kMaxFrames; ++i) {
    buffer.Add("a");
    EXPECT_EQ(buffer.Next().data, "a");
  }
  buffer.Add("bb");
  EXPECT_EQ(buffer.Next().data, "");
  buffer.Taken(1);
  EXPECT_EQ(buffer.Next().data, "bb");
}

TEST(TypedBufferTest, WhatWasNeverTypedCannotArrive) {
  TypedBuffer buffer;
  buffer.Add("abc");
  buffer.Taken(1000);
  buffer.Add("d");
  EXPECT_EQ(buffer.Next().offset, 3u);
}

}  // namespace
}  // namespace berth::cli

#include "cli/run/stdin_buffer.h"

#include <string>

#include "gtest/gtest.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {
namespace {

// The frame as its receiver sees it: "offset:data" or "offset:EOF".
std::string Text(const std::optional<grpc::ByteBuffer>& frame) {
  if (!frame) return "none";
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(frame->Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  v1::RunRequest request;
  EXPECT_TRUE(request.ParseFromString(bytes));
  return std::to_string(request.stdin().offset()) + ":" +
         (request.stdin().eof() ? "EOF" : request.stdin().data());
}

TEST(StdinBufferTest, SendsNothingWithoutCredit) {
  StdinBuffer buffer;
  EXPECT_EQ(buffer.room(), 0u);
  EXPECT_EQ(Text(buffer.Next()), "none");
}

TEST(StdinBufferTest, SendsWhatWasRead) {
  StdinBuffer buffer;
  buffer.Grant(10);
  EXPECT_EQ(buffer.room(), 10u);
  buffer.Add(grpc::Slice("hello"));
  EXPECT_EQ(buffer.room(), 5u);
  EXPECT_EQ(Text(buffer.Next()), "0:hello");
  EXPECT_EQ(Text(buffer.Next()), "none");
  buffer.Add(grpc::Slice("x"));
  buffer.AddEof();
  EXPECT_EQ(buffer.room(), 0u);
  EXPECT_EQ(Text(buffer.Next()), "5:x");
  EXPECT_EQ(Text(buffer.Next()), "6:EOF");
  EXPECT_EQ(Text(buffer.Next()), "none");
}

TEST(StdinBufferTest, SendsAgainWhatMayBeLost) {
  StdinBuffer buffer;
  buffer.Grant(10);
  buffer.Add(grpc::Slice("01234"));
  buffer.Add(grpc::Slice("56789"));
  buffer.AddEof();
  while (buffer.Next()) {
  }
  buffer.Grant(15);  // The command has taken five.
  buffer.Restart();
  EXPECT_EQ(Text(buffer.Next()), "none");
  buffer.Grant(7);
  EXPECT_EQ(Text(buffer.Next()), "5:56");
  EXPECT_EQ(Text(buffer.Next()), "none");
  buffer.Grant(17);
  EXPECT_EQ(Text(buffer.Next()), "7:789");
  EXPECT_EQ(Text(buffer.Next()), "10:EOF");
}

TEST(StdinBufferTest, KeepsNoMoreThanItsBound) {
  StdinBuffer buffer;
  buffer.Grant(uint64_t{1} << 40);
  uint64_t kept = 0;
  while (const size_t room = buffer.room()) {
    EXPECT_LE(room, StdinBuffer::kChunk);
    buffer.Add(grpc::Slice(std::string(room, 'x')));
    kept += room;
  }
  EXPECT_EQ(kept, StdinBuffer::kMaxKept);
}

TEST(StdinBufferTest, TheLastByteOfALongOffsetFits) {
  const grpc::ByteBuffer frame =
      StdinFrame(uint64_t{1} << 40, grpc::Slice(std::string(200000, 'y')));
  EXPECT_EQ(Text(frame), "1099511627776:" + std::string(200000, 'y'));
}

}  // namespace
}  // namespace berth::cli

// Header blocks that are too large, have no end, or say what nobody says.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/hostile/siege.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

class HeadersTest : public SiegeTest {};

// Continued for ever, with fields that are each small.
TEST_F(HeadersTest, BlockWithoutEnd) {
  Withstand("continuation flood", 64, Flood([](uint32_t& stream) {
              std::string frames;
              if (stream == 1) {
                frames = Frame(FrameType::kHeaders, 0, 1, CallHeaders(kHealth));
              }
              stream = 3;
              std::string fields;
              for (int i = 0; i < 200; ++i) fields += Field("x-more", "more");
              return absl::StrCat(
                  frames, Frame(FrameType::kContinuation, 0, 1, fields));
            }));
}

// One string, said to have gigabytes: gRPC used to keep all of it until it was
// complete, and to read it anew with each frame.
TEST_F(HeadersTest, StringWithoutEnd) {
  Withstand("string without end", 64, Flood([](uint32_t& stream) {
              std::string frames;
              if (stream == 1) {
                const std::string size("\x7f\x80\x80\x80\x80\x07", 6);
                frames =
                    Frame(FrameType::kHeaders, 0, 1,
                          absl::StrCat(CallHeaders(kHealth), std::string(1, 0),
                                       "\6x-huge", size, "begin"));
              }
              stream = 3;
              return absl::StrCat(frames, Frame(FrameType::kContinuation, 0, 1,
                                                std::string(16'000, 'x')));
            }));
}

// A number with leading zeros without end.
TEST_F(HeadersTest, NumberWithoutEnd) {
  Withstand("number without end", 64, Flood([](uint32_t& stream) {
              std::string frames;
              if (stream == 1) {
                frames = Frame(FrameType::kHeaders, 0, 1,
                               absl::StrCat(CallHeaders(kHealth),
                                            std::string(1, 0), "\x7f"));
              }
              stream = 3;
              return absl::StrCat(frames, Frame(FrameType::kContinuation, 0, 1,
                                                std::string(16'000, '\x80')));
            }));
}

// gRPC 1.51 ends the process when it hands on this field, of whomever, plain or
// compressed, in one piece or in two; also of a block that has no end when the
// connection has one.
TEST_F(HeadersTest, TheFieldThatEndsTheProcess) {
  const pid_t broker = fleet_.BrokerPid();
  const std::string plain = Field("grpclb_client_stats", "x");
  const std::string compressed = absl::StrCat(
      std::string(1, 0),
      "\x8d\x9a\xca\xc9\x44\x71\x12\x83\x16\xa4\xc4\x84\x8d\x28", "\1x");
  for (const std::string& field : {plain, compressed}) {
    const std::string begin = CallHeaders(kHealth) + field.substr(0, 9);
    const std::string end = field.substr(9);
    for (const bool ends : {true, false}) {
      for (const bool in_one : {true, false}) {
        const int flags = ends ? kEndHeaders : 0;
        std::string frames = Frame(FrameType::kHeaders, flags, 1, begin + end);
        if (!in_one) {
          frames = Frame(FrameType::kHeaders, 0, 1, begin) +
                   Frame(FrameType::kContinuation, flags, 1, end);
        }
        Http2Peer peer(fleet_.port(), {});
        ASSERT_TRUE(peer.accepted());
        peer.Send(frames);
        EXPECT_TRUE(peer.WaitForClose(absl::Seconds(20)));
      }
    }
  }
  ExpectServes();
  EXPECT_TRUE(ProcessLives(broker));
}

// What cannot be so: the call is answered, or who makes it sent away.
TEST_F(HeadersTest, FieldsThatMakeNoSense) {
  const pid_t broker = fleet_.BrokerPid();
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{
           {"te", "x"},
           {":scheme", "x"},
           {":method", "x"},
           {":status", "200"},
           {"content-type", "x"},
           {"grpc-timeout", "x"},
           {"grpc-encoding", "x"},
           {"grpc-status", "x"},
           {"grpc-previous-rpc-attempts", "x"},
           {"lb-cost-bin", "x"},
           {"UPPER", "x"},
           {"", ""}}) {
    for (const size_t size : {1'000u, 17'000u, 60'000u}) {
      Http2Peer peer(fleet_.port(), {});
      ASSERT_TRUE(peer.accepted()) << name << " " << size;
      std::string block =
          absl::StrCat(Field(name, value), CallHeaders(kHealth));
      while (block.size() < size) block += Field("x-a", std::string(500, 'a'));
      peer.Send(Frame(FrameType::kHeaders, 0, 1, block.substr(0, 16'000)));
      for (size_t at = 16'000; at < block.size(); at += 16'000) {
        peer.Send(
            Frame(FrameType::kContinuation, 0, 1, block.substr(at, 16'000)));
      }
      peer.Send(Frame(FrameType::kContinuation, kEndHeaders, 1));
      bool answered = false;
      while (const auto frame = peer.Next(absl::Seconds(20))) {
        answered = frame->stream == 1 || frame->type == FrameType::kGoAway;
        if (answered) break;
      }
      EXPECT_TRUE(answered || peer.WaitForClose(absl::Seconds(20)))
          << name << " " << size;
      ASSERT_TRUE(ProcessLives(broker)) << name << " " << size;
    }
  }
  ExpectServes();
}

// A small block that refers to a large field of before, again and again.
TEST_F(HeadersTest, SmallBlockThatIsLargeWhenItIsRead) {
  const pid_t broker = fleet_.BrokerPid();
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"te", "trailers"},
                                                        {"te", "x"}}) {
    Http2Peer peer(fleet_.port(), {});
    ASSERT_TRUE(peer.accepted());
    // The first field is kept in the table (0x40), and comes again by its
    // index (62, the first that is no fixed one).
    std::string kept = Field("x-large", std::string(3'900, 'x'));
    kept[0] = 0x40;
    peer.Send(Frame(FrameType::kHeaders, kEndHeaders, 1,
                    absl::StrCat(Field(name, value), kept, CallHeaders(kHealth),
                                 std::string(10'000, '\xbe'))));
    while (const auto frame = peer.Next(absl::Seconds(20))) {
      if (frame->stream == 1 || frame->type == FrameType::kGoAway) break;
    }
    ASSERT_TRUE(ProcessLives(broker)) << name << ": " << value;
  }
  ExpectServes();
}

}  // namespace
}  // namespace berth::testing

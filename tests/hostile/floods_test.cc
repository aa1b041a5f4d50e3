// Peers that say well formed things in HTTP/2, without end: none needs a
// certificate for most of it.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/hostile/siege.h"

namespace berth::testing {
namespace {

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";
constexpr char kList[] = "/berth.v1.Sessions/ListSessions";

class FloodsTest : public SiegeTest {
 protected:
  // So many of a kind go into one record of TLS, or a few.
  static std::string Many(int count, const std::string& frame) {
    std::string frames;
    for (int i = 0; i < count; ++i) frames += frame;
    return frames;
  }
};

std::string RapidReset(uint32_t& stream, const std::string& method) {
  std::string frames;
  for (int i = 0; i < 50; ++i, stream += 2) {
    absl::StrAppend(&frames, Call(stream, method),
                    Frame(FrameType::kRstStream, 0, stream, Word(8)));
  }
  return frames;
}

TEST_F(FloodsTest, CallsThatAreResetAtOnce) {
  Withstand("rapid reset, stranger", 128, Flood([](uint32_t& stream) {
              return RapidReset(stream, kHealth);
            }));
}

TEST_F(FloodsTest, CallsOfAUserThatAreResetAtOnce) {
  // At first they have all the calls that users may make at once, tens of
  // thousands, of which gRPC keeps some kilobytes each for a while.
  Withstand("rapid reset, user", 768,
            Flood([](uint32_t& stream) { return RapidReset(stream, kList); },
                  User("mallory")));
}

TEST_F(FloodsTest, CallsThatStayOpen) {
  Withstand("open streams, stranger", 256, Flood([](uint32_t& stream) {
              std::string frames;
              for (int i = 0; i < 50; ++i, stream += 2) {
                frames += Call(stream, kHealth);
              }
              return frames;
            }));
}

TEST_F(FloodsTest, Pings) {
  Withstand("pings", 64, Flood([](uint32_t&) {
              return Many(500,
                          Frame(FrameType::kPing, 0, 0, std::string(8, 'p')));
            }));
}

TEST_F(FloodsTest, Settings) {
  Withstand("settings", 64, Flood([](uint32_t&) {
              return Many(500, Frame(FrameType::kSettings, 0, 0,
                                     absl::StrCat(std::string("\0\4", 2),
                                                  Word(65535))));
            }));
}

TEST_F(FloodsTest, WindowUpdatesAndPriorities) {
  Withstand("window updates, priorities", 64, Flood([](uint32_t&) {
              return Many(
                  300, absl::StrCat(
                           Frame(FrameType::kWindowUpdate, 0, 0, Word(1)),
                           Frame(FrameType::kPriority, 0, 1, Word(0) + "p")));
            }));
}

TEST_F(FloodsTest, EmptyData) {
  Withstand("empty data frames", 64, Flood([](uint32_t& stream) {
              std::string frames;
              if (stream == 1) frames = Call(stream, kHealth);
              stream = 3;
              return frames + Many(1000, Frame(FrameType::kData, 0, 1));
            }));
}

}  // namespace
}  // namespace berth::testing

#include "broker/limits/frame_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Frame(int type, int flags, const std::string& payload) {
  const size_t size = payload.size();
  const std::string header = {static_cast<char>(size >> 16),
                              static_cast<char>(size >> 8),
                              static_cast<char>(size),
                              static_cast<char>(type),
                              static_cast<char>(flags),
                              0,
                              0,
                              0,
                              1};
  return header + payload;
}

// What it says of these bytes after the preface, in one piece and in pieces of
// each size.
absl::StatusCode Outcome(const std::string& frames) {
  FrameGuard whole;
  const auto outcome =
      whole.Read(absl::StrCat(kPreface, frames)).status().code();
  for (const size_t piece : {1, 7, 100}) {
    FrameGuard guard;
    absl::Status status;
    const std::string bytes = absl::StrCat(kPreface, frames);
    for (size_t at = 0; at < bytes.size() && status.ok(); at += piece) {
      status = guard.Read(absl::string_view(bytes).substr(at, piece)).status();
    }
    EXPECT_EQ(status.code(), outcome) << "in pieces of " << piece;
  }
  return outcome;
}

TEST(FrameGuardTest, CountsWhatCostsMoreThanItsBytes) {
  FrameGuard guard;
  const auto counts = guard.Read(absl::StrCat(
      kPreface, Frame(4, 0, ""),                   // SETTINGS
      Frame(1, 4, "fields"), Frame(3, 0, "code"),  // HEADERS, RST_STREAM
      Frame(0, 0, "data"), Frame(0, 1, ""),        // DATA, and its end
      Frame(0, 0, ""), Frame(8, 0, "more"),        // empty, WINDOW_UPDATE
      Frame(6, 0, "pingpong")));                   // PING
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->calls, 1 + FrameGuard::kReset);
  EXPECT_EQ(counts->others, 3);
}

TEST(FrameGuardTest, HeaderBlockHasALimitHoweverItIsCut) {
  const std::string half(FrameGuard::kMaxHeaderBlock / 2, 'x');
  EXPECT_EQ(Outcome(Frame(1, 0, half) + Frame(9, 4, half)),
            absl::StatusCode::kOk);
  EXPECT_EQ(Outcome(Frame(1, 0, half) + Frame(9, 0, half) + Frame(9, 0, "x")),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Outcome(Frame(1, 4, half + half + "x")),
            absl::StatusCode::kResourceExhausted);
  // Each block has it for itself, and data has none.
  EXPECT_EQ(Outcome(Frame(1, 4, half) + Frame(1, 4, half) + Frame(1, 4, half) +
                    Frame(0, 0, half + half + half)),
            absl::StatusCode::kOk);
}

TEST(FrameGuardTest, TheFieldThatEndsTheProcessIsRefused) {
  const std::string plain = "grpclb_client_stats";
  const std::string compressed(
      "\x9a\xca\xc9\x44\x71\x12\x83\x16\xa4\xc4\x84\x8d\x28", 13);
  for (const std::string& name : {plain, compressed}) {
    EXPECT_EQ(Outcome(Frame(1, 4, absl::StrCat("before", name, "after"))),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(
        Outcome(Frame(1, 0, name.substr(0, 9)) + Frame(9, 4, name.substr(9))),
        absl::StatusCode::kInvalidArgument);
    // Also while the block has no end.
    EXPECT_EQ(Outcome(Frame(1, 0, name + "after")),
              absl::StatusCode::kInvalidArgument);
    // It is no field in a message.
    EXPECT_EQ(Outcome(Frame(0, 0, name)), absl::StatusCode::kOk);
  }
}

TEST(FrameGuardTest, FlagsThatWouldHideAFieldAreRefused) {
  EXPECT_EQ(Outcome(Frame(1, 4 | 8, "fields")),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Outcome(Frame(1, 0, "") + Frame(9, 4 | 32, "fields")),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Outcome(Frame(1, 1 | 4 | 32, "fields")), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace berth::broker

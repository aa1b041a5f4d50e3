#include "agent/log/log_tail.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/log/record.h"

namespace berth::agent {
namespace {

class LogTailTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/berth-tail-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Writes one segment behind those before.
  void Segment(const std::vector<std::pair<Stream, std::string>>& records) {
    const SegmentId id{1, end_};
    std::ofstream file(directory_ + "/" + SegmentName(id), std::ios::binary);
    for (const auto& [stream, data] : records) {
      char header[kHeaderBytes];
      EncodeHeader({static_cast<uint32_t>(data.size()), end_, stream, 1}, id,
                   header);
      file.write(header, sizeof(header));
      file << data;
      end_ += data.size();
    }
  }

  uint64_t Tail(size_t lines, std::optional<Stream> only = std::nullopt) {
    auto offset = FindTail(directory_, 1, lines, only);
    EXPECT_TRUE(offset.ok()) << offset.status();
    return offset.value_or(999);
  }

  std::string directory_;
  uint64_t end_ = 0;
};

TEST_F(LogTailTest, FindsLinesFromTheEnd) {
  Segment({{Stream::kStdout, "one\ntwo\nthree\n"}});
  EXPECT_EQ(Tail(0), 14u);
  EXPECT_EQ(Tail(1), 8u);
  EXPECT_EQ(Tail(2), 4u);
  EXPECT_EQ(Tail(3), 0u);
  EXPECT_EQ(Tail(1000000), 0u);
}

TEST_F(LogTailTest, CountsALineThatHasNotEnded) {
  Segment({{Stream::kStdout, "one\ntwo"}});
  EXPECT_EQ(Tail(1), 4u);
  EXPECT_EQ(Tail(2), 0u);
}

TEST_F(LogTailTest, GoesBackOverSegments) {
  for (int i = 0; i < 50; ++i) {
    Segment({{Stream::kStdout, absl::StrCat("a", i % 10, "\nb")},
             {Stream::kStdout, absl::StrCat(i % 10, "\n")}});
  }
  ASSERT_EQ(end_, 300u);
  EXPECT_EQ(Tail(1), 297u);
  EXPECT_EQ(Tail(2), 294u);
  EXPECT_EQ(Tail(7), 279u);
  EXPECT_EQ(Tail(100), 0u);
}

TEST_F(LogTailTest, CountsTheLinesOfOneStream) {
  Segment({{Stream::kStdout, "out1\nout2\n"},
           {Stream::kStderr, "err1\nerr2\nerr3\n"}});
  EXPECT_EQ(Tail(1, Stream::kStdout), 5u);
  EXPECT_EQ(Tail(1, Stream::kStderr), 20u);
  EXPECT_EQ(Tail(9, Stream::kStderr), 0u);
}

TEST_F(LogTailTest, KnowsNothingOfWhatWasDeleted) {
  end_ = 4096;
  Segment({{Stream::kStdout, "x\ny\n"}});
  EXPECT_EQ(Tail(1), 4098u);
  EXPECT_EQ(Tail(5), 4096u);
}

TEST_F(LogTailTest, AnEmptyLogHasNoLines) {
  EXPECT_EQ(Tail(3), 0u);
  EXPECT_EQ(Tail(0), 0u);
}

}  // namespace
}  // namespace berth::agent

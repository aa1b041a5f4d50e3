#include "agent/log/journal.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/log/crc32c.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using holder::v1::JournalRecord;

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/berth-journal-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/journal";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(int from, int to) {
    auto journal = Journal::Open(path_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (int i = from; i < to; ++i) {
      JournalRecord record;
      record.mutable_reserved()->set_sequence(i);
      record.mutable_reserved()->set_what(std::string(i % 300, 'w'));
      ASSERT_TRUE(journal->Append(record).ok());
    }
  }

  // The sequence numbers that can be read.
  std::vector<int> Read() {
    std::vector<int> sequences;
    auto extent = ReadJournal(path_, [&](const JournalRecord& record) {
      sequences.push_back(record.reserved().sequence());
    });
    EXPECT_TRUE(extent.ok()) << extent.status();
    torn_ = extent.ok() && extent->torn;
    return sequences;
  }

  std::string directory_;
  std::string path_;
  bool torn_ = false;
};

TEST(Crc32cTest, AgreesWithThePublishedCheckValue) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xe3069283u);
}

TEST_F(JournalTest, ReadsWhatWasAppended) {
  Write(0, 2000);
  const std::vector<int> sequences = Read();
  ASSERT_EQ(sequences.size(), 2000u);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(sequences[i], i);
  EXPECT_FALSE(torn_);
}

TEST_F(JournalTest, MissingJournalIsNotFound) {
  auto extent = ReadJournal(path_, [](const JournalRecord&) {});
  EXPECT_EQ(extent.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JournalTest, TornTailIsLeftOutAndCutOffByTheNextWriter) {
  Write(0, 10);
  const uint64_t size = std::filesystem::file_size(path_);
  for (uint64_t cut = 1; cut < 20; ++cut) {
    std::filesystem::resize_file(path_, size - cut);
    EXPECT_EQ(Read().size(), cut < 12 ? 9u : Read().size());
  }
  EXPECT_TRUE(torn_);
  const size_t left = Read().size();
  Write(100, 101);
  EXPECT_EQ(Read().size(), left + 1);
  EXPECT_EQ(Read().back(), 100);
  EXPECT_FALSE(torn_);
}

TEST_F(JournalTest, DamageEndsTheJournalWhereItIs) {
  std::mt19937 random(7);
  Write(0, 200);
  std::ifstream in(path_, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    for (int n = random() % 5 + 1; n > 0; --n) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    if (i % 3 == 0) bad.resize(random() % bad.size());
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
    const std::vector<int> sequences = Read();
    EXPECT_LE(sequences.size(), 200u);
    for (size_t k = 0; k < sequences.size(); ++k) {
      EXPECT_EQ(sequences[k], static_cast<int>(k));
    }
  }
}

}  // namespace
}  // namespace berth::agent

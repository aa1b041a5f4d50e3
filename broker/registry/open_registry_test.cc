#include "broker/registry/open_registry.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "broker/registry/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

class OpenRegistryTest : public ::testing::Test {
 protected:
  void Fill() {
    auto store = SqliteStore::Open(path_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (uint32_t i = 1; i <= 200; ++i) {
      ASSERT_TRUE((*store)->RaiseNextId(absl::StrCat("user", i), i).ok());
    }
  }

  OpenedRegistry Open() {
    auto opened = OpenRegistry(path_, absl::Now());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : OpenedRegistry();
  }

  // Files beside the registry that were moved away.
  int Damaged() {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      const std::string name = entry.path().filename();
      count += absl::StrContains(name, ".damaged-") &&
               !absl::EndsWith(name, "-wal") && !absl::EndsWith(name, "-shm");
    }
    return count;
  }

  testing::TempDir dir_;
  const std::string path_ = dir_.path() + "/registry.db";
};

TEST_F(OpenRegistryTest, SaysNothingOfOneThatIsThere) {
  Fill();
  const OpenedRegistry opened = Open();
  EXPECT_EQ(opened.notice, "");
  EXPECT_FALSE(opened.is_new);
  EXPECT_EQ(opened.store->ListNextIds()->size(), 200u);
}

TEST_F(OpenRegistryTest, SaysWhatIsLostWithOneThatIsGone) {
  const OpenedRegistry opened = Open();
  EXPECT_TRUE(opened.is_new);
  EXPECT_THAT(opened.notice, HasSubstr("there was no registry"));
  EXPECT_THAT(opened.notice, HasSubstr("join tokens"));
}

TEST_F(OpenRegistryTest, TakesAnEmptyFileForOneThatIsGone) {
  testing::WriteTextFile(path_, "");
  EXPECT_THAT(Open().notice, HasSubstr("there was no registry"));
}

TEST_F(OpenRegistryTest, MovesOneAwayThatIsNone) {
  testing::WriteTextFile(path_, std::string(8192, 'x'));
  const OpenedRegistry opened = Open();
  EXPECT_TRUE(opened.is_new);
  EXPECT_THAT(opened.notice, HasSubstr("was damaged"));
  EXPECT_THAT(opened.notice, HasSubstr("file is not a database"));
  EXPECT_EQ(Damaged(), 1);
  EXPECT_TRUE(opened.store->ListNextIds()->empty());
}

TEST_F(OpenRegistryTest, RefusesOneOfALaterVersion) {
  Fill();
  // The schema's number is at offset 60 of the file.
  std::string bytes = testing::ReadTextFile(path_);
  ASSERT_GT(bytes.size(), 100u);
  bytes[60] = 1;
  testing::WriteTextFile(path_, bytes);
  const auto opened = OpenRegistry(path_, absl::Now());
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_EQ(Damaged(), 0);
}

// Whatever happened to the file: the broker has a registry afterwards, and
// says if it lost what was in the old one.
TEST_F(OpenRegistryTest, ComesUpWhateverBytesWereOverwritten) {
  std::mt19937 random(7);
  int damaged = 0;
  for (int round = 0; round < 60; ++round) {
    std::filesystem::remove_all(path_);
    Fill();
    std::string bytes = testing::ReadTextFile(path_);
    const size_t from = random() % bytes.size();
    const size_t count = 1 + random() % 2000;
    for (size_t i = from; i < std::min(bytes.size(), from + count); ++i) {
      // But for the schema's number: that may say "of a later version".
      if (i < 60 || i >= 64) bytes[i] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    testing::WriteTextFile(path_, bytes);
    const OpenedRegistry opened = Open();
    ASSERT_NE(opened.store, nullptr) << "round " << round;
    EXPECT_TRUE(opened.store->RaiseNextId("new", 3).ok());
    EXPECT_EQ(opened.is_new, !opened.notice.empty());
    damaged += opened.is_new;
  }
  EXPECT_GT(damaged, 20);
}

}  // namespace
}  // namespace berth::broker

// Sender and receiver together, without a network between them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/copy/place.h"
#include "base/copy/receiver.h"
#include "base/copy/sender.h"
#include "tests/support/temp_dir.h"

namespace berth::copy {
namespace {

namespace fs = std::filesystem;
using ::berth::testing::ReadTextFile;
using ::berth::testing::TempDir;
using ::berth::testing::WriteTextFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// `size` bytes that no two offsets share.
std::string Noise(size_t size, uint64_t seed = 1) {
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    data[i] = static_cast<char>(seed >> 56);
  }
  return data;
}

// Every path below `root`, with what is there.
std::map<std::string, std::string> Tree(const std::string& root) {
  std::map<std::string, std::string> tree;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().string().substr(root.size());
    const mode_t mode = static_cast<mode_t>(
        entry.symlink_status().permissions() & fs::perms::mask);
    std::string what = absl::StrCat(absl::Hex(mode), " ");
    if (entry.is_symlink()) {
      what = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      absl::StrAppend(&what, ReadTextFile(entry.path()));
    }
    tree[path] = what;
  }
  return tree;
}

class CopyTest : public ::testing::Test {
 protected:
  CopyTest() : from_(dir_.path() + "/from"), to_(dir_.path() + "/to") {
    mkdir(from_.c_str(), 0755);
    mkdir(to_.c_str(), 0755);
  }

  void MakeTree() {
    WriteTextFile(from_ + "/empty", "");
    WriteTextFile(from_ + "/-rf", "dash");
    WriteTextFile(from_ + "/new\nline", "text");
    WriteTextFile(from_ + "/\xff\xfe bytes", "raw");
    WriteTextFile(from_ + "/gr\xc3\xbc\xc3\x9f", "utf-8");
    WriteTextFile(from_ + "/program", Noise(100'000));
    chmod((from_ + "/program").c_str(), 0751);
    WriteTextFile(from_ + "/large", Noise(3'000'001));
    for (int i = 0; i < 200; ++i) {
      WriteTextFile(absl::StrCat(from_, "/many", i), Noise(5000, i));
    }
    fs::create_directories(from_ + "/a/b/c");
    WriteTextFile(from_ + "/a/b/c/deep", "deep");
    WriteTextFile(from_ + "/a/large", Noise(2'000'000, 7));
    fs::create_directory(from_ + "/a/hollow");
    fs::create_symlink("/nowhere", from_ + "/a/dangling");
    fs::create_directory_symlink("b", from_ + "/a/to b");
    chmod((from_ + "/a/b").c_str(), 0500);
  }

  // Copies until the end, or until `frames` were sent. True: all was done.
  bool Copy(std::vector<std::string> sources, const std::string& destination,
            std::optional<int> frames = std::nullopt) {
    v1::CopyDestination to;
    to.set_path(destination);
    if (where_.has_value()) to = *where_;
    auto place = Place("/", "/").OpenDestination(to);
    EXPECT_TRUE(place.ok()) << place.status();
    to.set_path_is_source(!place->name.empty());
    where_ = to;
    Receiver::Options store;
    store.folder = std::move(place->folder);
    store.path = place->folder_path;
    store.sources = sources.size();
    if (!place->name.empty()) store.names = {place->name};
    store.preserve = preserve_;
    store.quota = quota_;
    Receiver receiver(std::move(store));
    Sender::Options options;
    options.walk.sources = std::move(sources);
    options.walk.recursive = true;
    options.walk.after = position_;
    options.problem = [this](const std::string& text) {
      problems_.push_back(text);
    };
    Sender* peer = nullptr;
    options.write = [&](const grpc::ByteBuffer& frame, bool) {
      if (frames.has_value() && (*frames)-- <= 0) return false;
      bytes_ += frame.Length();
      ReceivedFrame received;
      EXPECT_TRUE(received.Parse(frame));
      const absl::Status status = receiver.Take(received);
      EXPECT_TRUE(status.ok()) << status;
      if (auto report = receiver.TakeReport()) {
        for (const v1::CopyFailure& failure : report->failures()) {
          problems_.push_back(failure.message());
        }
        EXPECT_TRUE(peer->OnReport(*report).ok());
      }
      return true;
    };
    Sender sender(std::move(options));
    peer = &sender;
    const absl::Status status = sender.Run();
    position_ = by_receiver_ ? receiver.position() : sender.position();
    EXPECT_EQ(status.ok(), receiver.finished());
    return status.ok() && sender.all_done();
  }

  TempDir dir_;
  const std::string from_;
  const std::string to_;
  std::optional<v1::CopyPosition> position_;
  std::optional<v1::CopyDestination> where_;
  std::vector<std::string> problems_;
  uint64_t bytes_ = 0;
  bool by_receiver_ = false;
  bool preserve_ = false;
  Quota* quota_ = nullptr;
};

TEST_F(CopyTest, TreesArriveAsTheyAre) {
  MakeTree();
  EXPECT_TRUE(Copy({from_}, to_));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(Tree(to_ + "/from"), Tree(from_));
}

TEST_F(CopyTest, AMissingDestinationIsTheSourcesNewName) {
  MakeTree();
  EXPECT_TRUE(Copy({from_}, to_ + "/renamed"));
  EXPECT_EQ(Tree(to_ + "/renamed"), Tree(from_));
}

TEST_F(CopyTest, WhatIsInAFolderGoesStraightIntoTheDestination) {
  WriteTextFile(from_ + "/x", "x");
  EXPECT_TRUE(Copy({from_ + "/."}, to_));
  EXPECT_EQ(ReadTextFile(to_ + "/x"), "x");
}

TEST_F(CopyTest, SeveralSourcesInOneFolder) {
  WriteTextFile(from_ + "/x", "x");
  WriteTextFile(from_ + "/y", "y");
  EXPECT_TRUE(Copy({from_ + "/y", from_ + "/x", from_ + "/none"}, to_ + "/"));
  EXPECT_EQ(ReadTextFile(to_ + "/x"), "x");
  EXPECT_EQ(ReadTextFile(to_ + "/y"), "y");
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("/none: No such file")));
}

// A cut after any frame, again and again: nothing is lost, little is sent
// twice, and nothing is stored under a wrong name.
TEST_F(CopyTest, GoesOnAfterACutAnywhere) {
  MakeTree();
  for (const bool by_receiver : {false, true}) {
    for (const int frames : {9, 12, 15, 24}) {
      by_receiver_ = by_receiver;
      position_.reset();
      where_.reset();
      bytes_ = 0;
      const std::string name = absl::StrCat("/cut", frames, by_receiver);
      int attempts = 1;
      while (!Copy({from_}, to_ + name, frames) && attempts < 100) ++attempts;
      EXPECT_LT(attempts, 100) << frames;
      EXPECT_TRUE(Tree(to_ + name) == Tree(from_)) << frames;
      EXPECT_LT(bytes_, 24'000'000u) << frames;
    }
  }
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(CopyTest, APartIsContinuedIfItIsTheFilesBeginning) {
  const std::string data = Noise(5'000'000);
  WriteTextFile(from_ + "/x", data);
  WriteTextFile(to_ + "/.x.berth-part", data.substr(0, 4'000'000));
  EXPECT_TRUE(Copy({from_ + "/x"}, to_));
  EXPECT_EQ(ReadTextFile(to_ + "/x"), data);
  // What was sent before the answer was read is little.
  EXPECT_LT(bytes_, 1'600'000u);
  EXPECT_FALSE(fs::exists(to_ + "/.x.berth-part"));
}

TEST_F(CopyTest, APartOfAnotherFileIsNot) {
  const std::string data = Noise(5'000'000);
  WriteTextFile(from_ + "/x", data);
  WriteTextFile(to_ + "/.x.berth-part", Noise(6'000'000, 2));
  EXPECT_TRUE(Copy({from_ + "/x"}, to_));
  EXPECT_EQ(ReadTextFile(to_ + "/x"), data);
}

TEST_F(CopyTest, HolesStayHoles) {
  const std::string path = from_ + "/sparse";
  WriteTextFile(path, Noise(300'000));
  ASSERT_EQ(truncate(path.c_str(), 100 << 20), 0);
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(pwrite(fd, "middle", 6, 50 << 20), 6);
  close(fd);
  EXPECT_TRUE(Copy({path}, to_));
  EXPECT_LT(bytes_, 1'000'000u);
  EXPECT_EQ(ReadTextFile(to_ + "/sparse"), ReadTextFile(path));
  struct stat info;
  ASSERT_EQ(stat((to_ + "/sparse").c_str(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, 2 << 20);
}

TEST_F(CopyTest, FoldersAndLinksInTheWayAreLeftAlone) {
  WriteTextFile(from_ + "/x", "new");
  fs::create_directory(from_ + "/folder");
  WriteTextFile(from_ + "/folder/in", "in");
  WriteTextFile(from_ + "/y", "y");
  fs::create_directories(to_ + "/from/x");
  const std::string outside = dir_.path() + "/outside";
  fs::create_directory(outside);
  fs::create_directory_symlink(outside, to_ + "/from/folder");
  EXPECT_TRUE(Copy({from_}, to_));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("/from/folder: is there, and"),
                                     HasSubstr("/from/x: is a folder")));
  EXPECT_TRUE(fs::is_empty(outside));
  EXPECT_EQ(ReadTextFile(to_ + "/from/y"), "y");
}

TEST_F(CopyTest, AFileReplacesALinkAndNotWhatItPointsTo) {
  WriteTextFile(from_ + "/x", "new");
  WriteTextFile(dir_.path() + "/precious", "old");
  fs::create_symlink(dir_.path() + "/precious", to_ + "/x");
  EXPECT_TRUE(Copy({from_ + "/x"}, to_));
  EXPECT_EQ(ReadTextFile(to_ + "/x"), "new");
  EXPECT_FALSE(fs::is_symlink(to_ + "/x"));
  EXPECT_EQ(ReadTextFile(dir_.path() + "/precious"), "old");
}

TEST_F(CopyTest, OnlyWithPreserveAreTimesAndSetIdBitsKept) {
  WriteTextFile(from_ + "/x", "x");
  chmod((from_ + "/x").c_str(), 04755);
  const timeval times[2] = {{1000, 0}, {1234567, 0}};
  utimes((from_ + "/x").c_str(), times);
  struct stat info;
  EXPECT_TRUE(Copy({from_ + "/x"}, to_));
  stat((to_ + "/x").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
  EXPECT_NE(info.st_mtime, 1234567);
  preserve_ = true;
  position_.reset();
  EXPECT_TRUE(Copy({from_ + "/x"}, to_));
  stat((to_ + "/x").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 04755u);
  EXPECT_EQ(info.st_mtime, 1234567);
}

TEST_F(CopyTest, SpecialFilesArePassedOver) {
  ASSERT_EQ(mkfifo((from_ + "/fifo").c_str(), 0600), 0);
  WriteTextFile(from_ + "/.old.berth-part", "left over");
  WriteTextFile(from_ + "/x", "x");
  EXPECT_TRUE(Copy({from_}, to_));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("/fifo: is neither")));
  EXPECT_EQ(Tree(to_ + "/from").size(), 1u);
}

TEST_F(CopyTest, TheQuotaHoldsForEachFile) {
  WriteTextFile(from_ + "/a", Noise(50'000));
  WriteTextFile(from_ + "/b", Noise(2'000'000));
  WriteTextFile(from_ + "/c", Noise(20'000));
  Quota quota(200'000, 0);
  quota_ = &quota;
  EXPECT_TRUE(Copy({from_}, to_));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("/b: no room: the files of")));
  EXPECT_EQ(Tree(to_ + "/from").size(), 2u);
}

}  // namespace
}  // namespace berth::copy

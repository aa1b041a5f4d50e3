#include "base/copy/place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "base/copy/quota.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::copy {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PlaceTest : public ::testing::Test {
 protected:
  ~PlaceTest() override { fs::remove_all(dir_); }

  void Touch(const std::string& name, size_t size = 1) {
    std::ofstream(dir_ + "/" + name) << std::string(size, 'x');
  }
  // Where `path` would go: "folder", or "folder|name".
  std::string Where(const Place& place, const std::string& path,
                    bool folder = false) {
    v1::CopyDestination to;
    to.set_path(path);
    to.set_folder(folder);
    auto destination = place.OpenDestination(to);
    if (!destination.ok()) return std::string(destination.status().message());
    std::string where = destination->folder_path;
    if (absl::StartsWith(where, dir_)) where = where.substr(dir_.size());
    return destination->name.empty() ? where : where + "|" + destination->name;
  }

  char template_[32] = "/tmp/place.XXXXXX";
  const std::string dir_ = mkdtemp(template_);
};

TEST_F(PlaceTest, PathsBeginWhereTheUserIs) {
  const Place place("/work", "/home/u");
  EXPECT_EQ(place.Resolve("/x").value(), "/x");
  EXPECT_EQ(place.Resolve("x/y").value(), "/work/x/y");
  EXPECT_EQ(place.Resolve("").value(), "/work");
  EXPECT_EQ(place.Resolve("~").value(), "/home/u");
  EXPECT_EQ(place.Resolve("~/x").value(), "/home/u/x");
  EXPECT_FALSE(place.Resolve("~root/x").ok());
  EXPECT_FALSE(place.Resolve(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(place.Resolve(std::string(5000, 'x')).ok());
}

TEST_F(PlaceTest, ADestinationIsAFolderOrANewName) {
  const Place place(dir_, "/");
  fs::create_directory(dir_ + "/folder");
  Touch("file");
  EXPECT_EQ(Where(place, "folder"), "/folder");
  EXPECT_EQ(Where(place, "folder/"), "/folder/");
  EXPECT_EQ(Where(place, "new"), "|new");
  EXPECT_EQ(Where(place, "file"), "|file");
  EXPECT_EQ(Where(place, "folder/new"), "/folder|new");
  EXPECT_THAT(Where(place, "file", true), HasSubstr("is no folder"));
  EXPECT_THAT(Where(place, "file/"), HasSubstr("Not a directory"));
  EXPECT_THAT(Where(place, "none/new"), HasSubstr("no such folder"));
  EXPECT_EQ(Where(place, "made/below/"), "/made/below/");
  EXPECT_TRUE(fs::is_directory(dir_ + "/made/below"));
  EXPECT_EQ(Where(place, "several", true), "/several");
}

// It was found to be a new name, and may have become a folder since.
TEST_F(PlaceTest, ANewNameStaysOne) {
  const Place place(dir_, "/");
  fs::create_directory(dir_ + "/new");
  v1::CopyDestination to;
  to.set_path(dir_ + "/new");
  to.set_path_is_source(true);
  EXPECT_EQ(place.OpenDestination(to)->name, "new");
}

TEST_F(PlaceTest, NothingLeadsOutOfARestrictedArea) {
  const auto place = Place::Restricted(dir_ + "/files");
  ASSERT_TRUE(place.ok()) << place.status();
  EXPECT_TRUE(place->restricted());
  fs::create_directory_symlink("/etc", dir_ + "/files/out");
  fs::create_symlink("/etc/hostname", dir_ + "/files/name");
  fs::create_directory(dir_ + "/files/in");
  for (const char* path :
       {"/etc/x", "~/x", "../x", "in/../../x", "out/x", "out/", "out"}) {
    v1::CopyDestination to;
    to.set_path(path);
    const auto destination = place->OpenDestination(to);
    EXPECT_TRUE(absl::IsPermissionDenied(destination.status()))
        << path << ": " << destination.status();
  }
  EXPECT_TRUE(absl::IsPermissionDenied(place->Open("name").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(place->Open("out/passwd").status()));
  EXPECT_EQ(Where(*place, ""), ".");
  EXPECT_EQ(Where(*place, "x"), ".|x");
  EXPECT_EQ(Where(*place, "in/x"), "in|x");
  EXPECT_EQ(Where(*place, "in"), "in");
  EXPECT_EQ(Where(*place, "a/b/"), "a/b/");
  EXPECT_TRUE(fs::is_directory(dir_ + "/files/a/b"));
}

TEST_F(PlaceTest, AnAreaIsMeasuredAndLocked) {
  const auto place = Place::Restricted(dir_ + "/files");
  ASSERT_TRUE(place.ok());
  Touch("files/a", 10'000);
  fs::create_directory(dir_ + "/files/in");
  Touch("files/in/empty", 0);
  EXPECT_EQ(place->LockAndMeasure().value(),
            Quota::Cost(10'000) + Quota::Cost(0) + Quota::Cost(0));
  const auto other = Place::Restricted(dir_ + "/files");
  EXPECT_TRUE(absl::IsAborted(other->LockAndMeasure().status()));
}

TEST(QuotaTest, EveryEntryCosts) {
  Quota quota(20'000, 0);
  EXPECT_FALSE(quota.Take(20'001).ok());
  EXPECT_TRUE(quota.Take(5000).ok());  // 8 KiB.
  EXPECT_TRUE(quota.Take(0).ok());
  EXPECT_TRUE(quota.Take(0).ok());
  EXPECT_THAT(quota.Take(0).ToString(), HasSubstr("20000 bytes"));
  quota.Give(0);
  EXPECT_TRUE(quota.Take(0).ok());
}

}  // namespace
}  // namespace berth::copy

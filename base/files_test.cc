#include "base/files.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    char path[] = "/tmp/berth-files-XXXXXX";
    dir_ = mkdtemp(path);
  }
  ~FilesTest() override {
    [[maybe_unused]] int status = system(("rm -rf " + dir_).c_str());
  }

  std::string dir_;
};

TEST_F(FilesTest, ReadsBackWhatWasWritten) {
  const std::string data("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/f", data, 0640).ok());
  EXPECT_EQ(ReadFile(dir_ + "/f").value(), data);
  struct stat info;
  ASSERT_EQ(stat((dir_ + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(FilesTest, MissingFileIsNotFoundAndNamed) {
  absl::Status status = ReadFile(dir_ + "/nope").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), "/nope")) << status;
}

TEST_F(FilesTest, RefusesAFileOverTheLimit) {
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/f", std::string(100, 'x')).ok());
  EXPECT_EQ(ReadFile(dir_ + "/f", 99).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(dir_ + "/f", 100).ok());
}

TEST_F(FilesTest, ReplacesALinkInsteadOfFollowingIt) {
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/target", "old").ok());
  ASSERT_EQ(symlink("target", (dir_ + "/link").c_str()), 0);
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/link", "new").ok());
  EXPECT_EQ(ReadFile(dir_ + "/target").value(), "old");
  EXPECT_EQ(ReadFile(dir_ + "/link").value(), "new");
}

TEST_F(FilesTest, SecretFileIsReadOnlyIfItIsOursAlone) {
  const std::string path = dir_ + "/key";
  ASSERT_TRUE(WriteFileAtomically(path, "secret").ok());
  EXPECT_EQ(ReadSecretFile(path).value(), "secret");
  for (mode_t mode : {0640, 0604, 0620, 0601}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const absl::Status status = ReadSecretFile(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(status.message().find("chmod 600 " + path),
              absl::string_view::npos)
        << status;
  }
  EXPECT_EQ(ReadSecretFile(dir_ + "/none").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(FilesTest, PrivateDirectoryIsMadeWithItsParents) {
  ASSERT_TRUE(MakePrivateDirectory(dir_ + "/a/b").ok());
  struct stat info;
  ASSERT_EQ(stat((dir_ + "/a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_TRUE(MakePrivateDirectory(dir_ + "/a/b").ok());
  // One that was made on the way can be asked for later.
  EXPECT_TRUE(MakePrivateDirectory(dir_ + "/a").ok());
}

TEST_F(FilesTest, RefusesADirectoryThatOthersMayEnter) {
  ASSERT_EQ(mkdir((dir_ + "/open").c_str(), 0755), 0);
  EXPECT_EQ(MakePrivateDirectory(dir_ + "/open").code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(symlink(dir_.c_str(), (dir_ + "/link").c_str()), 0);
  EXPECT_EQ(MakePrivateDirectory(dir_ + "/link").code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace berth

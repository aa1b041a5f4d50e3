#include "agent/holder/identity_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"

namespace berth::holder {
namespace {

std::string TempDirectory() {
  std::string path = "/tmp/identity.XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  return path;
}

TEST(IdentityFileTest, IsReadAsItWasWritten) {
  std::string path = TempDirectory() + "/holder";
  absl::StatusOr<HolderIdentity> own = OwnIdentity();
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_TRUE(WriteIdentityFile(path, *own).ok());
  absl::StatusOr<HolderIdentity> read = ReadIdentityFile(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pid, getpid());
  EXPECT_EQ(read->start_ticks, own->start_ticks);
  EXPECT_EQ(read->boot_id, own->boot_id);
  EXPECT_EQ(read->version, 1u);
}

TEST(IdentityFileTest, TellsDamageFromAbsence) {
  std::string path = TempDirectory() + "/holder";
  EXPECT_EQ(ReadIdentityFile(path).status().code(),
            absl::StatusCode::kNotFound);
  for (const char* text : {"", "pid x\n", "pid 12\n", "pid 0\nboot_id a\n"}) {
    ASSERT_TRUE(WriteFileAtomically(path, text).ok());
    EXPECT_EQ(ReadIdentityFile(path).status(),
              absl::DataLossError(path + " is damaged"))
        << text;
  }
}

TEST(FateTest, TellsTheProcessFromOthersWithItsNumber) {
  HolderIdentity identity = *OwnIdentity();
  EXPECT_EQ(FateOf(identity), HolderFate::kAlive);
  ++identity.start_ticks;
  EXPECT_EQ(FateOf(identity), HolderFate::kDead);
  identity.boot_id = "another";
  EXPECT_EQ(FateOf(identity), HolderFate::kRebooted);
}

}  // namespace
}  // namespace berth::holder

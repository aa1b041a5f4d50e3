#include "agent/sessions/admin_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::agent {
namespace {

TEST(AdminFileTest, CountsOnlyIfNobodyElseCanWriteIt) {
  const testing::TempDir dir;
  const std::string path = dir.path() + "/agent.toml";
  EXPECT_TRUE(absl::IsNotFound(ReadAdminFile(path, 100).status()));
  testing::WriteTextFile(path, "x");
  chmod(path.c_str(), 0644);
  EXPECT_EQ(ReadAdminFile(path, 100).value_or("refused"), "x");
  chmod(path.c_str(), 0646);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadAdminFile(path, 100).status()));
  EXPECT_THAT(std::string(ReadAdminFile(path, 100).status().message()),
              ::testing::HasSubstr("chmod go-w"));
  if (geteuid() != 0) return;
  chmod(path.c_str(), 0664);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadAdminFile(path, 100).status()));
  chmod(path.c_str(), 0644);
  ASSERT_EQ(chown(path.c_str(), 65534, 0), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadAdminFile(path, 100).status()));
}

}  // namespace
}  // namespace berth::agent

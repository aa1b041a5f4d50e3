#include "cli/login/stored_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "tests/support/temp_dir.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

class StoredLoginTest : public ::testing::Test {
 protected:
  StoredLoginTest() { environment_.Set("XDG_CONFIG_HOME", dir_.path()); }

  absl::Status Store(const std::string& name, const std::string& key) {
    return StoreLogin(environment_, name, {"b:1", "ca", "cert", key});
  }
  std::string Key(const std::string& name) {
    const auto login = FindLogin(environment_, name);
    return login.ok() ? ReadSecretFile(login->context.key).value_or("")
                      : std::string(login.status().message());
  }
  size_t Directories() const {
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(dir_.path() + "/berth/logins")) {
      count += entry.is_directory();
    }
    return count;
  }

  const testing::TempDir dir_;
  Environment environment_;
};

TEST_F(StoredLoginTest, ReplacesTheOneBefore) {
  ASSERT_TRUE(Store("gw", "first").ok());
  EXPECT_EQ(Key("gw"), "first");
  ASSERT_TRUE(Store("gw", "second").ok());
  EXPECT_EQ(Key(""), "second");
  EXPECT_EQ(Directories(), 1u);
  ASSERT_TRUE(Store("gw.b", "third").ok());
  EXPECT_EQ(Key("gw"), "second");
  EXPECT_EQ(Key(""), "third");
}

TEST_F(StoredLoginTest, ForgetsItsKey) {
  ASSERT_TRUE(Store("gw", "key").ok());
  const auto login = FindLogin(environment_, "gw");
  ASSERT_TRUE(login.ok()) << login.status();
  ASSERT_TRUE(ForgetLogin(environment_, *login).ok());
  EXPECT_EQ(Directories(), 0u);
  EXPECT_THAT(Key(""), HasSubstr("not logged in"));
  EXPECT_THAT(Key("gw"), HasSubstr("not found"));
}

TEST_F(StoredLoginTest, LeavesOtherContextsAlone) {
  Contexts contexts;
  contexts.contexts["gw"] = {"b:1", "/ca", "/cert", "/etc/key"};
  contexts.contexts["near"] = {"b:1", "", "",
                               dir_.path() + "/berth/logins/../key"};
  contexts.current = "gw";
  ASSERT_TRUE(SaveContexts(environment_, contexts).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Store("gw", "key")));
  for (const char* name : {"gw", "near"}) {
    EXPECT_THAT(Key(name), HasSubstr("was not made by 'berth login'"));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Store("../up", "key")));
  EXPECT_EQ(LoadContexts(environment_)->contexts.size(), 2u);
}

}  // namespace
}  // namespace berth::cli

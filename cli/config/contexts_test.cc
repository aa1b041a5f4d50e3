#include "cli/config/contexts.h"

#include <stdlib.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using testing::HasSubstr;

class ContextsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/contexts.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    environment_.Set("XDG_CONFIG_HOME", pattern);
  }

  Environment environment_;
};

TEST_F(ContextsTest, ThereMayBeNone) {
  const auto contexts = LoadContexts(environment_);
  ASSERT_TRUE(contexts.ok());
  EXPECT_TRUE(contexts->contexts.empty());
  const auto context = ResolveContext(environment_, "");
  ASSERT_TRUE(absl::IsFailedPrecondition(context.status()));
  EXPECT_THAT(std::string(context.status().message()),
              HasSubstr("add one with 'berth context add"));
}

TEST_F(ContextsTest, ComeBackAsSaved) {
  Contexts contexts;
  contexts.current = "b";
  contexts.contexts["a"] = {"a:1", "/ca \"x\"", "/c", "/k"};
  contexts.contexts["b"] = {"b:2", "/ca2", "/c2", "/k2"};
  ASSERT_TRUE(SaveContexts(environment_, contexts).ok());
  EXPECT_EQ(ResolveContext(environment_, "")->broker, "b:2");
  EXPECT_EQ(ResolveContext(environment_, "a")->ca, "/ca \"x\"");
  environment_.Set("BERTH_CONTEXT", "a");
  EXPECT_EQ(ResolveContext(environment_, "")->broker, "a:1");
  environment_.Set("BERTH_BROKER", "other:3");
  EXPECT_EQ(ResolveContext(environment_, "")->broker, "other:3");
  EXPECT_EQ(ResolveContext(environment_, "")->key, "/k");
  const auto unknown = ResolveContext(environment_, "c");
  EXPECT_TRUE(absl::IsNotFound(unknown.status()));
  EXPECT_EQ(unknown.status().message(),
            "context 'c': not found; see 'berth context ls'");
}

TEST_F(ContextsTest, TheEnvironmentAloneIsEnough) {
  for (const char* name :
       {"BERTH_BROKER", "BERTH_CA", "BERTH_CERTIFICATE", "BERTH_KEY"}) {
    EXPECT_FALSE(ResolveContext(environment_, "").ok());
    environment_.Set(name, "x");
  }
  EXPECT_TRUE(ResolveContext(environment_, "").ok());
}

TEST_F(ContextsTest, SaysWhichLineCantBeRead) {
  const auto contexts =
      ParseContexts("current = \"a\"\n[contexts.a\n", "config.toml");
  ASSERT_TRUE(absl::IsInvalidArgument(contexts.status()));
  EXPECT_THAT(std::string(contexts.status().message()),
              HasSubstr("config.toml:2: "));
}

TEST_F(ContextsTest, SkipsWhatItDoesNotKnow) {
  const auto contexts = ParseContexts(
      "current = 3\nnew = true\n[contexts]\nx = 1\n[contexts.a]\nbroker = "
      "\"a:1\"\nlater = [1]\n",
      "config.toml");
  ASSERT_TRUE(contexts.ok());
  EXPECT_EQ(contexts->current, "");
  EXPECT_EQ(contexts->contexts.at("a").broker, "a:1");
}

}  // namespace
}  // namespace berth::cli

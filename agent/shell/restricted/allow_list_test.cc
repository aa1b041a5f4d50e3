#include "agent/shell/restricted/allow_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::shell {
namespace {

using ::testing::HasSubstr;

AllowList List(std::vector<AllowedProgram> programs) {
  auto list = AllowList::Create(std::move(programs));
  EXPECT_TRUE(list.ok()) << list.status();
  return *std::move(list);
}

bool Allows(const std::string& pattern, const std::string& argument) {
  return List({{"x", "/x", {pattern}}}).Check({"x", argument}).ok();
}

TEST(AllowListTest, NameLeadsToThePath) {
  AllowList list = List({{"a", "/bin/a", {}}, {"b", "/usr/bin/other", {}}});
  EXPECT_EQ(*list.Check({"b"}), "/usr/bin/other");
  EXPECT_EQ(*list.Check({"a"}), "/bin/a");
}

TEST(AllowListTest, OtherNamesAreRefusedAndAllowedOnesNamed) {
  AllowList list = List({{"a", "/bin/a", {}}, {"b", "/bin/b", {}}});
  for (const char* name : {"c", "", "/bin/a", "a ", "A"}) {
    absl::Status status = list.Check({name}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("allowed: a, b"));
  }
}

TEST(AllowListTest, EveryArgumentHasItsPattern) {
  AllowList list = List({{"x", "/x", {"start|stop", "[a-z]+"}}});
  EXPECT_TRUE(list.Check({"x", "start", "web"}).ok());
  EXPECT_FALSE(list.Check({"x", "start"}).ok());
  EXPECT_FALSE(list.Check({"x", "start", "web", "web"}).ok());
  EXPECT_FALSE(list.Check({"x", "web", "start"}).ok());
  absl::Status status = list.Check({"x", "start", "We"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("argument 2"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("[a-z]+"));
}

TEST(AllowListTest, LastPatternMayRepeat) {
  AllowList list = List({{"x", "/x", {"-v", "[0-9]+"}, true}});
  EXPECT_TRUE(list.Check({"x", "-v"}).ok());
  EXPECT_TRUE(list.Check({"x", "-v", "1"}).ok());
  EXPECT_TRUE(list.Check({"x", "-v", "1", "22", "333"}).ok());
  EXPECT_FALSE(list.Check({"x"}).ok());
  EXPECT_FALSE(list.Check({"x", "-v", "1", "b"}).ok());
  EXPECT_TRUE(List({{"x", "/x", {}, true}}).Check({"x"}).ok());
  EXPECT_FALSE(List({{"x", "/x", {}, true}}).Check({"x", "1"}).ok());
}

TEST(AllowListTest, PatternsMatchTheWholeArgument) {
  EXPECT_TRUE(Allows("a", "a"));
  EXPECT_FALSE(Allows("a", "ab"));
  EXPECT_FALSE(Allows("a", "ba"));
  EXPECT_FALSE(Allows("a", "a\n"));
  EXPECT_FALSE(Allows("a$", "a\nb"));
  EXPECT_TRUE(Allows("a|ab|abc", "abc"));
  EXPECT_FALSE(Allows("a|ab", "abc"));
  EXPECT_TRUE(Allows("^a$", "a"));
  EXPECT_TRUE(Allows("", ""));
  EXPECT_FALSE(Allows("", "a"));
  EXPECT_TRUE(Allows(".*", "any\nthing"));
}

// `tar cf a.tar --checkpoint=1 --checkpoint-action=exec=sh` was allowed by
// whoever wrote ".*" for names of files.
TEST(AllowListTest, OptionsNeedAPatternThatBeginsAsTheyDo) {
  for (const char* pattern : {".*", "[-a-z]+", "[a-z-]+", "a|.*", "(.*)"}) {
    EXPECT_FALSE(Allows(pattern, "-x")) << pattern;
    EXPECT_FALSE(Allows(pattern, "--to-command=sh")) << pattern;
    EXPECT_TRUE(Allows(pattern, "a")) << pattern;
  }
  for (const char* pattern :
       {"-x", "-[a-z]", "a|-x", "(a|-x)", "^-x$", "\\-x", "[-]x"}) {
    EXPECT_TRUE(Allows(pattern, "-x")) << pattern;
  }
  EXPECT_FALSE(Allows("-", "-x"));
}

TEST(AllowListTest, LongArgumentsAreRefused) {
  EXPECT_TRUE(Allows("a*", std::string(AllowList::kMaxArgument, 'a')));
  EXPECT_FALSE(Allows("a*", std::string(AllowList::kMaxArgument + 1, 'a')));
}

TEST(AllowListTest, MessagesAreEscapedAndShort) {
  AllowList list = List({{"x", "/x", {"a"}}});
  absl::Status status =
      list.Check({"x", "\x1b[2J" + std::string(10000, 'y')}).status();
  EXPECT_EQ(status.message().find('\x1b'), absl::string_view::npos);
  EXPECT_LT(status.message().size(), 1000u);
}

TEST(AllowListTest, ListsThatMakeNoSenseAreRefused) {
  const std::vector<std::vector<AllowedProgram>> lists = {
      {},
      {{"", "/x", {}}},
      {{"x", "x", {}}},
      {{"x", "", {}}},
      {{"x", "/x", {}}, {"x", "/y", {}}},
      {{"x", "/x", {"["}}},
      {{"x", "/x", {"a)|(b"}}},
      {{"x", "/x", {"a", "(b"}}},
  };
  for (const auto& list : lists) {
    EXPECT_EQ(AllowList::Create(list).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace berth::shell

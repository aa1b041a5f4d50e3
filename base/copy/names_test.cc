#include "base/copy/names.h"

#include <string>

#include "gtest/gtest.h"

namespace berth::copy {
namespace {

TEST(NamesTest, NothingButAnEntryIsAnEntryName) {
  for (const std::string& good :
       {std::string("a"), std::string("-rf"), std::string("a\nb"),
        std::string("..."), std::string("~"), std::string("\xff\xfe"),
        std::string(255, 'x')}) {
    EXPECT_TRUE(IsEntryName(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("/"),
        std::string("../x"), std::string("a/b"), std::string("/etc"),
        std::string("a\0b", 3), std::string(256, 'x')}) {
    EXPECT_FALSE(IsEntryName(bad)) << bad;
  }
}

TEST(NamesTest, PartNamesFitWhateverTheName) {
  EXPECT_EQ(PartName("x"), ".x.berth-part");
  for (const size_t size : {1, 243, 244, 255}) {
    const std::string part = PartName(std::string(size, 'x'));
    EXPECT_TRUE(IsEntryName(part)) << size;
    EXPECT_TRUE(IsPartName(part)) << size;
  }
  EXPECT_NE(PartName(std::string(255, 'x')), PartName(std::string(254, 'x')));
  EXPECT_FALSE(IsPartName("x"));
  EXPECT_FALSE(IsPartName("x.berth-part"));
}

TEST(NamesTest, LastNameOfAPath) {
  EXPECT_EQ(LastName("/a/b"), "b");
  EXPECT_EQ(LastName("a/b//"), "b");
  EXPECT_EQ(LastName("b"), "b");
  for (const char* none : {"", "/", ".", "..", "a/..", "a/./", "//"}) {
    EXPECT_EQ(LastName(none), "") << none;
  }
}

}  // namespace
}  // namespace berth::copy

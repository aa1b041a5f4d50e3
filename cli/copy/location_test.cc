#include "cli/copy/location.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

struct Case {
  const char* text;
  const char* session;
  const char* path;
};

TEST(LocationTest, ASessionStandsBeforeTheFirstColon) {
  for (const Case& c : {
           Case{"3:/etc/x", "3", "/etc/x"},
           Case{"web*:", "web*", ""},
           Case{"1..3:a:b", "1..3", "a:b"},
           Case{"9f0c11aa:~/x", "9f0c11aa", "~/x"},
           Case{"1:\n", "1", "\n"},
           Case{"x", "", "x"},
           Case{"./a:b", "", "./a:b"},
           Case{"/tmp/a:b", "", "/tmp/a:b"},
           Case{":x", "", ":x"},
           Case{"", "", ""},
       }) {
    const Location location = ParseLocation(c.text);
    EXPECT_EQ(location.session, c.session) << c.text;
    EXPECT_EQ(location.path, c.path) << c.text;
  }
}

}  // namespace
}  // namespace berth::cli

// Nobody gets at anything before they have logged in, whatever they send.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/gateway/gateway.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

TEST(StatesTest, NoMessageOpensAnythingBeforeTheLogin) {
  Fleet fleet({"web01"});
  Gateway gateway(fleet);
  gateway.Stop();
  gateway.Configure("strangers_per_address = 1000");
  gateway.Configure("strangers = 1000");
  gateway.Start();
  const auto done = gateway.Script(
      absl::StrCat("/usr/bin/python3 tests/gateway/states.py ", gateway.port()),
      absl::Minutes(3));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr(" wrong=0\n"));
  EXPECT_THAT(done.out, HasSubstr("tried="));
  // It serves others as before, and nothing was made.
  EXPECT_TRUE(fleet.Sessions({}).empty());
  EXPECT_EQ(gateway.Ssh("+web01", {"echo still here"}).out, "still here\n");
}

}  // namespace
}  // namespace berth::testing

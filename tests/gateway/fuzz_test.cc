// The gateway takes any bytes: it ends what they came by, and serves others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/gateway/gateway.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(FuzzTest, NoBytesEndTheGateway) {
  const bool is_long = getenv("BERTH_LONG") != nullptr;
  const char* const given = getenv("BERTH_FUZZ_SEED");
  const std::string seed = given != nullptr ? given
                           : is_long ? absl::StrCat(std::random_device()())
                                     : "1";
  Fleet fleet({"web01"});
  Gateway gateway(fleet);
  gateway.Stop();
  gateway.Configure("strangers_per_address = 1000");
  gateway.Configure("strangers = 1000");
  gateway.Start();
  const pid_t pid = gateway.pid();
  const int seconds = is_long ? 90 : 6;
  const auto done = gateway.Script(
      absl::StrCat("/usr/bin/python3 tests/gateway/fuzz.py $PORT "
                   "$KEY ",
                   seconds, " ", seed),
      absl::Minutes(5));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr(absl::StrCat("seed=", seed)));
  RecordProperty("tried", done.out);
  // The same process, which serves as before, also sessions made meanwhile.
  EXPECT_EQ(gateway.pid(), pid);
  EXPECT_EQ(gateway.Ssh("+web01", {"echo still here"}).out, "still here\n")
      << gateway.Log();
  EXPECT_EQ(gateway.Ssh("+web01/fuzz", {"echo there, too"}).out,
            "there, too\n");

  fleet.Run({"rm", "fuzz"});
  gateway.Stop();
  EXPECT_THAT(gateway.Log(), Not(HasSubstr("Sanitizer")));
  gateway.Start();
}

}  // namespace
}  // namespace berth::testing

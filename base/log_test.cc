#include "base/log.h"

#include <string>

#include "gtest/gtest.h"
#include "spdlog/spdlog.h"

namespace berth {
namespace {

TEST(LogTest, NothingThatAPeerSaidActsOnTheTerminalOrMakesALine) {
  ASSERT_TRUE(InitLog("berth-test", "info").ok());
  ::testing::internal::CaptureStderr();
  SPDLOG_WARN("computer '{}' is gone",
              "web\x1b]0;t\x07\n2026-01-01T00:00:00.000+0000 I forged");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("W berth-test: computer 'web\\x1b]0;t\\x07\\n2026-"),
            std::string::npos)
      << log;
  EXPECT_EQ(log.find('\n'), log.size() - 1) << log;
}

}  // namespace
}  // namespace berth

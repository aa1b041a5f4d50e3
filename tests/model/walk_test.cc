// A random walk with a real agent, real holders and real shells: new, run,
// detach, interrupt, connect, take, disconnect, receive, rm, clients and shells
// that are killed, agents that are. Each answer is compared with the model's.
//
// A seed is printed; BERTH_SEED takes the walk that failed again. BERTH_LONG
// makes a million steps, BERTH_WALK_STEPS as many as it says.

#include "tests/model/walk.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/agent/fake_broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::model {
namespace {

using ::berth::testing::Process;

constexpr uint64_t kSteps = 2000;
constexpr uint64_t kLongSteps = 1'000'000;

std::optional<uint64_t> Number(const char* variable) {
  const char* value = getenv(variable);
  if (value == nullptr || *value == 0) return std::nullopt;
  return strtoull(value, nullptr, 10);
}

std::string Binary(const char* variable) {
  const char* path = getenv(variable);
  return std::filesystem::absolute(path == nullptr ? variable : path);
}

class WalkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    mkdir((dir_.path() + "/home").c_str(), 0700);
    broker_.WriteAgentState(dir_.path() + "/state", "web01");
    StartAgent();
  }

  link::v1::Hello StartAgent() {
    auto agent = Process::Start(
        {.argv = {Binary("BERTH_AGENT"), "serve", "--state-dir",
                  dir_.path() + "/state", "--holder", Binary("BERTH_HOLDER")},
         .environment =
             std::vector<std::string>{"HOME=" + dir_.path() + "/home",
                                      "PATH=/usr/bin:/bin"},
         .stderr_path = dir_.path() + "/agent.log"});
    EXPECT_TRUE(agent.ok()) << agent.status();
    agent_.emplace(*std::move(agent));
    return broker_.WaitHello();
  }

  berth::testing::TempDir dir_;
  agent::FakeBroker broker_;
  std::optional<Process> agent_;
};

TEST_F(WalkTest, TheRealOneDoesWhatTheModelDoes) {
  const uint64_t seed = Number("BERTH_SEED").value_or(std::random_device()());
  const bool is_long = Number("BERTH_LONG").value_or(0) != 0;
  const uint64_t steps =
      Number("BERTH_WALK_STEPS").value_or(is_long ? kLongSteps : kSteps);
  printf("seed %lu, %lu steps\n", static_cast<unsigned long>(seed),
         static_cast<unsigned long>(steps));
  Walk walk(broker_, seed, [this] {
    EXPECT_EQ(agent_->StopWith(SIGKILL), 128 + SIGKILL);
    return StartAgent();
  });
  const absl::Time begun = absl::Now();
  for (uint64_t i = 0; i < steps && !HasFailure(); ++i) walk.Step();
  EXPECT_FALSE(HasFailure())
      << "BERTH_SEED=" << seed << " takes this walk again; its last steps:\n"
      << walk.History();
  if (!HasFailure()) walk.Finish();
  for (const auto& [what, count] : walk.counts()) {
    printf("%8lu %s\n", static_cast<unsigned long>(count), what.c_str());
  }
  printf("%.1f s\n", absl::ToDoubleSeconds(absl::Now() - begun));
  EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
}

}  // namespace
}  // namespace berth::model

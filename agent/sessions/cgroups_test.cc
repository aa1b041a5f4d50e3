#include "agent/sessions/cgroups.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

constexpr char kMounts[] =
    "proc /proc proc rw 0 0\n"
    "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";

TEST(FindOwnCgroupTest, TakesTheLineOfVersionTwo) {
  EXPECT_EQ(FindOwnCgroup("0::/system.slice/berth.service\n", kMounts),
            "/sys/fs/cgroup/system.slice/berth.service");
  EXPECT_EQ(FindOwnCgroup("4:memory:/x\n0::/y\n", kMounts), "/sys/fs/cgroup/y");
  EXPECT_EQ(FindOwnCgroup("0::/a/berth-agent\n", kMounts), "/sys/fs/cgroup/a");
  EXPECT_EQ(FindOwnCgroup("0::/\n", kMounts), "/sys/fs/cgroup");
  EXPECT_EQ(FindOwnCgroup("4:memory:/x\n", kMounts), "");
  EXPECT_EQ(FindOwnCgroup("0::/y\n", "proc /proc proc rw 0 0\n"), "");
  EXPECT_EQ(FindOwnCgroup("", ""), "");
}

// A directory with the files that the kernel has in a cgroup.
class CgroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/berth-cgroup-XXXXXX";
    base_ = mkdtemp(pattern.data());
    Write("cgroup.controllers", "cpu io memory pids\n");
    Write("cgroup.subtree_control", "");
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(base_ + "/" + name) << text;
  }
  std::string Read(const std::string& name) {
    std::ifstream file(base_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string base_;
};

TEST_F(CgroupsTest, LimitsAreWrittenAsTheKernelTakesThem) {
  Limits limits;
  limits.memory = 512 << 20;
  limits.processes = 100;
  limits.cpu = 1.5;
  const auto path = Cgroups(base_).Make("x", limits);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, base_ + "/session-x");
  EXPECT_EQ(Read("cgroup.subtree_control"), "+memory +pids +cpu");
  EXPECT_EQ(Read("session-x/memory.max"), "536870912");
  EXPECT_EQ(Read("session-x/memory.swap.max"), "0");
  EXPECT_EQ(Read("session-x/pids.max"), "100");
  EXPECT_EQ(Read("session-x/cpu.max"), "150000 100000");
}

TEST_F(CgroupsTest, OnlyWhatIsLimitedAndThereIsUsed) {
  Write("cgroup.controllers", "cpu memory\n");
  const Cgroups cgroups(base_);
  EXPECT_TRUE(cgroups.Controllers().memory);
  EXPECT_FALSE(cgroups.Controllers().processes);
  Limits limits;
  limits.processes = 5;
  limits.open_files = 100;
  EXPECT_EQ(*cgroups.Make("x", limits), "");
  EXPECT_FALSE(std::filesystem::exists(base_ + "/session-x"));
  limits.memory = 64 << 20;
  EXPECT_NE(*cgroups.Make("x", limits), "");
  EXPECT_EQ(Read("cgroup.subtree_control"), "+memory");
  EXPECT_FALSE(std::filesystem::exists(base_ + "/session-x/pids.max"));
}

TEST_F(CgroupsTest, NoCgroupHasNoControllers) {
  for (const std::string& base : {std::string(), base_ + "/none"}) {
    const Cgroups cgroups(base);
    EXPECT_FALSE(cgroups.Controllers().memory);
    Limits limits;
    limits.memory = 64 << 20;
    EXPECT_EQ(*cgroups.Make("x", limits), "");
  }
}

TEST_F(CgroupsTest, WhatCantBeMadeIsAnErrorWithAWayOut) {
  Write("session-x", "");
  Limits limits;
  limits.memory = 64 << 20;
  const auto path = Cgroups(base_).Make("x", limits);
  EXPECT_EQ(path.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(path.status().message()),
              testing::HasSubstr("'cgroup' in agent.toml"));
}

}  // namespace
}  // namespace berth::agent

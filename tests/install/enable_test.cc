// deploy/enable-computer where systemd runs: a `systemctl` of this test's does
// what the real one would, in a mount namespace in which systemd seems to run.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// Starts and stops what the unit says, and notes what it was asked.
constexpr char kSystemctl[] = R"sh(#!/bin/bash
dir=$(dirname "$0")/..
echo "$*" >>"$dir/asked"
pid=$(cat "$dir/main-pid" 2>/dev/null)
case $1 in
  is-active) kill -0 "${pid:-x}" 2>/dev/null ;;
  start)
    command=$(sed -n 's/^ExecStart=//p' "$dir/units/berth-agent.service")
    setsid $command </dev/null >"$dir/agent.out" 2>"$dir/agent.log" &
    echo $! >"$dir/main-pid"
    until grep -q ready "$dir/agent.out"; do
      kill -0 $! || exit 1
      sleep 0.05
    done
    ;;
  disable)
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    ;;
esac
)sh";

class EnableTest : public ::testing::Test {
 protected:
  EnableTest() : fleet_(std::vector<std::string>()) {
    for (const char* name : {"files", "units", "bin", "state", "pam"}) {
      fs::create_directory(Path(name));
      chmod(Path(name).c_str(), 0700);
    }
    const fs::path script = fs::absolute(getenv("ENABLE_COMPUTER"));
    for (const char* name : {"enable-computer", "berth-agent.service",
                             "agent.toml", "pam.d-berth"}) {
      fs::copy_file(script.parent_path() / name, Path("files/") + name);
    }
    fs::copy_file(getenv("BERTH_AGENT"), Path("files/berth-agent"));
    fs::copy_file(getenv("BERTH_HOLDER"), Path("files/berth-holder"));
    fs::copy_file(getenv("BERTH_LOGIN"), Path("files/berth-login"));
    WriteTextFile(Path("bin/systemctl"), kSystemctl);
    chmod(Path("bin/systemctl").c_str(), 0755);
    // By which no account is needed.
    WriteTextFile(Path("state/agent.toml"), "run_as = \"agent\"\n");
  }

  std::string Path(const std::string& name) const {
    return fleet_.directory() + "/" + name;
  }

  Process::Finished Enable(std::vector<std::string> words,
                           const std::string& input = "") {
    const std::string run =
        "mount -t tmpfs none /run && mkdir -p /run/systemd/system && "
        "exec bash \"$@\"";
    std::vector<std::string> argv = {
        "/usr/bin/unshare",           "--mount", "/bin/sh", "-c", run, "sh",
        Path("files/enable-computer")};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.insert(argv.end(), {"--state-dir", Path("state")});
    auto done = Process::Run(
        {.argv = argv,
         .environment =
             std::vector<std::string>{
                 absl::StrCat("PATH=", Path("bin"), ":", getenv("PATH")),
                 "HOME=" + Path("home"), "BERTH_PREFIX=" + Path("prefix"),
                 "BERTH_UNITS=" + Path("units"), "BERTH_PAM=" + Path("pam")}},
        input, absl::Minutes(1));
    EXPECT_TRUE(done.ok()) << done.status();
    return done.ok() ? *done : Process::Finished{-1, "", ""};
  }

  Process::Finished Join(const std::string& token) {
    std::vector<std::string> words = {
        "--broker", absl::StrCat("localhost:", fleet_.port()),
        "--ca",     Path("broker/ca.pem"),
        "--name",   "web01"};
    if (!token.empty()) words.insert(words.end(), {"--token-file", "-"});
    return Enable(words, token);
  }

  // What systemctl was asked since the last time.
  std::string Asked() {
    const std::string asked = ReadTextFile(Path("asked"));
    WriteTextFile(Path("asked"), "");
    return asked;
  }

  Fleet fleet_;
};

TEST_F(EnableTest, InstallsAUnitAndLetsItsAgentBeginAnew) {
  if (geteuid() != 0) GTEST_SKIP() << "a mount namespace takes root";
  const std::string token = fleet_.Run({"admin", "token", "create"});
  const Process::Finished first = Join(token);
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_THAT(first.out, HasSubstr("joined as web01"));
  EXPECT_THAT(first.out, HasSubstr("started berth-agent.service"));
  EXPECT_EQ(Asked(),
            "daemon-reload\nenable berth-agent\n"
            "is-active --quiet berth-agent\nstart berth-agent\n");
  EXPECT_THAT(
      ReadTextFile(Path("units/berth-agent.service")),
      HasSubstr(absl::StrCat("\nExecStart=", Path("prefix/bin/berth-agent"),
                             " serve --state-dir ", Path("state"), "\n")));
  fleet_.WaitFor({"computers", "web01", "-o", "json"}, "COMPUTER_STATE_ONLINE");
  fleet_.Run({"new", "-c", "web01", "--name", "work"});
  fleet_.Run({"run", "-s", "work", "--", "kept=yes"});

  // All is there: nothing is done, and no token is wanted.
  const Process::Finished second = Join("");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.out, "already joined as web01\n");
  EXPECT_EQ(Asked(), "enable berth-agent\nis-active --quiet berth-agent\n");

  // What PAM sessions take comes with the setting.
  EXPECT_TRUE(fs::exists(Path("prefix/bin/berth-login")));
  EXPECT_FALSE(fs::exists(Path("pam/berth")));
  WriteTextFile(Path("state/agent.toml"),
                "run_as = \"agent\"\npam = \"berth\"\n");
  EXPECT_EQ(Join("").out, absl::StrCat("installed ", Path("pam/berth"),
                                       "\nalready joined as web01\n"));
  EXPECT_THAT(ReadTextFile(Path("pam/berth")), HasSubstr("pam_limits.so"));
  WriteTextFile(Path("state/agent.toml"), "run_as = \"agent\"\n");
  Asked();

  // New programs: the agent begins anew, and systemd need not know.
  const std::string pid = ReadTextFile(Path("state/lock"));
  WriteTextFile(Path("files/berth-agent"),
                ReadTextFile(Path("files/berth-agent")) + "newer");
  const Process::Finished third = Join("");
  EXPECT_EQ(third.exit_code, 0) << third.err;
  EXPECT_THAT(third.out, HasSubstr("berth-agent began anew"));
  EXPECT_THAT(Asked(), Not(HasSubstr("start ")));
  EXPECT_EQ(ReadTextFile(Path("state/lock")), pid);
  fleet_.WaitFor({"computers", "web01", "-o", "json"}, "COMPUTER_STATE_ONLINE");
  EXPECT_EQ(fleet_.Run({"run", "-s", "work", "--", "echo $kept"}), "yes\n");

  const Process::Finished off = Enable({"--off"});
  EXPECT_EQ(off.exit_code, 0) << off.out << off.err;
  EXPECT_THAT(off.out, HasSubstr("left"));
  EXPECT_EQ(Asked(), "disable --now berth-agent\ndaemon-reload\n");
  EXPECT_FALSE(fs::exists(Path("units/berth-agent.service")));
  EXPECT_FALSE(fs::exists(Path("state/certificate.pem")));
}

TEST_F(EnableTest, SaysWhatItCanNotDo) {
  if (geteuid() != 0) GTEST_SKIP() << "a mount namespace takes root";
  const Process::Finished no_token = Join("");
  EXPECT_EQ(no_token.exit_code, 1);
  EXPECT_THAT(no_token.err, HasSubstr("joining takes a token"));
  const Process::Finished not_joined = Enable({"--programs"});
  EXPECT_EQ(not_joined.exit_code, 1);
  EXPECT_THAT(not_joined.err, HasSubstr("no agent has joined a fleet with"));
  auto restart =
      Process::Run({.argv = {fs::absolute(getenv("BERTH_AGENT")), "restart",
                             "--state-dir", Path("state")}});
  ASSERT_TRUE(restart.ok()) << restart.status();
  EXPECT_EQ(restart->exit_code, 1);
  EXPECT_THAT(restart->err, HasSubstr("no agent serves " + Path("state")));
}

}  // namespace
}  // namespace berth::testing

// zsh as another account than the agent's, and what stands between its holder
// and it.

#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/run_as_fixture.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

// zsh opens what it is given by name, which of another user's holder it may
// not: it said "can't open the command's streams", so there was none.
TEST_F(RunAsTest, ZshRunsAsItsUser) {
  fleet_->Register(kComputer, "zsh", "shell = \"/usr/bin/zsh\"\n");
  New("z", {"--configuration", "zsh"});
  EXPECT_EQ(In("z", "id -un; echo $ZSH_NAME $HOME; echo ${ZDOTDIR-none}"),
            "backup\nzsh /var/backups\nnone\n");
  EXPECT_EQ(fleet_->Run({"run", "-s", "z", "--", "X=kept; cat"}, "typed"),
            "typed");
  EXPECT_EQ(In("z", "echo $X; echo err >&2; ls /proc/self/fd | wc -l"),
            "kept\n4\n")
      << "0 to 3, ls's own";
  // Streams are binary exact, also at sizes that no pipe holds.
  std::string bytes;
  for (uint32_t i = 0; i < 1 << 20; ++i) {
    bytes.push_back(static_cast<char>(i * 7919 >> 5));
  }
  EXPECT_TRUE(fleet_->Run({"run", "-s", "z", "--", "cat"}, bytes) == bytes);
  EXPECT_THAT(Try("z", "false"), HasSubstr("1 "));
  EXPECT_THAT(Try("z", "exit 7"), HasSubstr("7 "));
  // Many in a row, each with streams of its own.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(In("z", absl::StrCat("echo ", i)), absl::StrCat(i, "\n"));
  }
  // It is no way to the holder, nor to what it has.
  const pid_t holder = fleet_->HolderPid("z");
  EXPECT_THAT(Try("z", absl::StrCat("ls /proc/", holder, "/fd")),
              HasSubstr("ermission denied"));
  EXPECT_THAT(Try("z", absl::StrCat("kill -9 ", holder)),
              HasSubstr("not permitted"));
  EXPECT_THAT(Try("z", "ls " + Directory("z")), HasSubstr("ermission denied"));
  // What carries its descriptors is its user's, and has no rights.
  const std::string porter(
      absl::StripSuffix(In("z", "pgrep -u backup -x berth-porter"), "\n"));
  const std::string status = ReadTextFile("/proc/" + porter + "/status");
  EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  // An agent that is replaced changes nothing.
  fleet_->KillAgent(kComputer, SIGKILL);
  fleet_->StartAgent(kComputer);
  fleet_->WaitFor({"run", "-s", "z", "--", "echo $X"}, "kept\n");
  // Who kills it has harmed their own session alone, and is told.
  Try("z", "kill -9 " + porter + "; sleep 0.1");
  const std::string told = Try("z", "echo more");
  EXPECT_THAT(told, HasSubstr("berth rm it"));
  EXPECT_THAT(told, ::testing::Not(HasSubstr("reconnecting")));
  fleet_->Run({"rm", "z"});
  EXPECT_FALSE(std::filesystem::exists(absl::StrCat("/proc/", holder)));
}

// Takes the porter's end of its socket, which its user may, and fills it.
constexpr char kAttack[] = R"(python3 -c '
import array, ctypes, os, socket, sys
pid = os.pidfd_open(int(sys.argv[1]))
fd = ctypes.CDLL(None).syscall(438, pid, 3, 0)  # pidfd_getfd
if fd < 0: sys.exit("not even that")
holder = socket.socket(fileno=fd)
own = array.array("i", [0, 1])
try:
  while True:
    holder.sendmsg([b"r" * 257],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, own)],
                   socket.MSG_DONTWAIT)
except BlockingIOError: sys.exit("full")
' )";

// What runs in a session has its porter, and nobody else's.
TEST_F(RunAsTest, PorterOfZshIsNoWayToOthers) {
  fleet_->Register(kComputer, "zsh", "shell = \"/usr/bin/zsh\"\n");
  New("z", {"--configuration", "zsh"});
  New("other", {"--configuration", "zsh", "--run-as", kOther});
  const auto porter = [&](const char* user) {
    return std::string(absl::StripSuffix(
        In("z", absl::StrCat("pgrep -u ", user, " -x berth-porter")), "\n"));
  };
  const std::string its_own = porter(kUser);
  const std::string others = porter(kOther);
  for (const char* attempt : {"ls /proc/$P/fd", "cat /proc/$P/fd/4",
                              "kill -STOP $P", "kill -KILL $P"}) {
    EXPECT_THAT(Try("z", absl::StrCat("P=", others, "; ", attempt)),
                ::testing::ContainsRegex("ermi(tt|ss)"))
        << attempt;
  }
  EXPECT_THAT(Try("z", kAttack + others), HasSubstr("not even that"));
  // Its own carries the streams of the session's own commands, and is not
  // listened to.
  EXPECT_THAT(Try("z", kAttack + its_own),
              ::testing::AnyOf(HasSubstr("full"), HasSubstr("not even that")));
  EXPECT_EQ(In("z", "echo lives"), "lives\n");
  EXPECT_EQ(In("other", "id -un"), "games\n");
  // One that is stopped keeps nobody from ending the session, nor does its end.
  Try("z", "kill -STOP " + its_own);
  fleet_->Run({"rm", "z"});
  EXPECT_FALSE(std::filesystem::exists("/proc/" + its_own + "/exe"));
}

}  // namespace
}  // namespace berth::testing

#include "base/pause_point.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

// Reaches the points "a", "b" and "a" with this environment, in a process of
// its own, and returns how that ended: 0, or the signal.
pid_t StartChild(const std::string& points) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setenv("BERTH_PAUSE_POINTS", points.c_str(), 1);
  PausePoint("a");
  KillPoint("b");
  PausePoint("a");
  _exit(0);
}

int SignalOf(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(PausePointTest, DoesNothingUnlessNamed) {
  EXPECT_EQ(SignalOf(StartChild("")), 0);
  EXPECT_EQ(SignalOf(StartChild("c=kill")), 0);
}

TEST(PausePointTest, KillsWhenReachedThatOften) {
  EXPECT_EQ(SignalOf(StartChild("a=kill")), SIGKILL);
  EXPECT_EQ(SignalOf(StartChild("c=kill,a=kill@2")), SIGKILL);
  EXPECT_EQ(SignalOf(StartChild("a=kill@3")), 0);
  EXPECT_EQ(SignalOf(StartChild("b=kill")), SIGKILL);
}

TEST(PausePointTest, LeavesOutWhatItCantParse) {
  EXPECT_EQ(SignalOf(StartChild("a,a=,a=die,a=kill@,a=kill@0,a=kill@x")), 0);
  EXPECT_EQ(SignalOf(StartChild("a=kill@x,b=kill")), SIGKILL);
}

TEST(PausePointTest, GoesOnIfNobodyListens) {
  EXPECT_EQ(SignalOf(StartChild("a=/nonexistent/socket")), 0);
}

TEST(PausePointTest, TellsAndWaitsUntilItIsReleased) {
  char directory[] = "/tmp/pauseXXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/s";
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0);
  ASSERT_EQ(listen(listener.get(), 4), 0);
  // It does not wait at `b`, which is a reaction's.
  const pid_t pid = StartChild("b=" + path + ",a=" + path + "@2");
  UniqueFd paused(accept(listener.get(), nullptr, nullptr));
  char line[64];
  const ssize_t size = read(paused.get(), line, sizeof(line));
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(line, size), "a " + std::to_string(pid) + "\n");
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
  paused.reset();
  EXPECT_EQ(SignalOf(pid), 0);
  unlink(path.c_str());
  rmdir(directory);
}

}  // namespace
}  // namespace berth

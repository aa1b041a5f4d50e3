// Measures a real holder over its socket: BERTH_HOLDER names the program.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "agent/holder/frame.h"
#include "agent/holder/test_peer.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {
namespace {

struct Held {
  pid_t pid = 0;
  std::string directory;
};

Held Hold() {
  Held held;
  std::string path = "/tmp/holder.XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  held.directory = path;
  v1::HolderStart start;
  start.set_version(1);
  start.set_instance_id(NewUuid());
  start.set_directory(path);
  start.set_shell("/bin/bash");
  start.add_arguments("--norc");
  start.add_environment("PATH=/usr/bin:/bin");
  start.set_log_limit(64 << 20);
  start.set_when_full(v1::HolderStart::DROP);
  start.set_hello_timeout_ms(5000);
  int in[2];
  int out[2];
  EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::string program = getenv("BERTH_HOLDER");
  char* argv[] = {program.data(), nullptr};
  char* envp[] = {nullptr};
  EXPECT_EQ(
      posix_spawn(&held.pid, program.c_str(), &actions, nullptr, argv, envp),
      0);
  posix_spawn_file_actions_destroy(&actions);
  UniqueFd ends[] = {UniqueFd(in[0]), UniqueFd(in[1]), UniqueFd(out[0]),
                     UniqueFd(out[1])};
  EXPECT_TRUE(WriteFrame(in[1], start).ok());
  ends[3].reset();
  v1::HolderStarted started;
  EXPECT_TRUE(ReadFrame(out[0], started).ok());
  EXPECT_EQ(started.error(), "");
  return held;
}

void Release(const Held& held) {
  Peer peer(held.directory + "/socket");
  v1::Request request;
  request.mutable_terminate()->set_reason(1);
  peer.Send(request);
  waitpid(held.pid, nullptr, 0);
}

void Report(const char* name, int count, const std::function<void()>& what) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    absl::Time begin = absl::Now();
    what();
    times.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin));
  }
  std::sort(times.begin(), times.end());
  std::cout << name << ": p50 " << times[count / 2] << " us, p99 "
            << times[count * 99 / 100] << " us\n";
}

std::string Pss(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string line;
  while (std::getline(file, line)) {
    if (absl::StartsWith(line, "Pss:")) return line;
  }
  return "";
}

}  // namespace
}  // namespace berth::holder

int main() {
  using namespace berth::holder;  // NOLINT
  std::vector<Held> idle;
  Report("start", 100, [&] { idle.push_back(Hold()); });
  std::cout << "of 100, holder " << Pss(idle[50].pid) << "\n";
  Held& held = idle[0];
  {
    Peer peer(held.directory + "/socket");
    Report("run true", 5000, [&] { peer.Run("true"); });
    Report("run /bin/true", 1000, [&] { peer.Run("/bin/true"); });
    absl::Time begin = absl::Now();
    peer.Run("head -c 1G /dev/zero");
    std::cout << "output: " << 1024 / absl::ToDoubleSeconds(absl::Now() - begin)
              << " MiB/s\n";
  }
  std::cout << "after 6001 commands, holder " << Pss(held.pid) << "\n";
  for (const Held& one : idle) Release(one);
}

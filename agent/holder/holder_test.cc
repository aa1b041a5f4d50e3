// Starts the real holder and speaks to it as an agent does: one test for each
// thing that everything else leans on. What a shell can do is tested in
// tests/shell.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/frame.h"
#include "agent/holder/identity_file.h"
#include "agent/holder/test_peer.h"
#include "agent/log/journal.h"
#include "base/files.h"
#include "base/unique_fd.h"
#include "base/uuid.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(10);

class HolderTest : public testing::Test {
 protected:
  HolderTest() {
    std::string path = "/tmp/holder.XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
    start_.set_version(1);
    start_.set_instance_id(NewUuid());
    start_.set_directory(directory_);
    start_.set_shell("/bin/bash");
    start_.add_arguments("--norc");
    start_.add_environment("PATH=/usr/bin:/bin");
    start_.set_cwd("/");
    start_.set_log_limit(64 << 20);
    start_.set_when_full(v1::HolderStart::BLOCK);
    start_.set_rows(24);
    start_.set_columns(80);
    start_.set_hello_timeout_ms(5000);
  }

  ~HolderTest() override {
    if (pid_ > 0) kill(pid_, SIGTERM);
    WaitForHolder();
  }

  v1::HolderStarted Launch() {
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
        posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, envp), 0);
    posix_spawn_file_actions_destroy(&actions);
    UniqueFd ends[] = {UniqueFd(in[0]), UniqueFd(in[1]), UniqueFd(out[0]),
                       UniqueFd(out[1])};
    EXPECT_TRUE(WriteFrame(in[1], start_).ok());
    ends[3].reset();
    v1::HolderStarted started;
    EXPECT_TRUE(ReadFrame(out[0], started).ok());
    return started;
  }

  Peer Connect() { return Peer(directory_ + "/socket"); }

  // Its wait status; -1 if it stays.
  int WaitForHolder() {
    absl::Time deadline = absl::Now() + kPatience;
    int status = -1;
    while (pid_ > 0 && absl::Now() < deadline) {
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return status;
      }
      absl::SleepFor(absl::Milliseconds(1));
    }
    return -1;
  }

  std::vector<std::string> Journal() {
    std::vector<std::string> records;
    auto extent = agent::ReadJournal(
        directory_ + "/journal", [&](const v1::JournalRecord& record) {
          if (record.has_reserved()) records.push_back("reserved");
          if (record.has_started()) records.push_back("started");
          if (record.has_acked()) records.push_back("acked");
          if (record.has_ended()) {
            records.push_back(absl::StrCat("ended ", record.ended().how(), " ",
                                           record.ended().exit_code()));
          }
          if (record.has_session_ended()) {
            records.push_back(
                absl::StrCat("session ended ", record.session_ended().reason(),
                             " ", record.session_ended().wait_status()));
          }
        });
    EXPECT_TRUE(extent.ok()) << extent.status();
    return records;
  }

  std::string directory_;
  v1::HolderStart start_;
  pid_t pid_ = 0;
};

TEST_F(HolderTest, SaysWhoItIs) {
  v1::HolderStarted started = Launch();
  EXPECT_EQ(started.error(), "");
  EXPECT_EQ(started.holder_pid(), static_cast<uint32_t>(pid_));
  absl::StatusOr<HolderIdentity> identity =
      ReadIdentityFile(directory_ + "/holder");
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->pid, pid_);
  EXPECT_EQ(FateOf(*identity), HolderFate::kAlive);
}

TEST_F(HolderTest, RunsCommandsInOneShell) {
  Launch();
  Peer peer = Connect();
  v1::Ended first = peer.Run("cd /tmp; x=5; printf 12345");
  EXPECT_EQ(first.sequence(), 1u);
  EXPECT_EQ(first.how(), 1u);
  EXPECT_EQ(first.exit_code(), 0);
  EXPECT_EQ(first.end_offset(), 5u);
  EXPECT_EQ(first.cwd(), "/tmp");
  EXPECT_EQ(peer.Run("exit $x").exit_code(), 5);
  EXPECT_THAT(Journal(), ElementsAre("reserved", "started", "ended 1 0",
                                     "reserved", "started", "ended 4 5"));
}

TEST_F(HolderTest, StartingTwiceRunsOnce) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_command_id(NewUuid());
  start.set_wait_ms(10000);
  peer.Run("n=$((n+1))", start);
  peer.Start("n=$((n+1))", start);
  v1::Event again = peer.Next(v1::Event::kStarted);
  EXPECT_TRUE(again.started().attached());
  EXPECT_EQ(again.started().sequence(), 1u);
  EXPECT_EQ(peer.Next(v1::Event::kEnded).ended().sequence(), 1u);
  EXPECT_EQ(peer.Run("exit $n").exit_code(), 1);
}

TEST_F(HolderTest, RefusesAnotherTextForAnId) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_command_id(NewUuid());
  start.set_wait_ms(10000);
  peer.Run("true", start);
  peer.Start("false", start);
  v1::Refused refused = peer.Next(v1::Event::kRefused).refused();
  EXPECT_EQ(refused.code(), 6);  // ALREADY_EXISTS
  EXPECT_EQ(refused.command_id(), start.command_id());
}

TEST_F(HolderTest, RefusesAScriptWithANul) {
  Launch();
  Peer peer = Connect();
  peer.Start(std::string("echo a\0b", 8));
  v1::Refused refused = peer.Next(v1::Event::kRefused).refused();
  EXPECT_EQ(refused.code(), 3);  // INVALID_ARGUMENT
  EXPECT_THAT(refused.message(), HasSubstr("a NUL byte, at offset 6"));
}

TEST_F(HolderTest, RefusesWhileBusyWhatWillNotWait) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  peer.Start("sleep 30", start);
  peer.Next(v1::Event::kStarted);
  peer.Start("true");
  v1::Refused refused = peer.Next(v1::Event::kRefused).refused();
  EXPECT_EQ(refused.code(), 10);  // ABORTED
  EXPECT_THAT(refused.message(),
              HasSubstr("the session is busy: command 'sleep 30' runs since"));
}

TEST_F(HolderTest, PassesInputWithinItsWindow) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  start.set_with_stdin(true);
  peer.Start("exec 5>&1; n=$(wc -c); exit $((n % 251))", start);
  uint64_t limit = peer.Next(v1::Event::kStdinCredit).stdin_credit().limit();
  EXPECT_EQ(limit, 1u << 20);
  const uint64_t total = 4000000;
  for (uint64_t offset = 0; offset < total;) {
    while (offset >= limit) {
      limit = peer.Next(v1::Event::kStdinCredit).stdin_credit().limit();
    }
    uint64_t size = std::min<uint64_t>({60000, limit - offset, total - offset});
    v1::Request request;
    request.mutable_stdin()->set_sequence(1);
    request.mutable_stdin()->set_offset(offset);
    request.mutable_stdin()->set_data(std::string(size, 'x'));
    request.mutable_stdin()->set_eof(offset + size == total);
    peer.Send(request);
    peer.Send(request);  // Again, as after a broken connection.
    offset += size;
  }
  EXPECT_EQ(peer.Next(v1::Event::kEnded).ended().exit_code(),
            static_cast<int>(total % 251));
}

TEST_F(HolderTest, SaysThatInputIsMissing) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  start.set_with_stdin(true);
  peer.Start("cat", start);
  peer.Next(v1::Event::kStarted);
  v1::Request request;
  request.mutable_stdin()->set_sequence(1);
  request.mutable_stdin()->set_offset(7);
  request.mutable_stdin()->set_data("x");
  peer.Send(request);
  v1::Refused refused = peer.Next(v1::Event::kRefused).refused();
  EXPECT_EQ(refused.code(), 3);  // INVALID_ARGUMENT
  EXPECT_EQ(refused.message(), "input from 0 to 7 is missing");
}

TEST_F(HolderTest, InterruptsACommand) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  peer.Start("while :; do :; done", start);
  peer.Next(v1::Event::kStarted);
  v1::Request request;
  request.mutable_interrupt()->set_sequence(1);
  peer.Send(request);
  v1::Ended ended = peer.Next(v1::Event::kEnded).ended();
  EXPECT_EQ(ended.how(), 2u);
  EXPECT_EQ(ended.exit_code(), 130);
}

TEST_F(HolderTest, EndsACommandAtItsTimeout) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_timeout_ms(30);
  v1::Ended ended = peer.Run("sleep 30", start);
  EXPECT_EQ(ended.how(), 3u);
}

TEST_F(HolderTest, SaysThatACommandAsksAtTheTerminalAndPassesTheAnswer) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  peer.Start("printf 'Password: ' >/dev/tty; read -r x </dev/tty; echo \"$x\"",
             start);
  peer.Next(v1::Event::kStarted);
  EXPECT_THAT(
      peer.Next(v1::Event::kNotice).notice().text(),
      HasSubstr("the command waits on the session's terminal: Password:"));
  v1::Request request;
  request.mutable_terminal_input()->set_data("secret\n");
  peer.Send(request);
  v1::Ended ended = peer.Next(v1::Event::kEnded).ended();
  EXPECT_EQ(ended.exit_code(), 0);
  EXPECT_EQ(ended.end_offset(), 7u);
}

TEST_F(HolderTest, LogsWhatIsWrittenLateUnderItsCommand) {
  Launch();
  Peer peer = Connect();
  v1::Ended ended = peer.Run("{ sleep 0.1; echo late; } & echo now");
  EXPECT_EQ(ended.end_offset(), 4u);
  v1::Event advanced = peer.Next(v1::Event::kAdvanced);
  while (advanced.advanced().offset() < 9 && !HasFailure()) {
    advanced = peer.Next(v1::Event::kAdvanced);
  }
  EXPECT_EQ(advanced.advanced().sequence(), 1u);
  EXPECT_EQ(advanced.advanced().offset(), 9u);
}

TEST_F(HolderTest, DoesNotLetACommandWaitLongerThanItWill) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_wait_ms(10000);
  peer.Start("sleep 30", start);
  peer.Next(v1::Event::kStarted);
  start.set_wait_ms(20);
  std::string id = peer.Start("true", start);
  EXPECT_EQ(peer.Next(v1::Event::kQueued).queued().behind().what(), "sleep 30");
  v1::Refused refused = peer.Next(v1::Event::kRefused).refused();
  EXPECT_EQ(refused.command_id(), id);
  EXPECT_EQ(refused.code(), 10);  // ABORTED
  EXPECT_EQ(Journal().back(), "ended 6 0");
}

TEST_F(HolderTest, EndsWithItsShell) {
  Launch();
  Peer peer = Connect();
  v1::Start start;
  start.set_exit_ends_session(true);
  v1::Ended ended = peer.Run("exit 7", start);
  EXPECT_EQ(ended.how(), 5u);
  EXPECT_EQ(ended.exit_code(), 7);
  EXPECT_EQ(WaitForHolder(), 0);
  EXPECT_EQ(Journal().back(), absl::StrCat("session ended 2 ", 7 << 8));
  EXPECT_NE(access((directory_ + "/socket").c_str(), F_OK), 0);
}

TEST_F(HolderTest, ReportsAKilledShell) {
  Launch();
  Peer peer = Connect();
  v1::Ended ended = peer.Run("printf abc; kill -9 $$");
  EXPECT_EQ(ended.how(), 5u);
  EXPECT_EQ(ended.exit_code(), 137);
  EXPECT_EQ(ended.end_offset(), 3u);
  EXPECT_EQ(WaitForHolder(), 0);
  EXPECT_EQ(Journal().back(), "session ended 2 9");
}

TEST_F(HolderTest, TerminatesEverythingInTheSession) {
  v1::HolderStarted started = Launch();
  Peer peer = Connect();
  // One ignores SIGHUP, one has left the POSIX session.
  peer.Run(
      "(trap '' HUP; exec sleep 300) & echo $! >/tmp/$$.pids;"
      "setsid sleep 300 & sleep 0.05; pgrep -f '^sleep 300' >>/tmp/$$.pids");
  std::string file = absl::StrCat("/tmp/", started.shell_pid(), ".pids");
  std::string pids = ReadFile(file).value();
  unlink(file.c_str());
  v1::Request request;
  request.mutable_terminate()->set_reason(1);
  peer.Send(request);
  EXPECT_EQ(WaitForHolder(), 0);
  EXPECT_NE(kill(static_cast<pid_t>(started.shell_pid()), 0), 0);
  EXPECT_NE(kill(atoi(pids.c_str()), 0), 0);
  EXPECT_EQ(Journal().back().substr(0, 15), "session ended 1");
}

TEST_F(HolderTest, SurvivesThePeersOfAllKinds) {
  Launch();
  {
    Peer rude = Connect();
    v1::Start start;
    start.set_wait_ms(10000);
    rude.Start("sleep 0.01; echo x", start);
  }
  int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
           directory_.c_str());
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  ASSERT_GT(send(fd, "\xff\xff\xff\xff nonsense", 13, MSG_NOSIGNAL), 0);
  char byte;
  EXPECT_EQ(recv(fd, &byte, 1, 0), 0);  // Turned away.
  close(fd);
  EXPECT_EQ(Connect().Run("true").exit_code(), 0);
}

struct BadShell {
  const char* name;
  const char* shell;
  const char* want;
};

class BadShellTest : public HolderTest,
                     public testing::WithParamInterface<BadShell> {};

TEST_P(BadShellTest, IsAnError) {
  start_.set_shell(GetParam().shell);
  start_.clear_arguments();
  EXPECT_THAT(Launch().error(), HasSubstr(GetParam().want));
  EXPECT_NE(WaitForHolder(), -1);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadShellTest,
    testing::ValuesIn<BadShell>({
        {"Missing", "/nonexistent/bash", "/nonexistent/bash"},
        {"Another", "/bin/dash", "it does not export 'parse_and_execute'"},
        {"Relative", "bash", "'bash' is not an absolute path"},
        {"Script", "/usr/bin/ldd", "it is not an ELF program"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(HolderTest, SaysWhatAShellPrintedThatEndsAtOnce) {
  start_.clear_arguments();
  start_.add_arguments("--no-such-option");
  EXPECT_EQ(Launch().error(), "");  // The hook says hello before that.
  EXPECT_EQ(WaitForHolder(), 0);
  EXPECT_EQ(Journal().back(), absl::StrCat("session ended 2 ", 2 << 8));
}

}  // namespace
}  // namespace berth::holder

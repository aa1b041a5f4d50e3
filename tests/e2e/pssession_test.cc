// What people who know PSSession expect of sessions, asked of a real fleet:
// the lines of checklist.txt that no other test shows.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class PssessionTest : public ::testing::Test {
 protected:
  PssessionTest() : fleet_({"Server01", "Server02"}) {
    file_ = fleet_.directory() + "/fifo";
    mkfifo(file_.c_str(), 0600);
  }

  // Lets a command go on that reads from the fifo.
  void Release() {
    ASSERT_TRUE(
        Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + file_}}).ok());
  }

  std::string WaitForRelease() const { return "read -r x <" + file_; }

  // Runs a program whose environment has one more variable.
  Process StartWith(const std::vector<std::string>& arguments,
                    const std::string& variable) {
    Process::Options options = fleet_.Command(arguments, "laptop");
    options.environment->push_back(variable);
    options.stderr_path = Errors();
    auto process = Process::Start(options);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  std::string Errors() const { return fleet_.directory() + "/berth.err"; }

  Fleet fleet_;
  std::string file_;
};

TEST_F(PssessionTest, NamesGoToAllAndAreSeenByOtherClients) {
  fleet_.Run({"new", "-c", "Server01,Server02", "--name", "web"});
  fleet_.Run({"new", "-c", "Server01"});
  std::set<std::string> ids;
  const auto sessions = fleet_.Sessions({}, "desk");
  ASSERT_EQ(sessions.size(), 3u);
  for (const v1::Session& session : sessions) {
    EXPECT_TRUE(IsUuid(session.instance_id()));
    ids.insert(session.instance_id());
    EXPECT_EQ(session.name(), session.id() == 3 ? "Session3" : "web");
    EXPECT_EQ(session.configuration(), "default");
    EXPECT_EQ(session.owner(), "admin");
    EXPECT_EQ(session.idle_timeout().seconds(), 7200);
    EXPECT_EQ(session.buffering(), v1::BUFFERING_MODE_BLOCK);
    EXPECT_EQ(session.state(), v1::SESSION_STATE_DISCONNECTED);
    EXPECT_EQ(session.availability(), v1::SESSION_AVAILABILITY_BUSY);
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(fleet_.Sessions({"-c", "Server02"}, "desk").size(), 1u);
  EXPECT_EQ(fleet_.Sessions({"--configuration", "other"}, "desk").size(), 0u);
  EXPECT_EQ(fleet_.Sessions({"--configuration", "default"}).size(), 3u);
}

TEST_F(PssessionTest, OneIsModelledOnAnother) {
  fleet_.Run({"new", "-c", "Server02", "--idle-timeout", "3h"});
  fleet_.Run({"run", "-s", "1", "--", "x=5"});
  fleet_.Run({"new", "--like", "1"});
  const v1::Session copy = fleet_.Session("2");
  EXPECT_EQ(copy.computer(), "Server02");
  EXPECT_EQ(copy.idle_timeout().seconds(), 3 * 3600);
  EXPECT_NE(copy.instance_id(), fleet_.Session("1").instance_id());
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo ${x-none}"}), "none\n");
}

TEST_F(PssessionTest, EachIsAProcessAndAnEnvironmentOfItsOwn) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "x=1; cd /; ulimit -n 99"});
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $x $PWD; ulimit -n"}),
            "1 /\n99\n");
  EXPECT_NE(fleet_.Run({"run", "-s", "2", "--", "echo $x $PWD; ulimit -n"}),
            "1 /\n99\n");
  EXPECT_NE(fleet_.Session("1").shell_pid(), fleet_.Session("2").shell_pid());
}

TEST_F(PssessionTest, AnotherClientGoesOnWhereTheFirstLetGo) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--detach", "--",
              "v=kept; echo before; " + WaitForRelease() + "; echo after"});
  fleet_.Run({"disconnect", "1"});
  const v1::Session seen = fleet_.Session("1", "desk");
  EXPECT_EQ(seen.state(), v1::SESSION_STATE_DISCONNECTED);
  EXPECT_EQ(seen.availability(), v1::SESSION_AVAILABILITY_BUSY);
  fleet_.Run({"connect", "1"}, "", "desk");
  Release();
  EXPECT_EQ(fleet_.Run({"receive", "1"}, "", "desk"), "before\nafter\n");
  fleet_.WaitFor({"ls", "1", "-o", "jsonl"}, "AVAILABILITY_AVAILABLE",
                 absl::Seconds(20), "desk");
  EXPECT_EQ(fleet_.Session("1", "desk").state(), v1::SESSION_STATE_OPENED);
  // Nothing is pending any more, which is no error.
  EXPECT_EQ(fleet_.Run({"receive", "1"}, "", "desk"), "");
  // What was delivered can be read again, from any offset.
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from-start"}, "", "desk"),
            "before\nafter\n");
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from", "7"}, "", "desk"), "after\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}, "", "desk"),
            "kept\n");
}

TEST_F(PssessionTest, OfTwoClientsThatConnectOneWins) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"disconnect", "1"});
  const std::string clients[] = {"laptop", "desk"};
  for (int round = 0; round < 5; ++round) {
    Process::Options options[2];
    for (int i : {0, 1}) {
      options[i] = fleet_.Command({"connect", "1"}, clients[i]);
    }
    Process::Finished finished[2];
    std::thread other([&] { finished[1] = *Process::Run(options[1]); });
    finished[0] = *Process::Run(options[0]);
    other.join();
    const int winner = finished[0].exit_code == 0 ? 0 : 1;
    EXPECT_EQ(finished[winner].exit_code, 0) << finished[winner].err;
    EXPECT_EQ(finished[1 - winner].exit_code, 1);
    EXPECT_THAT(finished[1 - winner].err, HasSubstr("--take"));
    fleet_.Run({"disconnect", "1"}, "", clients[winner]);
  }
  fleet_.Run({"connect", "1"}, "", "desk");
  fleet_.Run({"connect", "1", "--take"});
  EXPECT_EQ(fleet_.Session("1").state(), v1::SESSION_STATE_OPENED);
}

TEST_F(PssessionTest, DisconnectingSetsTimeAndBufferingAndConnectingKeepsThem) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run(
      {"disconnect", "1", "--idle-timeout", "90m", "--buffering", "drop"});
  for (const char* verb : {"ls", "connect", "disconnect"}) {
    fleet_.Run({verb, "1"});
    const v1::Session session = fleet_.Session("1");
    EXPECT_EQ(session.idle_timeout().seconds(), 90 * 60) << verb;
    EXPECT_EQ(session.buffering(), v1::BUFFERING_MODE_DROP) << verb;
  }
  EXPECT_TRUE(fleet_.Session("1").has_expires_at());
  EXPECT_TRUE(fleet_.Session("1").has_disconnected_at());
  fleet_.Run({"connect", "1", "--idle-timeout", "2h", "--buffering", "block"});
  EXPECT_EQ(fleet_.Session("1").idle_timeout().seconds(), 7200);
  EXPECT_EQ(fleet_.Session("1").buffering(), v1::BUFFERING_MODE_BLOCK);
}

TEST_F(PssessionTest, OneUnreachableComputerHidesNothing) {
  fleet_.Run({"new", "-c", "Server01,Server02"});
  fleet_.KillAgent("Server02", SIGKILL);
  fleet_.WaitForState("2", v1::SESSION_STATE_BROKEN);
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
  EXPECT_EQ(fleet_.Session("1").state(), v1::SESSION_STATE_OPENED);
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo here"}), "here\n");
}

TEST_F(PssessionTest, WhenPatienceIsOverTheRestIsThereToReceive) {
  fleet_.Run({"new", "-c", "Server01"});
  Process run = StartWith(
      {"run", "-s", "1", "--", "echo one; " + WaitForRelease() + "; echo two"},
      "BERTH_RECONNECT=1s");
  ASSERT_EQ(run.ReadExactly(4).value(), "one\n");
  fleet_.KillBroker(SIGKILL);
  EXPECT_EQ(run.Wait().value(), 125);
  EXPECT_THAT(ReadFile(Errors()).value(), AllOf(HasSubstr("lost; reconnecting"),
                                                HasSubstr("berth receive 1")));
  fleet_.StartBroker();
  Release();
  fleet_.WaitFor({"computers", "Server01"}, "Online");
  // What came just before may not have been acknowledged, and come again.
  EXPECT_THAT(fleet_.Run({"receive", "1"}), EndsWith("two\n"));
}

TEST_F(PssessionTest, ATemporarySessionIsKeptWhenItsClientGaveUp) {
  Process run = StartWith({"run", "-c", "Server01", "--",
                           "echo one; " + WaitForRelease() + "; echo two"},
                          "BERTH_RECONNECT=1s");
  ASSERT_EQ(run.ReadExactly(4).value(), "one\n");
  EXPECT_TRUE(fleet_.Sessions({}).empty());
  fleet_.KillBroker(SIGKILL);
  EXPECT_EQ(run.Wait().value(), 125);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "Server01"}, "Online");
  fleet_.WaitFor({"ls", "-o", "jsonl"}, "SESSION_STATE_DISCONNECTED");
  const std::vector<v1::Session> sessions = fleet_.Sessions({});
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_FALSE(sessions[0].temporary());
  EXPECT_EQ(sessions[0].activity().kind(), v1::Activity::COMMAND);
  // What it said to do, it said with this session's number.
  const std::string id = absl::StrCat(sessions[0].id());
  EXPECT_THAT(ReadFile(Errors()).value(), HasSubstr("berth receive " + id));
  Release();
  EXPECT_THAT(fleet_.Run({"receive", id}), EndsWith("two\n"));
  EXPECT_EQ(fleet_.Session(id).last_command().exit_code(), 0);
}

TEST_F(PssessionTest, LeavingDuringRetriesLeavesTheCommandRunning) {
  fleet_.Run({"new", "-c", "Server01"});
  Process run = fleet_.Start(
      {"run", "-s", "1", "--", "echo one; " + WaitForRelease() + "; echo two"});
  ASSERT_EQ(run.ReadExactly(4).value(), "one\n");
  fleet_.KillBroker(SIGKILL);
  // Twice, but two that come at once are one to the kernel.
  absl::StatusOr<int> code = absl::UnavailableError("");
  for (int i = 0; i < 100 && !code.ok(); ++i) {
    kill(run.pid(), SIGINT);
    code = run.Wait(absl::Milliseconds(200));
  }
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 130);
  EXPECT_THAT(ReadFile(Errors()).value(),
              HasSubstr("lost; reconnecting for 4m"));
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "Server01"}, "Online");
  EXPECT_EQ(fleet_.Session("1").activity().kind(), v1::Activity::COMMAND);
  Release();
  // What came just before may not have been acknowledged, and come again.
  EXPECT_THAT(fleet_.Run({"receive", "1"}), EndsWith("two\n"));
}

TEST_F(PssessionTest, AComputerThatWasRestartedHasEndedItsSessions) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "echo printed"});
  const v1::Session session = fleet_.Session("1");
  fleet_.KillAgent("Server01", SIGTERM);
  // As a restart would leave it: processes gone, and another boot.
  const std::string path = absl::StrCat(fleet_.AgentDirectory("Server01"),
                                        "/sessions/", session.instance_id());
  const std::string kill_all = absl::StrCat(
      "kill -9 $(sed -n 's/^pid //p' ", path, "/holder) ", session.shell_pid(),
      "; sed -i 's/^boot_id .*/boot_id 11111111-1111-4111-8111-111111111111/' ",
      path, "/holder");
  ASSERT_EQ(Process::Run({.argv = {"/bin/sh", "-c", kill_all}})->exit_code, 0);
  fleet_.StartAgent("Server01");
  fleet_.WaitForState("1", v1::SESSION_STATE_CLOSED);
  EXPECT_EQ(fleet_.Session("1").end().reason(),
            v1::END_REASON_COMPUTER_RESTARTED);
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from-start"}), "printed\n");
}

TEST_F(PssessionTest, RemovingEndsWhatRunsAndSaysNothing) {
  fleet_.Run({"new", "-c", "Server01", "--name", "web"});
  fleet_.Run({"new", "-c", "Server02", "--name", "web"});
  fleet_.Run({"run", "-s", "1", "--detach", "--", WaitForRelease()});
  fleet_.WaitFor({"ls", "1", "-o", "jsonl"}, "\"COMMAND\"");
  const pid_t shell = fleet_.Session("1").shell_pid();
  EXPECT_THAT(fleet_.Run({"rm", "--what-if", "web"}),
              AllOf(HasSubstr("would end session 1 ('web') on Server01, "
                              "running: read -r"),
                    HasSubstr("would end session 2 ('web') on Server02\n")));
  const auto ambiguous = fleet_.Berth({"rm", "web"});
  EXPECT_EQ(ambiguous.exit_code, 1);
  EXPECT_THAT(ambiguous.err, HasSubstr("fits 2 sessions: 1, 2"));
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
  fleet_.Run({"disconnect", "1"});
  // Without a connect before, from another client, on a named computer.
  const auto removed =
      fleet_.Berth({"rm", "-c", "Server01", "--id", "1"}, "", "desk");
  EXPECT_EQ(removed.exit_code, 0);
  EXPECT_EQ(removed.out + removed.err, "");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (kill(shell, 0) == 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
  }
  EXPECT_NE(kill(shell, 0), 0);
  EXPECT_EQ(fleet_.Run({"rm", "-i", "web"}, "n\n"), "");
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);
  fleet_.Run({"rm", "--confirm", "web"}, "y\n");
  EXPECT_EQ(fleet_.Sessions({}).size(), 0u);
  const auto gone = fleet_.Berth({"run", "-s", "2", "--", "true"});
  EXPECT_EQ(gone.exit_code, 125);
  EXPECT_THAT(gone.err, HasSubstr("berth ls"));
}

TEST_F(PssessionTest, AWatcherIsToldThatADetachedCommandHasEnded) {
  fleet_.Run({"new", "-c", "Server01"});
  Process watch =
      fleet_.Start({"watch", "1", "--until", "ended", "-o", "jsonl"}, "desk");
  ASSERT_TRUE(watch.WaitForLine("{\"kind\":\"KNOWN\"").ok());
  fleet_.Run(
      {"run", "-s", "1", "--detach", "--", WaitForRelease() + "; (exit 4)"});
  ASSERT_TRUE(watch.WaitForLine("{\"kind\":\"STARTED\"").ok());
  fleet_.Run({"disconnect", "1"});
  ASSERT_TRUE(watch.WaitForLine("{\"kind\":\"HOLDER_CHANGED\"").ok());
  fleet_.KillBroker(SIGKILL);
  Release();  // It ends while nobody can be told.
  fleet_.StartBroker();
  const auto ended = watch.WaitForLine("{\"kind\":\"ENDED\"");
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_THAT(*ended, HasSubstr("\"exitCode\":4"));
  EXPECT_EQ(watch.Wait().value(), 0);
}

TEST_F(PssessionTest, WaitsForAnEndAnIdleShellOrAWord) {
  fleet_.Run({"new", "-c", "Server01"});
  EXPECT_THAT(fleet_.Berth({"wait", "1"}).err, HasSubstr("nothing was run"));
  fleet_.Run({"run", "-s", "1", "--detach", "--",
              "echo starting; echo listening on 80; " + WaitForRelease() +
                  "; exit 6"});
  EXPECT_EQ(fleet_.Run({"wait", "1", "--until", "output", "on [0-9]+"}),
            "listening on 80\n");
  const auto late = fleet_.Berth({"wait", "1", "--timeout", "100ms"});
  EXPECT_EQ(late.exit_code, 124);
  Process idle = fleet_.Start({"wait", "1", "--until", "idle"});
  Process exit = fleet_.Start({"wait", "1"});
  Release();
  EXPECT_EQ(exit.Wait().value(), 6);
  EXPECT_EQ(idle.Wait().value(), 0);
  // Also of one that has ended, and nothing of it counts as received.
  EXPECT_EQ(fleet_.Berth({"wait", "1"}).exit_code, 6);
  EXPECT_EQ(fleet_.Run({"receive", "1"}), "starting\nlistening on 80\n");
}

TEST_F(PssessionTest, FollowsASessionFromCommandToCommand) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "echo 1; echo 2; echo e >&2; echo 3"});
  EXPECT_EQ(fleet_.Run({"receive", "1", "--tail", "2", "--stdout"}), "2\n3\n");
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from-start", "--stderr"}), "");
  Process follow =
      fleet_.Start({"receive", "1", "--follow", "--stdout", "--tail", "1"});
  EXPECT_EQ(follow.ReadExactly(2).value(), "3\n");
  fleet_.Run({"run", "-s", "1", "--", "echo next"});
  EXPECT_EQ(follow.ReadExactly(5).value(), "next\n");
  EXPECT_EQ(follow.StopWith(SIGINT), 130);
}

TEST_F(PssessionTest, AComputerJoinsTwiceAndLeavesTwiceWithoutHarm) {
  fleet_.Run({"new", "-c", "Server01"});
  const std::string state = fleet_.AgentDirectory("Server01");
  const std::vector<std::string> join = {
      getenv("BERTH_AGENT"),
      "join",
      "--broker",
      absl::StrCat("localhost:", fleet_.port()),
      "--token",
      "used-up",
      "--ca",
      fleet_.directory() + "/broker/ca.pem",
      "--name",
      "Server01",
      "--state-dir",
      state};
  const auto again = Process::Run({.argv = join});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->exit_code, 0) << again->err;
  EXPECT_THAT(again->out, HasSubstr("already joined as Server01"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo lives"}), "lives\n");
  const std::vector<std::string> leave = {getenv("BERTH_AGENT"), "leave",
                                          "--state-dir", state};
  const auto refused = Process::Run({.argv = leave});
  EXPECT_EQ(refused->exit_code, 1);
  EXPECT_THAT(refused->err, HasSubstr("stop it first"));
  const pid_t shell = fleet_.Session("1").shell_pid();
  fleet_.KillAgent("Server01", SIGTERM);
  for (int i = 0; i < 2; ++i) {
    const auto left = Process::Run({.argv = leave});
    EXPECT_EQ(left->exit_code, 0) << left->err;
  }
  EXPECT_NE(kill(shell, 0), 0);
  EXPECT_NE(access((state + "/key.pem").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace berth::testing

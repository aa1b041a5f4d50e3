// Sessions that die in every way there is: `ls` shows none of them as living
// 5 s later, and nothing is left of their processes.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/identity_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/proc.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

constexpr size_t kEach = 8;  // Sessions that die in each way.
// What is promised; on a busy machine more is no failure of the test.
constexpr absl::Duration kPromised = absl::Seconds(5);

class GhostsTest : public ::testing::Test {
 protected:
  struct Victim {
    std::string id;
    pid_t holder = 0;
    pid_t shell = 0;
  };

  // Makes sessions, each with a command that runs.
  std::vector<Victim> Make() {
    std::vector<Victim> victims;
    for (size_t i = 0; i < kEach; ++i) fleet_.Run({"new", "-c", "Server01"});
    for (const v1::Session& session : fleet_.Sessions({})) {
      const std::string& id = session.instance_id();
      const auto identity =
          holder::ReadIdentityFile(DirectoryOf(id) + "/holder");
      EXPECT_TRUE(identity.ok()) << identity.status();
      if (!identity.ok()) continue;
      victims.push_back(
          {id, identity->pid, static_cast<pid_t>(session.shell_pid())});
      if (victims.size() % 2 == 1) {
        fleet_.Run({"run", "-s", id, "--detach", "--", "sleep 1000"});
      }
    }
    EXPECT_EQ(victims.size(), kEach);
    return victims;
  }

  std::string DirectoryOf(const std::string& id) const {
    return absl::StrCat(fleet_.AgentDirectory("Server01"), "/sessions/", id);
  }

  void Kill(const std::vector<Victim>& victims, pid_t Victim::*which) {
    for (const Victim& victim : victims) {
      ASSERT_GT(victim.*which, 1);
      kill(victim.*which, SIGKILL);
    }
  }

  std::vector<Process> StartRemoving(const std::vector<Victim>& victims) {
    std::vector<Process> clients;
    for (const Victim& victim : victims) {
      clients.push_back(fleet_.Start({"rm", victim.id}));
    }
    return clients;
  }

  // Also those count that nobody knows of, because their computer is away.
  size_t CountNotClosed() {
    const std::vector<v1::Session> sessions = fleet_.Sessions({});
    return std::count_if(sessions.begin(), sessions.end(),
                         [](const v1::Session& session) {
                           return session.state() != v1::SESSION_STATE_CLOSED;
                         });
  }

  // From now on none of them may live.
  void ExpectNone(const std::string& how, const std::vector<Victim>& victims) {
    const absl::Time start = absl::Now();
    while (CountNotClosed() > 0 && absl::Now() < start + 6 * kPromised) {
      absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
    }
    const absl::Duration took = absl::Now() - start;
    printf("%s: %zu sessions, none living after %s%s\n", how.c_str(),
           victims.size(), absl::FormatDuration(took).c_str(),
           took > kPromised ? " (more than promised)" : "");
    total_ += victims.size();
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    for (const Victim& victim : victims) {
      while ((ProcessLives(victim.holder) || ProcessLives(victim.shell)) &&
             absl::Now() < deadline) {
        absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
      }
      EXPECT_FALSE(ProcessLives(victim.holder)) << how;
      EXPECT_FALSE(ProcessLives(victim.shell)) << how;
    }
    // What ended is told as that, until it is removed.
    for (const v1::Session& session : fleet_.Sessions({})) {
      EXPECT_EQ(session.state(), v1::SESSION_STATE_CLOSED) << how;
      EXPECT_TRUE(session.has_end()) << how;
      fleet_.Run({"rm", session.instance_id()});
    }
  }

  Fleet fleet_{{"Server01"}};
  size_t total_ = 0;
};

TEST_F(GhostsTest, NoSessionOutlivesItsEndInAList) {
  const int rounds = getenv("BERTH_LONG") != nullptr ? 16 : 1;
  for (int round = 0; round < rounds; ++round) {
    auto victims = Make();
    for (size_t i = 0; i < victims.size(); ++i) {
      const std::string exit = absl::StrCat("exit ", i);
      // Half of them are busy, and end when what they run was interrupted.
      if (i % 2 == 0) {
        kill(victims[i].shell, SIGHUP);
      } else {
        fleet_.Berth(
            {"run", "-s", victims[i].id, "--exit-ends-session", "--", exit});
      }
    }
    ExpectNone("the shell exits", victims);

    victims = Make();
    Kill(victims, &Victim::holder);
    ExpectNone("the holder is killed", victims);

    victims = Make();
    Kill(victims, &Victim::shell);
    ExpectNone("the shell is killed", victims);

    victims = Make();
    fleet_.KillAgent("Server01", SIGKILL);
    for (size_t i = 0; i < victims.size(); ++i) {
      kill(i % 3 == 0 ? victims[i].shell : victims[i].holder, SIGKILL);
    }
    fleet_.StartAgent("Server01");
    ExpectNone("it dies while the agent is down", victims);

    victims = Make();
    fleet_.KillBroker(SIGKILL);
    for (size_t i = 0; i < victims.size(); ++i) {
      kill(i % 3 == 0 ? victims[i].holder : victims[i].shell, SIGKILL);
    }
    fleet_.StartBroker();
    fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
    ExpectNone("it dies while the broker is down", victims);

    victims = Make();
    std::vector<Process> clients = StartRemoving(victims);
    Kill(victims, &Victim::holder);
    for (Process& client : clients) {
      EXPECT_TRUE(client.Wait(absl::Minutes(1)).ok());
    }
    ExpectNone("it dies while it is removed", victims);

    victims = Make();
    clients = StartRemoving(victims);
    fleet_.KillAgent("Server01", SIGKILL);
    fleet_.StartAgent("Server01");
    for (Process& client : clients) {
      EXPECT_TRUE(client.Wait(absl::Minutes(1)).ok());
    }
    fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
    // What the agent did not hear of lives on, and is no ghost of one.
    for (const v1::Session& session : fleet_.Sessions({})) {
      fleet_.Run({"rm", session.instance_id()});
    }
    ExpectNone("the agent dies while it is removed", victims);

    victims = Make();
    fleet_.KillAgent("Server01", SIGKILL);
    fleet_.KillBroker(SIGKILL);
    Kill(victims, &Victim::holder);
    fleet_.StartBroker();
    fleet_.StartAgent("Server01");
    fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
    ExpectNone("all die at once", victims);

    // The computer is restarted: no process is left, and the next boot has
    // another id.
    victims = Make();
    fleet_.KillAgent("Server01", SIGKILL);
    Kill(victims, &Victim::holder);
    for (const Victim& victim : victims) {
      const std::string path = DirectoryOf(victim.id) + "/holder";
      auto identity = holder::ReadIdentityFile(path);
      ASSERT_TRUE(identity.ok());
      identity->boot_id = "00000000-0000-0000-0000-000000000000";
      ASSERT_TRUE(holder::WriteIdentityFile(path, *identity).ok());
    }
    fleet_.StartAgent("Server01");
    fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
    for (const v1::Session& session : fleet_.Sessions({})) {
      EXPECT_EQ(session.end().reason(), v1::END_REASON_COMPUTER_RESTARTED);
    }
    ExpectNone("the computer is restarted", victims);
  }
  printf("%zu sessions in all\n", total_);
}

}  // namespace
}  // namespace berth::testing

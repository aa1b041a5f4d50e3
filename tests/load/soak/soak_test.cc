// A fleet for a long time: sessions are made, used and ended, clients come and
// go, and programs are killed, stopped and started, at random. All the while
// some sessions stay; whenever only those are left, it is counted what every
// program has. Prints how that grows in an hour.
//
// BERTH_SOAK_SECONDS (default 15), BERTH_SUITE_SEED (default random), and
// BERTH_SOAK_REPORT: a file for the table.

#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/identity_file.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/load/soak/census.h"
#include "tests/support/proc.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

constexpr int kStaying = 10;  // Sessions, half on each computer.
// Of what must not grow at all, so much may be a matter of the moment.
constexpr double kSlack = 12;

unsigned FromEnvironment(const char* variable, unsigned otherwise) {
  unsigned value = 0;
  const char* text = getenv(variable);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

class SoakTest : public ::testing::Test {
 protected:
  SoakTest() {
    for (int i = 0; i < kStaying; ++i) {
      fleet_.Run({"new", "-c", i % 2 == 0 ? "Server01" : "Server02"});
      fleet_.Run({"run", "-s", absl::StrCat(i + 1), "--",
                  absl::StrCat("kept=", i + 1)});
    }
    for (const v1::Session& session : fleet_.Sessions({})) {
      staying_.push_back(session);
    }
  }

  int Random(int below) {
    return std::uniform_int_distribution<int>(0, below - 1)(random_);
  }
  std::string AnyStaying() { return absl::StrCat(1 + Random(kStaying)); }
  std::string AnyComputer() { return absl::StrCat("Server0", 1 + Random(2)); }

  // One thing that users do. What it does is checked as far as no fault is
  // under way.
  void Use() {
    const std::string id = AnyStaying();
    switch (Random(8)) {
      case 0:
        EXPECT_EQ(fleet_.Run({"run", "-s", id, "--", "echo $kept"}), id + "\n");
        break;
      case 1: {
        const int size = 1 + Random(2'000'000);
        const std::string out = fleet_.Run(
            {"run", "-s", id, "--",
             absl::StrCat("head -c ", size, " /dev/zero | tr '\\0' x")});
        EXPECT_EQ(out.size(), static_cast<size_t>(size));
        break;
      }
      case 2:
        fleet_.Run({"run", "-s", id, "--detach", "--", "echo later"});
        EXPECT_EQ(fleet_.Run({"receive", id}), "later\n");
        break;
      case 3:
        fleet_.Run({"disconnect", id});
        fleet_.Run({"connect", id}, "", "desk");
        fleet_.Run({"disconnect", id}, "", "desk");
        break;
      case 4:
        EXPECT_EQ(fleet_.Run({"run", "-c", AnyComputer(), "--", "cat"}, "in"),
                  "in");
        break;
      case 5:
        fleet_.Run({"run", "--all", "-n", "--", "true"});
        break;
      case 6: {
        Process client = fleet_.Start({"run", "-s", id, "--", "sleep 0.3"});
        client.StopWith(Random(2) == 0 ? SIGINT : SIGKILL);
        break;
      }
      default:
        MakeAndEnd();
    }
  }

  // A session that ends in some way.
  void MakeAndEnd() {
    fleet_.Run({"new", "-c", AnyComputer(), "--name", "passing"});
    if (Random(2) == 0) {
      fleet_.Berth({"run", "-s", "passing", "--exit-ends-session", "--",
                    "echo bye; exit 3"});
    } else if (Random(2) == 0) {
      const v1::Session session = fleet_.Session("passing");
      kill(static_cast<pid_t>(session.shell_pid()), SIGKILL);
    }
    fleet_.Run({"rm", "passing"});
  }

  // One thing that goes wrong, and is put right. `all`: also with those whose
  // memory is watched.
  void Break(bool all) {
    const std::string computer = all ? AnyComputer() : "Server02";
    Process client =
        fleet_.Start({"run", "-s", AnyStaying(), "--",
                      "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.05; "
                      "done"});
    // From then on nothing may stop it.
    EXPECT_TRUE(client.ReadExactly(2).ok());
    switch (Random(all ? 5 : 3)) {
      case 0:
        fleet_.KillAgent(computer, SIGKILL);
        fleet_.StartAgent(computer);
        break;
      case 1:
        fleet_.KillAgent(computer, SIGTERM);
        fleet_.StartAgent(computer);
        break;
      case 2:
        if (const pid_t keeper = fleet_.KeeperPid("desk"); keeper > 1) {
          kill(keeper, SIGKILL);
        }
        break;
      default:
        fleet_.KillBroker(Random(2) == 0 ? SIGKILL : SIGTERM);
        fleet_.StartBroker();
    }
    EXPECT_EQ(client.ReadToEnd(absl::Minutes(1)).value_or("nothing"),
              "2\n3\n4\n5\n6\n7\n8\n9\n");
    EXPECT_TRUE(client.Wait(absl::Minutes(1)).ok());
    for (const char* each : {"Server01", "Server02"}) {
      fleet_.WaitFor({"computers", each, "-o", "json"}, "COMPUTER_STATE_ONLINE",
                     absl::Minutes(1));
    }
  }

  std::vector<pid_t> Holders() {
    std::vector<pid_t> holders;
    for (const v1::Session& session : staying_) {
      const auto identity = holder::ReadIdentityFile(
          absl::StrCat(fleet_.AgentDirectory(session.computer()), "/sessions/",
                       session.instance_id(), "/holder"));
      if (identity.ok()) holders.push_back(identity->pid);
    }
    return holders;
  }

  // Waits until only those that stay are there, and counts.
  void Count(absl::Duration at) {
    for (const v1::Session& session : fleet_.Sessions({})) {
      if (session.id() > kStaying) fleet_.Run({"rm", session.instance_id()});
    }
    const std::vector<pid_t> holders = Holders();
    census_.Add(at, "broker", UsageOf({fleet_.BrokerPid()}));
    census_.Add(at, "agent", UsageOf({fleet_.AgentPid("Server01")}));
    census_.Add(at, "keeper", UsageOf({fleet_.KeeperPid()}));
    census_.Add(at, "10 holders", UsageOf(holders));
    double processes = 0;
    double files = 0;
    for (const pid_t holder : holders) processes += ProcessLives(holder);
    for (const v1::Session& session : staying_) {
      processes += static_cast<double>(
          ProcessesOfSession(static_cast<pid_t>(session.shell_pid())).size());
    }
    for (const char* folder : {"/broker", "/Server01", "/Server02"}) {
      files += FilesIn(fleet_.directory() + folder);
    }
    census_.Add(at, "processes of the 10 sessions", processes);
    census_.Add(at, "files of broker and agents", files);
    census_.Add(at, "sessions listed",
                static_cast<double>(fleet_.Sessions({}).size()));
  }

  Fleet fleet_{{"Server01", "Server02"}};
  std::vector<v1::Session> staying_;
  std::mt19937 random_;
  Census census_;
};

TEST_F(SoakTest, NothingGrowsThatShouldNot) {
  const absl::Duration length =
      absl::Seconds(FromEnvironment("BERTH_SOAK_SECONDS", 15));
  const unsigned seed =
      FromEnvironment("BERTH_SUITE_SEED", std::random_device()());
  random_.seed(seed);
  SCOPED_TRACE(absl::StrCat("BERTH_SUITE_SEED=", seed));
  const absl::Time start = absl::Now();
  const auto passed = [&] { return absl::Now() - start; };
  int uses = 0;
  int breaks = 0;
  // In the first half everything is killed; in the second, broker, one agent
  // and one keeper live on, and what they have is watched.
  while (passed() < length && !HasFailure()) {
    for (int i = 0; i < 20; ++i, ++uses) Use();
    Break(/*all=*/passed() < length / 2);
    ++breaks;
    Count(passed());
  }
  const auto growth = census_.GrowthSince(length / 2 + length / 20);
  const std::string report = absl::StrCat(
      "In ", absl::FormatDuration(absl::Trunc(passed(), absl::Seconds(1))),
      ": ", uses, " uses, ", breaks,
      " faults. Counted over the second half, while only the 10 sessions that "
      "stay are there:\n\n",
      Census::Format(growth));
  printf("%s\n", report.c_str());
  if (const char* file = getenv("BERTH_SOAK_REPORT"); file != nullptr) {
    WriteTextFile(file, report);
  }
  for (int i = 1; i <= kStaying; ++i) {
    const std::string id = absl::StrCat(i);
    EXPECT_EQ(fleet_.Run({"run", "-s", id, "--", "echo $kept"}), id + "\n");
  }
  for (const auto& [what, each] : growth) {
    if (what.find("memory") != std::string::npos ||
        what.find("files") != std::string::npos) {
      continue;  // Logs have segments, and memory is not given back at once.
    }
    EXPECT_LE(each.last, each.first + kSlack) << what;
  }
}

}  // namespace
}  // namespace berth::testing

// A whole fleet comes at once, and comes back when its broker was stopped or
// killed. With BERTH_LONG=1: 5,000 agents with 20 sessions each.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/broker/fleet_fixture.h"
#include "tests/load/simulator.h"

namespace berth::testing {
namespace {

class StormTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    bob_ = UserCertificate("bob");
    alice_ = UserCertificate("alice");
    rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (agents_ + 1000 > files.rlim_max) {
      GTEST_SKIP() << "this machine allows " << files.rlim_max
                   << " files, too few for " << agents_ << " agents";
    }
  }

  // Starts the broker again, on the port it had.
  void Restart() {
    auto started = Process::Start({.argv = {getenv("BROKER_BINARY"), "serve",
                                            broker_dir_, "--listen", target_},
                                   .stderr_path = dir_.path() + "/broker.log"});
    ASSERT_TRUE(started.ok()) << started.status();
    broker_.emplace(*std::move(started));
    ASSERT_TRUE(broker_->WaitForLine("ready port=", absl::Seconds(60)).ok());
  }

  // Only a few may be let in at a time, so that many must wait.
  void SetLimits(int starting, int waiting) {
    const std::string path = broker_dir_ + "/broker.toml";
    // In front: at the end they would belong to the last table.
    std::string text = absl::StrCat("links_starting = ", starting,
                                    "\nlinks_waiting = ", waiting, "\n");
    for (absl::string_view line : absl::StrSplit(ReadTextFile(path), '\n')) {
      if (!absl::StartsWith(line, "links_")) absl::StrAppend(&text, line, "\n");
    }
    std::ofstream(path) << text;
  }

  std::unique_ptr<Simulator> Simulate() {
    auto ca = CertificateAuthority::Load(
        ca_pem(), ReadTextFile(broker_dir_ + "/ca-key.pem"));
    EXPECT_TRUE(ca.ok()) << ca.status();
    auto simulator = Simulator::Create(
        *ca, {.broker = target_, .agents = agents_, .sessions = sessions_});
    EXPECT_TRUE(simulator.ok()) << simulator.status();
    return *std::move(simulator);
  }

  // Lists the sessions of a user, as `berth ls` does. Returns how many there
  // are in `state`.
  size_t List(const Certificate& user, v1::SessionState state) {
    v1::ListSessionsRequest request;
    request.add_states(state);
    grpc::ClientContext context;
    SetDeadline(&context);
    context.set_wait_for_ready(true);
    auto stub = v1::Sessions::NewStub(Channel(user));
    auto reader = stub->ListSessions(&context, request);
    v1::ListSessionsResponse page;
    size_t count = 0;
    while (reader->Read(&page)) count += page.sessions_size();
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return count;
  }

  // Waits until all agents are linked, and lists the few sessions of one user
  // all the time. Returns the longest that a list took.
  absl::Duration ListUntilAllAreLinked(Simulator& simulator) {
    absl::Duration longest;
    const absl::Time deadline = absl::Now() + absl::Seconds(120);
    do {
      const absl::Time start = absl::Now();
      List(bob_, v1::SESSION_STATE_BROKEN);
      longest = std::max(longest, absl::Now() - start);
      EXPECT_LT(absl::Now(), deadline)
          << simulator.counts().linked << " of " << agents_ << " are linked";
      if (absl::Now() > deadline) break;
    } while (
        !simulator.WaitForLinked(agents_, agents_, absl::Milliseconds(50)));
    return longest;
  }

  const bool long_ = getenv("BERTH_LONG") != nullptr;
  const size_t agents_ = long_ ? 5000 : 200;
  const size_t sessions_ = long_ ? 20 : 5;
  // One of every 50th agent is bob's.
  const size_t bobs_ = agents_ / 50;
  Certificate bob_;
  Certificate alice_;
};

TEST_F(StormTest, AllComeBackAndListsGoOnMeanwhile) {
  StopBroker();
  SetLimits(4, 100);
  Restart();
  const auto simulator = Simulate();
  ASSERT_NE(simulator, nullptr);
  // All at once, as if a switch came up.
  absl::Time start = absl::Now();
  simulator->Start(absl::ZeroDuration());
  ListUntilAllAreLinked(*simulator);
  printf("all linked after %s\n",
         absl::FormatDuration(absl::Now() - start).c_str());
  const size_t all = agents_ * sessions_;
  EXPECT_EQ(List(bob_, v1::SESSION_STATE_DISCONNECTED), bobs_);
  EXPECT_EQ(List(alice_, v1::SESSION_STATE_DISCONNECTED), all - bobs_);

  // Stopped in order: everybody is told when to come back, and keeps to it.
  size_t told = simulator->counts().pushed_back;
  StopBroker();
  ASSERT_TRUE(simulator->WaitForLinked(0, 0, absl::Seconds(60)));
  Restart();
  absl::Duration longest = ListUntilAllAreLinked(*simulator);
  told = simulator->counts().pushed_back - told;
  EXPECT_GE(told, agents_ * 9 / 10);  // Some may have been cut off before.
  EXPECT_EQ(simulator->counts().early, 0u);

  // Killed: nobody is told anything.
  EXPECT_EQ(broker_->StopWith(SIGKILL), 128 + SIGKILL);
  ASSERT_TRUE(simulator->WaitForLinked(0, 0, absl::Seconds(60)));
  start = absl::Now();
  Restart();
  longest = std::max(longest, ListUntilAllAreLinked(*simulator));
  printf("all back %s after the start, longest list %s\n",
         absl::FormatDuration(absl::Now() - start).c_str(),
         absl::FormatDuration(longest).c_str());
  EXPECT_EQ(List(bob_, v1::SESSION_STATE_DISCONNECTED), bobs_);
  EXPECT_EQ(List(alice_, v1::SESSION_STATE_DISCONNECTED), all - bobs_);
  EXPECT_EQ(simulator->counts().early, 0u);
}

TEST_F(StormTest, NoMoreAreLetInAtATimeThanAllowed) {
  StopBroker();
  SetLimits(1, 1);
  Restart();
  const auto simulator = Simulate();
  ASSERT_NE(simulator, nullptr);
  simulator->Start(absl::ZeroDuration());
  ASSERT_TRUE(simulator->WaitForLinked(agents_, agents_, absl::Seconds(120)));
  EXPECT_EQ(simulator->counts().early, 0u);
  StopBroker();
  const std::string log = ReadTextFile(dir_.path() + "/broker.log");
  const std::string want = "at most 1 at a time";
  EXPECT_TRUE(absl::StrContains(log, want)) << log.substr(log.size() - 500);
}

}  // namespace
}  // namespace berth::testing

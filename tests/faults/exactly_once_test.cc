// A command whose start was sent once runs once, whatever breaks between the
// client and the shell, and at whatever step.

#include <signal.h>
#include <stdio.h>

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/tls/credentials.h"
#include "base/uuid.h"
#include "gtest/gtest.h"
#include "tests/faults/api_client.h"
#include "tests/faults/fault_plan.h"
#include "tests/faults/faulty_fleet.h"
#include "tests/faults/pause_listener.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

class ExactlyOnceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { InitTls(); }

  ExactlyOnceTest() : counter_(fleet_.directory() + "/counter") {
    session_ = NewSession();
    api_.emplace(fleet_, session_);
  }

  // The instance id of a session that nobody holds.
  std::string NewSession() {
    fleet_.Run({"new", "-c", FaultyFleet::kComputer, "--name",
                absl::StrCat("s", ++sessions_)});
    fleet_.Run({"disconnect", absl::StrCat("s", sessions_)});
    return fleet_.Session(absl::StrCat("s", sessions_)).instance_id();
  }

  // Counts itself, says so, and ends with 3.
  std::string Counter(const std::string& id) const {
    return absl::StrCat("printf '%s\\n' ", id, " >>", counter_,
                        "; echo counted; (exit 3)");
  }

  // How often each command has run.
  std::map<std::string, int> Counts() {
    std::map<std::string, int> counts;
    const std::string text = ReadTextFile(counter_);
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (!line.empty()) ++counts[std::string(line)];
    }
    return counts;
  }

  void ExpectRanOnce(const std::string& id, const ApiClient::Result& result) {
    EXPECT_TRUE(result.status.ok())
        << result.status.error_code() << " " << result.status.error_message();
    EXPECT_EQ(result.ended.exit_code(), 3);
    EXPECT_EQ(result.out, "counted\n");
    EXPECT_EQ(Counts()[id], 1);
  }

  // Runs the counter while the agent, or the broker, that is killed at `point`
  // is started again.
  void RunKilledAt(const std::string& point, bool agent) {
    SCOPED_TRACE(point);
    const std::string points = absl::StrCat(point, "=kill");
    agent ? fleet_.RestartAgent(points) : fleet_.RestartBroker(points);
    std::thread healer([&] {
      const int code = agent ? fleet_.WaitAgentEnd(FaultyFleet::kComputer)
                             : fleet_.WaitBrokerEnd();
      EXPECT_EQ(code, 128 + SIGKILL) << "it was not killed";
      if (code < 0) return;
      agent ? fleet_.StartAgent(FaultyFleet::kComputer) : fleet_.StartBroker();
    });
    const std::string id = NewUuid();
    const ApiClient::Result result = api_->Run(id, Counter(id));
    healer.join();
    ExpectRanOnce(id, result);
    fleet_.WaitOnline();
  }

  FaultyFleet fleet_;
  const std::string counter_;
  int sessions_ = 0;
  std::string session_;
  std::optional<ApiClient> api_;
};

// What breaks, and when, is drawn; each command has up to three such attempts.
TEST_F(ExactlyOnceTest, CommandsRunOnceThroughForcedDisconnections) {
  enum Kind { kLeave, kNewClient, kCutClient, kCutAgent, kKinds };
  const uint64_t seed = FaultSeed();
  SCOPED_TRACE(absl::StrCat("replay with BERTH_FAULT_SEED=", seed));
  FaultRandom random(seed);
  const int commands = IsLong() ? 1000 : 40;
  std::vector<std::string> ids;
  int disconnections = 0;
  const absl::Time start = absl::Now();
  for (int i = 0; i < commands; ++i) {
    struct Planned {
      Kind kind;
      int step;
      bool soon;  // After a moment, wherever that is, instead.
      absl::Duration moment;
    };
    std::vector<Planned> plan;
    for (uint64_t n = 1 + random.Below(3); n > 0; --n) {
      plan.push_back({static_cast<Kind>(random.Below(kKinds)),
                      static_cast<int>(random.Below(4)), random.Below(2) == 0,
                      absl::Microseconds(random.Below(4000))});
    }
    bool renew = false;
    std::vector<std::thread> later;
    auto perform = [&](Kind kind) {
      ++disconnections;
      if (kind == kCutClient) fleet_.client_link().Cut();
      if (kind == kCutAgent) fleet_.agent_link().Cut();
      if (kind == kNewClient) renew = true;
      return kind == kLeave || kind == kNewClient;
    };
    auto disturb = [&](int attempt, int step) {
      if (attempt >= static_cast<int>(plan.size())) return false;
      const Planned& planned = plan[attempt];
      if (planned.soon) {
        // A client that leaves does so at a step; links break at any time.
        if (step != 0) return false;
        if (planned.kind == kLeave || planned.kind == kNewClient) {
          absl::SleepFor(planned.moment);
          return perform(planned.kind);
        }
        ++disconnections;
        later.emplace_back([&, planned] {
          absl::SleepFor(planned.moment);
          (planned.kind == kCutClient ? fleet_.client_link()
                                      : fleet_.agent_link())
              .Cut();
        });
        return false;
      }
      return step == planned.step && perform(planned.kind);
    };
    const std::string id = ids.emplace_back(NewUuid());
    const absl::Time deadline = absl::Now() + absl::Minutes(1);
    ApiClient::Result result;
    // As Run(), with a new client where the plan says so.
    do {
      if (std::exchange(renew, false)) api_->Reconnect();
      api_->Attempt(id, Counter(id), result, disturb);
    } while (!result.status.ok() && absl::Now() < deadline &&
             (result.status.error_code() == grpc::StatusCode::UNAVAILABLE ||
              result.status.error_code() == grpc::StatusCode::CANCELLED));
    for (std::thread& thread : later) thread.join();
    EXPECT_TRUE(result.status.ok())
        << "command " << i << ": " << result.status.error_code() << " "
        << result.status.error_message();
    EXPECT_EQ(result.ended.exit_code(), 3) << "command " << i;
    EXPECT_EQ(result.out, "counted\n") << "command " << i;
    if (HasFailure()) return;
  }
  const auto counts = Counts();
  EXPECT_EQ(counts.size(), ids.size());
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 1) << id;
  printf("%d commands, %d disconnections, %.1f s, seed %llu\n", commands,
         disconnections, absl::ToDoubleSeconds(absl::Now() - start),
         static_cast<unsigned long long>(seed));
}

TEST_F(ExactlyOnceTest, AgentMayDieAtEveryStep) {
  for (const char* point : {"agent.run.got_start", "agent.run.before_holder",
                            "agent.run.after_holder", "agent.run.after_answer",
                            "agent.run.before_output", "agent.run.before_end",
                            "agent.run.before_ack"}) {
    RunKilledAt(point, /*agent=*/true);
  }
}

TEST_F(ExactlyOnceTest, BrokerMayDieAtEveryStep) {
  for (const char* point :
       {"broker.relay.got_start", "broker.relay.forwarded_start",
        "broker.relay.got_output", "broker.relay.forwarded_output"}) {
    RunKilledAt(point, /*agent=*/false);
  }
}

// Nobody sends the start of a killed `berth` again, so it may not have arrived;
// once its output has come it has run, and once only.
TEST_F(ExactlyOnceTest, ClientMayDieAtEveryStep) {
  int client = 0;
  for (const char* point : {"cli.run.sent_start", "cli.run.got_output",
                            "cli.run.before_exit", "cli.run.before_ack"}) {
    SCOPED_TRACE(point);
    const std::string id = NewUuid();
    fleet_.SetPausePoints(absl::StrCat(point, "=kill"));
    const auto run = fleet_.Berth({"run", "-s", session_, "--", Counter(id)},
                                  "", absl::StrCat("phone", ++client));
    fleet_.SetPausePoints("");
    EXPECT_EQ(run.exit_code, 125) << run.err;
    EXPECT_TRUE(absl::StrContains(run.err, "the keeper ended unexpectedly"))
        << run.err;
    // Nobody holds the session any more, and nothing runs in it.
    fleet_.WaitFor({"ls", session_, "-o", "jsonl"},
                   "SESSION_AVAILABILITY_NONE");
    const std::string next = NewUuid();
    ExpectRanOnce(next, api_->Run(next, Counter(next)));
    if (std::string(point) == "cli.run.sent_start") {
      EXPECT_LE(Counts()[id], 1);
    } else {
      EXPECT_EQ(Counts()[id], 1);
    }
  }
}

// With its holder a session ends, and all that can be known of a command is in
// the journal.
TEST_F(ExactlyOnceTest, WhatCantBeKnownOfACommandWhoseHolderDiedIsUnknown) {
  using How = v1::CommandEnded;
  struct Case {
    const char* point;
    std::optional<How::How> how;  // None: it was never taken.
    int fewest;
    int most;
  };
  for (const Case& expected : {
           Case{"holder.run.got_start", std::nullopt, 0, 0},
           Case{"holder.run.reserved", How::NOT_STARTED, 0, 0},
           Case{"holder.run.recorded", How::UNKNOWN, 0, 0},
           Case{"holder.run.sent", How::UNKNOWN, 0, 1},
           Case{"holder.run.started", How::UNKNOWN, 0, 1},
           Case{"holder.run.before_end", How::UNKNOWN, 1, 1},
           Case{"holder.run.ended", How::COMPLETED, 1, 1},
       }) {
    SCOPED_TRACE(expected.point);
    fleet_.RestartAgent(absl::StrCat(expected.point, "=kill"));
    ApiClient api(fleet_, NewSession());
    const std::string id = NewUuid();
    // The first learns it as it happens, the second is told from the journal.
    for (int i = 0; i < 2; ++i) {
      const ApiClient::Result result = api.Run(id, Counter(id));
      if (!expected.how) {
        EXPECT_EQ(result.status.error_code(),
                  grpc::StatusCode::FAILED_PRECONDITION)
            << result.status.error_message();
        continue;
      }
      EXPECT_TRUE(result.status.ok()) << result.status.error_message();
      EXPECT_EQ(result.ended.how(), *expected.how) << result.ended.detail();
      EXPECT_EQ(result.ended.detail().empty(), *expected.how == How::COMPLETED);
    }
    EXPECT_GE(Counts()[id], expected.fewest);
    EXPECT_LE(Counts()[id], expected.most);
  }
}

TEST_F(ExactlyOnceTest, RetriedStartAttachesWhileTheFirstIsOnItsWay) {
  PauseListener listener(fleet_.directory() + "/pause");
  fleet_.RestartAgent(absl::StrCat("agent.run.after_holder=", listener.path()));
  const std::string id = NewUuid();
  ApiClient::Result first;
  std::thread waiting([&] { api_->Attempt(id, Counter(id), first); });
  PauseListener::Paused paused = listener.Wait();
  EXPECT_TRUE(absl::StartsWith(paused.line, "agent.run.after_holder "))
      << paused.line;
  // The holder has it, and nobody was told.
  ApiClient::Result second;
  api_->Attempt(id, Counter(id), second);
  ExpectRanOnce(id, second);
  paused.connection.reset();
  waiting.join();
  ExpectRanOnce(id, first);
  const ApiClient::Result again = api_->Run(id, Counter(id));
  EXPECT_TRUE(again.attached);
  ExpectRanOnce(id, again);
}

TEST_F(ExactlyOnceTest, SameIdWithAnotherTextIsRefused) {
  const std::string id = NewUuid();
  ExpectRanOnce(id, api_->Run(id, Counter(id)));
  auto expect_refused = [&] {
    const ApiClient::Result other = api_->Run(id, "echo another");
    EXPECT_EQ(other.status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
    EXPECT_TRUE(absl::StrContains(other.status.error_message(), id));
    EXPECT_TRUE(absl::StrContains(other.status.error_message(),
                                  "another text; use a new id"))
        << other.status.error_message();
  };
  expect_refused();
  // Also when the session has ended, and its journal is all there is.
  fleet_.Berth({"run", "-s", session_, "--exit-ends-session", "--", "exit"});
  fleet_.WaitForState(session_, v1::SESSION_STATE_CLOSED);
  expect_refused();
  const ApiClient::Result again = api_->Run(id, Counter(id));
  EXPECT_TRUE(again.attached);
  ExpectRanOnce(id, again);
}

}  // namespace
}  // namespace berth::testing

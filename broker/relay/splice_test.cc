#include "broker/relay/splice.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/cond_var.h"

namespace berth::broker {
namespace {

// Notes what the splice wants of a stream; the test answers.
class FakeLeg : public Splice::Leg {
 public:
  void BeginRead(int slot) override { reads.push_back(slot); }
  void BeginWrite(int slot) override { writes.push_back(slot); }
  void Cancel() override { cancelled = true; }
  void End(const absl::Status& status) override { ended = status; }

  std::vector<int> reads;
  std::vector<int> writes;
  bool cancelled = false;
  std::optional<absl::Status> ended;
};

class SpliceTest : public ::testing::Test {
 protected:
  void Join() {
    splice_.Start();
    ASSERT_TRUE(splice_.Join(&agent_));
  }
  // A response arrives and is written to the client.
  void PassResponse() {
    splice_.ReadDone(Splice::kAgent, true, 10);
    splice_.WriteDone(Splice::kClient, true);
  }

  FakeLeg client_;
  FakeLeg agent_;
  Splice splice_{&client_};
};

TEST_F(SpliceTest, ReadsAheadUntilItsSlotsAreFull) {
  splice_.Start();
  for (int i = 0; i < Splice::kSlots; ++i) {
    splice_.ReadDone(Splice::kClient, true, 10);
  }
  EXPECT_EQ(client_.reads, (std::vector<int>{0, 1, 2, 3}));
  ASSERT_TRUE(splice_.Join(&agent_));
  EXPECT_EQ(agent_.writes, (std::vector<int>{0}));
  splice_.WriteDone(Splice::kAgent, true);
  EXPECT_EQ(client_.reads.back(), 0);
  EXPECT_EQ(agent_.writes.back(), 1);
}

TEST_F(SpliceTest, ReadsAheadUntilTooManyBytesWait) {
  splice_.Start();
  splice_.ReadDone(Splice::kClient, true, Splice::kMaxBytes);
  EXPECT_EQ(client_.reads.size(), 1u);
}

TEST_F(SpliceTest, HalfCloseFollowsTheLastRequest) {
  Join();
  splice_.ReadDone(Splice::kClient, true, 10);
  splice_.ReadDone(Splice::kClient, false, 0);
  EXPECT_EQ(agent_.writes, (std::vector<int>{0}));
  splice_.WriteDone(Splice::kAgent, true);
  EXPECT_EQ(agent_.writes, (std::vector<int>{0, Splice::kHalfCloseSlot}));
  splice_.WriteDone(Splice::kAgent, true);
  EXPECT_FALSE(agent_.ended.has_value());
}

TEST_F(SpliceTest, EmptyRequestsAreNotTakenForAHalfClose) {
  Join();
  splice_.ReadDone(Splice::kClient, true, 0);
  EXPECT_TRUE(agent_.writes.empty());
  EXPECT_EQ(client_.reads.size(), 2u);
}

TEST_F(SpliceTest, EndsAfterVerdictAndLastResponse) {
  Join();
  splice_.ReadDone(Splice::kAgent, true, 10);
  splice_.SetVerdict(absl::AbortedError("busy"), std::nullopt);
  splice_.ReadDone(Splice::kAgent, false, 0);
  EXPECT_FALSE(client_.ended.has_value());  // A response is being written.
  splice_.WriteDone(Splice::kClient, true);
  EXPECT_EQ(client_.ended, absl::AbortedError("busy"));
  EXPECT_EQ(agent_.ended, absl::OkStatus());
}

TEST_F(SpliceTest, CountedResponsesNeedNoHalfClose) {
  Join();
  PassResponse();
  splice_.SetVerdict(absl::OkStatus(), 2);
  EXPECT_FALSE(client_.ended.has_value());
  PassResponse();
  EXPECT_EQ(client_.ended, absl::OkStatus());
}

TEST_F(SpliceTest, MissingResponsesAreNoSuccess) {
  Join();
  PassResponse();
  splice_.SetVerdict(absl::OkStatus(), 2);
  splice_.ReadDone(Splice::kAgent, false, 0);
  ASSERT_TRUE(client_.ended.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*client_.ended));
}

TEST_F(SpliceTest, VerdictWithoutResponsesNeedsNoStream) {
  splice_.Start();
  splice_.SetVerdict(absl::NotFoundError("gone"), 0);
  EXPECT_EQ(client_.ended, absl::NotFoundError("gone"));
  EXPECT_FALSE(splice_.Join(&agent_));
}

TEST_F(SpliceTest, ClientThatGoesAwayCancelsAWriteToTheAgent) {
  Join();
  splice_.ReadDone(Splice::kClient, true, 10);
  splice_.Cancelled(Splice::kClient);
  EXPECT_TRUE(client_.ended.has_value());
  EXPECT_TRUE(agent_.cancelled);
  EXPECT_FALSE(agent_.ended.has_value());  // Its write is in flight.
  splice_.WriteDone(Splice::kAgent, false);
  ASSERT_TRUE(agent_.ended.has_value());
  EXPECT_TRUE(absl::IsCancelled(*agent_.ended));
}

TEST_F(SpliceTest, ClientThatGoesAwayEndsAfterItsWrite) {
  Join();
  splice_.ReadDone(Splice::kAgent, true, 10);
  splice_.Cancelled(Splice::kClient);
  EXPECT_FALSE(client_.ended.has_value());
  splice_.WriteDone(Splice::kClient, false);
  EXPECT_TRUE(client_.ended.has_value());
}

TEST_F(SpliceTest, FailureComesAfterWhatTheAgentHasSent) {
  Join();
  splice_.ReadDone(Splice::kAgent, true, 10);
  splice_.Fail(absl::UnavailableError("link lost"));
  EXPECT_FALSE(client_.ended.has_value());
  EXPECT_EQ(agent_.ended, absl::UnavailableError("link lost"));
  splice_.WriteDone(Splice::kClient, true);
  EXPECT_EQ(client_.ended, absl::UnavailableError("link lost"));
}

// A locked user's stream ended with OK: the agent, whose side had been ended
// with the failure, said that all was well while its last response was on its
// way to the client.
TEST_F(SpliceTest, NoVerdictMakesASuccessOfAFailure) {
  Join();
  splice_.ReadDone(Splice::kAgent, true, 10);
  splice_.Fail(absl::PermissionDeniedError("locked"));
  splice_.ReadDone(Splice::kAgent, false, 0);
  splice_.SetVerdict(absl::OkStatus(), 1);
  splice_.WriteDone(Splice::kClient, true);
  EXPECT_EQ(client_.ended, absl::PermissionDeniedError("locked"));
}

TEST_F(SpliceTest, NothingIsAskedOfAStreamThatEnded) {
  Join();
  splice_.Cancelled(Splice::kClient);
  const size_t reads = client_.reads.size() + agent_.reads.size();
  splice_.ReadDone(Splice::kClient, false, 0);
  splice_.ReadDone(Splice::kAgent, true, 10);
  splice_.SetVerdict(absl::OkStatus(), std::nullopt);
  splice_.Fail(absl::UnavailableError("late"));
  EXPECT_EQ(client_.reads.size() + agent_.reads.size(), reads);
  EXPECT_TRUE(client_.writes.empty());
}

// A stream whose operations end on a thread of its own, in order, like those
// of a network that never fails until it is told to.
class ThreadedLeg : public Splice::Leg {
 public:
  ThreadedLeg(Splice::Side side, int messages) : side_(side), left_(messages) {}
  // Waits for the end of the stream.
  void Wait() { thread_.join(); }

  void Start(Splice* splice) {
    splice_ = splice;
    thread_ = std::thread([this] { Work(); });
  }

  void BeginRead(int) override {
    Push([this] {
      const bool ok = left_-- > 0;
      splice_->ReadDone(side_, ok, ok ? 1000 : 0);
    });
  }
  void BeginWrite(int slot) override {
    Push([this, slot] {
      if (slot >= 0) ++written_;
      splice_->WriteDone(side_, true);
    });
  }
  void Cancel() override {}
  void End(const absl::Status&) override {
    Push([this] { ended_ = true; });
  }

  int written() const { return written_; }

 private:
  void Push(std::function<void()> work) {
    MutexLock lock(mu_);
    work_.push_back(std::move(work));
    changed_.NotifyOne();
  }
  void Work() {
    while (!ended_) {
      std::function<void()> work;
      {
        MutexLock lock(mu_);
        while (work_.empty()) changed_.Wait(mu_);
        work = std::move(work_.front());
        work_.pop_front();
      }
      work();
    }
  }

  Splice* splice_ = nullptr;
  const Splice::Side side_;
  std::atomic<int> left_;
  std::atomic<int> written_ = 0;
  std::atomic<bool> ended_ = false;
  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> work_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

// Two streams and their splice, which outlives them.
struct Rig {
  explicit Rig(int requests, int responses)
      : client(Splice::kClient, requests),
        agent(Splice::kAgent, responses),
        splice(&client) {
    client.Start(&splice);
    agent.Start(&splice);
  }

  ThreadedLeg client;
  ThreadedLeg agent;
  Splice splice;
};

TEST(SpliceStressTest, PassesEverythingWhileVerdictAndJoinRace) {
  for (int round = 0; round < 50; ++round) {
    auto rig = std::make_unique<Rig>(200, 300);
    std::thread join([&] { EXPECT_TRUE(rig->splice.Join(&rig->agent)); });
    std::thread verdict([&] { rig->splice.SetVerdict(absl::OkStatus(), 300); });
    rig->splice.Start();
    join.join();
    verdict.join();
    rig->client.Wait();
    rig->agent.Wait();
    EXPECT_EQ(rig->client.written(), 300);
  }
}

TEST(SpliceStressTest, CancelAtAnyMomentEndsBothStreams) {
  for (int round = 0; round < 50; ++round) {
    auto rig = std::make_unique<Rig>(1 << 30, 1 << 30);
    ASSERT_TRUE(rig->splice.Join(&rig->agent));
    rig->splice.Start();
    std::thread cancel([&] { rig->splice.Cancelled(Splice::kClient); });
    cancel.join();
    rig->client.Wait();
    rig->agent.Wait();
  }
}

}  // namespace
}  // namespace berth::broker

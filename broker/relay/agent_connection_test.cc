#include "broker/relay/agent_connection.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "broker/registry/registry.h"
#include "broker/relay/agents.h"

namespace berth::broker {
namespace {

class FakeSink : public ControlOutbox::Sink {
 public:
  void BeginWrite(const link::v1::BrokerMessage& message) override {
    written.push_back(message);
  }
  void Cancel() override { cancelled = true; }
  void End(const absl::Status& status) override { ended = status; }

  std::vector<link::v1::BrokerMessage> written;
  bool cancelled = false;
  std::optional<absl::Status> ended;
};

class FakeCall : public AgentConnection::Call {
 public:
  void OnEnded(const link::v1::CallEnded&, const absl::Status& s) override {
    ended = s;
  }
  void OnLinkLost(const absl::Status& s) override { lost = s; }

  std::optional<absl::Status> ended, lost;
};

class AgentConnectionTest : public ::testing::Test {
 protected:
  uint64_t LastRequestId() {
    return sink_.written.back().request().request_id();
  }

  FakeSink sink_;
  Timer timer_;
  std::shared_ptr<ControlOutbox> outbox_ =
      std::make_shared<ControlOutbox>(&sink_);
  std::shared_ptr<AgentConnection> connection_ =
      std::make_shared<AgentConnection>("web01", outbox_, timer_);
};

TEST_F(AgentConnectionTest, HandsTheReplyToWhoAsked) {
  absl::StatusOr<link::v1::Reply> answer = absl::UnknownError("none yet");
  connection_->Ask({}, absl::Seconds(10), [&](auto reply) { answer = reply; });
  link::v1::Reply reply;
  reply.set_request_id(LastRequestId() + 1);
  connection_->OnReply(reply);  // Nobody's.
  EXPECT_FALSE(answer.ok());
  reply.set_request_id(LastRequestId());
  connection_->OnReply(reply);
  EXPECT_TRUE(answer.ok());
}

TEST_F(AgentConnectionTest, ReplyWithACodeIsAStatus) {
  absl::Status answer;
  connection_->Ask({}, absl::Seconds(10),
                   [&](auto reply) { answer = reply.status(); });
  link::v1::Reply reply;
  reply.set_request_id(LastRequestId());
  reply.set_code(9);
  reply.set_message("held by bob");
  connection_->OnReply(reply);
  EXPECT_EQ(answer, absl::FailedPreconditionError("held by bob"));
}

TEST_F(AgentConnectionTest, SilenceEndsInDeadlineExceeded) {
  Mutex mu;
  CondVar cv;
  std::optional<absl::Status> answer;
  connection_->Ask({}, absl::Milliseconds(20), [&](auto reply) {
    MutexLock lock(mu);
    answer = reply.status();
    cv.NotifyAll();
  });
  MutexLock lock(mu);
  while (!answer.has_value()) ASSERT_FALSE(cv.WaitFor(mu, absl::Seconds(20)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(*answer));
  EXPECT_EQ(answer->message(), "computer 'web01' did not answer within 20ms");
}

TEST_F(AgentConnectionTest, CloseEndsEverythingInProgress) {
  absl::Status answer;
  connection_->Ask({}, absl::Seconds(10),
                   [&](auto reply) { answer = reply.status(); });
  auto call = std::make_shared<FakeCall>();
  ASSERT_TRUE(connection_->OpenCall({}, call).ok());
  connection_->Close(absl::OkStatus(), absl::UnavailableError("lost"));
  EXPECT_EQ(answer, absl::UnavailableError("lost"));
  EXPECT_EQ(call->lost, absl::UnavailableError("lost"));
  EXPECT_TRUE(sink_.cancelled);
  EXPECT_FALSE(sink_.ended.has_value());  // A write is in flight.
  outbox_->WriteDone(false);
  EXPECT_EQ(sink_.ended, absl::OkStatus());
  EXPECT_TRUE(absl::IsUnavailable(connection_->OpenCall({}, call).status()));
}

TEST_F(AgentConnectionTest, ForgottenCallIsCancelledAtTheAgent) {
  auto call = std::make_shared<FakeCall>();
  auto id = connection_->OpenCall({}, call);
  ASSERT_TRUE(id.ok());
  outbox_->WriteDone(true);
  EXPECT_EQ(connection_->FindCall(*id), call);
  connection_->ForgetCall(*id, /*cancel=*/true);
  EXPECT_EQ(connection_->FindCall(*id), nullptr);
  EXPECT_EQ(sink_.written.back().cancel_call().call_id(), *id);
  link::v1::CallEnded ended;
  ended.set_call_id(*id);
  connection_->OnCallEnded(ended);  // Late: nobody hears of it.
  EXPECT_FALSE(call->ended.has_value());
}

TEST_F(AgentConnectionTest, AgentThatDoesNotReadIsCutOff) {
  link::v1::OpenCall open;
  open.set_first_message(std::string(4 << 20, 'x'));
  absl::Status status;
  int opened = 0;
  while (status.ok() && opened < 100) {
    status = connection_->OpenCall(open, std::make_shared<FakeCall>()).status();
    ++opened;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_LE(opened, 9);
  EXPECT_TRUE(sink_.cancelled);
}

TEST_F(AgentConnectionTest, ReplacedLinkSpeaksNoLonger) {
  Registry registry;
  Agents agents(registry);
  ComputerRecord record;
  agents.Add(connection_, {}, &record);
  FakeSink newer_sink;
  auto newer = std::make_shared<AgentConnection>(
      "web01", std::make_shared<ControlOutbox>(&newer_sink), timer_);
  agents.Add(newer, {}, &record);
  ASSERT_TRUE(sink_.ended.has_value());
  EXPECT_TRUE(absl::IsAborted(*sink_.ended));
  EXPECT_FALSE(agents.Remove(*connection_).has_value());
  EXPECT_TRUE(registry.GetReachability("web01")->online);
  EXPECT_EQ(agents.Find("web01"), newer);
  EXPECT_TRUE(agents.Remove(*newer).has_value());
  EXPECT_FALSE(registry.GetReachability("web01")->online);
}

}  // namespace
}  // namespace berth::broker

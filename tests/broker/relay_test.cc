// A real berth-broker between a client and a fake agent: Run's way through it.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "base/uuid.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

class RelayTest : public FleetFixture {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::RunRequest, v1::CommandEvent>;

  void SetUp() override {
    FleetFixture::SetUp();
    admin_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
  }
  void TearDown() override {
    agent_.reset();
    admin_.reset();
    context_.reset();  // It keeps its channel alive.
    FleetFixture::TearDown();
  }

  // An agent "web01" with one session of the administrator's, id 1.
  void StartAgent(FakeAgent::CallHandler handler = nullptr) {
    v1::Session session;
    session.set_instance_id(NewUuid());
    session.set_id(1);
    session.set_name("web");
    session.set_owner("admin");
    session.mutable_activity()->set_kind(v1::Activity::IDLE);
    agent_ = std::make_unique<FakeAgent>(Channel(AgentCertificate("web01")),
                                         std::vector<v1::Session>{session},
                                         std::move(handler));
    ASSERT_TRUE(agent_->WaitForWelcome());
    WaitForState(v1::COMPUTER_STATE_ONLINE);
  }

  // Waits until the broker says that web01 is in `state`.
  void WaitForState(v1::ComputerState state) {
    auto computers = v1::Computers::NewStub(Channel(AdminCertificate()));
    v1::ListComputersResponse response;
    for (int i = 0; i < 2000; ++i) {
      grpc::ClientContext context;
      SetDeadline(&context);
      ASSERT_TRUE(computers->ListComputers(&context, {}, &response).ok());
      if (response.computers_size() == 1 &&
          response.computers(0).state() == state) {
        return;
      }
    }
    FAIL() << response.DebugString();
  }

  std::unique_ptr<Stream> Run(uint32_t id = 1) {
    context_ = std::make_unique<grpc::ClientContext>();
    SetDeadline(context_.get());
    auto stream = admin_->Run(context_.get());
    v1::RunRequest first;
    first.mutable_open()->mutable_session()->set_id(id);
    first.mutable_start()->set_script("first");
    stream->Write(first);
    return stream;
  }

  // Reads a stream to its end.
  static grpc::Status Drain(std::unique_ptr<Stream> stream) {
    v1::CommandEvent event;
    while (stream->Read(&event)) {
    }
    return stream->Finish();
  }

  std::unique_ptr<v1::Sessions::Stub> admin_;
  std::unique_ptr<FakeAgent> agent_;
  std::unique_ptr<grpc::ClientContext> context_;
};

// The frames are echoed: RunRequest.stdin (3) comes back as `started`, which
// has the same field number and shape enough to be parsed.
TEST_F(RelayTest, SplicesBothWaysAndPassesHalfCloseOn) {
  StartAgent();
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  for (int i = 0; i < 100; ++i) {
    v1::RunRequest request;
    request.mutable_interrupt()->set_command_id(std::to_string(i));
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&event));
    // Interrupt (4) comes back where StdinCredit is.
    ASSERT_EQ(event.event_case(), v1::CommandEvent::kStdinCredit);
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&event));
  grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(RelayTest, AgentsVerdictReachesTheClientWhetherItOvertakesOrNot) {
  StartAgent([](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    agent.EndCall(open.call_id(),
                  grpc::Status(grpc::StatusCode::ABORTED, "busy"), 1);
    auto stream = agent.OpenStream(&context, open.call_id());
    stream->Write({});
    stream->WritesDone();
    stream->Finish();
  });
  for (int i = 0; i < 20; ++i) {
    grpc::Status status = Drain(Run());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
    EXPECT_EQ(status.error_message(), "busy");
  }
}

TEST_F(RelayTest, VerdictWithoutAStreamEndsTheCall) {
  StartAgent([](FakeAgent& agent, const link::v1::OpenCall& open) {
    agent.EndCall(open.call_id(),
                  grpc::Status(grpc::StatusCode::NOT_FOUND, "no such command"),
                  std::nullopt);
  });
  EXPECT_EQ(Drain(Run()).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(RelayTest, ResponsesThatAreMissingAreNoSuccess) {
  StartAgent([](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    auto stream = agent.OpenStream(&context, open.call_id());
    stream->Write({});
    stream->WritesDone();
    agent.EndCall(open.call_id(), grpc::Status::OK, 2);
    stream->Finish();
  });
  grpc::Status status = Drain(Run());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("broke before"), std::string::npos);
}

TEST_F(RelayTest, CancelReachesTheAgentsStream) {
  grpc::Status seen;
  StartAgent([&](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    auto stream = agent.OpenStream(&context, open.call_id());
    link::v1::CallFrame frame;
    frame.ParseFromString(open.first_message());
    stream->Write(frame);
    while (stream->Read(&frame)) {
    }
    seen = stream->Finish();
  });
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  context_->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  agent_->JoinCalls();
  EXPECT_EQ(seen.error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(RelayTest, CancelBeforeTheAgentsStreamIsTold) {
  StartAgent([](FakeAgent&, const link::v1::OpenCall&) {});
  for (int i = 0; i < 5; ++i) {
    auto stream = Run();
    context_->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  auto stream = Run();  // Surely told the agent once it times out.
  grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("within 10 s"), std::string::npos);
  EXPECT_TRUE(agent_->WaitForCancelled(1));
}

TEST_F(RelayTest, AgentLostEndsTheStreamAndTheSessionIsBroken) {
  StartAgent();
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  agent_->Break();
  EXPECT_FALSE(stream->Read(&event));
  grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("lives on"), std::string::npos)
      << status.error_message();
  agent_.reset();
  WaitForState(v1::COMPUTER_STATE_OFFLINE);
  status = Drain(Run());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("'web01' is offline since"),
            std::string::npos)
      << status.error_message();
  grpc::ClientContext context;
  SetDeadline(&context);
  auto list = admin_->ListSessions(&context, {});
  v1::ListSessionsResponse page;
  ASSERT_TRUE(list->Read(&page));
  EXPECT_EQ(page.sessions(0).state(), v1::SESSION_STATE_BROKEN);
  EXPECT_TRUE(page.sessions(0).has_broken_since());
}

TEST_F(RelayTest, FirstFrameMustOpenAndNameASession) {
  StartAgent();
  grpc::ClientContext context;
  SetDeadline(&context);
  auto stream = admin_->Run(&context);
  v1::RunRequest request;
  request.mutable_start()->set_script("x");
  stream->Write(request);
  EXPECT_EQ(stream->Finish().error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  grpc::Status status = Drain(Run(9));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no session '9'; see `berth ls`");
}

TEST_F(RelayTest, OversizedMessageEndsItsStreamAlone) {
  StartAgent();
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  v1::RunRequest request;
  request.mutable_stdin()->set_data(std::string(5 << 20, 'x'));
  stream->Write(request);
  while (stream->Read(&event)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
  auto next = Run();
  EXPECT_TRUE(next->Read(&event));
}

size_t ResidentKib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    size_t kib;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

TEST_F(RelayTest, ClientThatStopsReadingBoundsTheBrokersMemory) {
  Mutex mu;
  CondVar stuck_cv;
  bool stuck = false;
  StartAgent([&](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    auto stream = agent.OpenStream(&context, open.call_id());
    v1::CommandEvent event;
    event.mutable_output()->set_data(std::string(256 << 10, 'x'));
    link::v1::CallFrame frame;
    frame.ParseFromString(event.SerializeAsString());
    // 256 MiB, if somebody took them all.
    std::thread watch([&] {
      MutexLock lock(mu);
      stuck_cv.WaitFor(mu, absl::Seconds(2));
      stuck = true;
      stuck_cv.NotifyAll();
    });
    int written = 0;
    while (written < 1024 && stream->Write(frame)) ++written;
    EXPECT_LT(written, 1024);
    watch.join();
    stream->Finish();
  });
  const size_t before = ResidentKib(broker_->pid());
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  {
    MutexLock lock(mu);
    while (!stuck) stuck_cv.WaitFor(mu, absl::Seconds(1));
  }
  EXPECT_LT(ResidentKib(broker_->pid()), before + (48 << 10));
  context_->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(RelayTest, GoesDownWhileStreamsAreOpen) {
  StartAgent();
  auto stream = Run();
  v1::CommandEvent event;
  ASSERT_TRUE(stream->Read(&event));
  StopBroker();  // Expects exit status 0.
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(agent_->WaitForEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(
      agent_->context().GetServerTrailingMetadata().count("retry-pushback"),
      1u);
}

TEST_F(RelayTest, NewerControlReplacesTheOlder) {
  const Certificate certificate = AgentCertificate("web01");
  FakeAgent older(Channel(certificate));
  ASSERT_TRUE(older.WaitForWelcome());
  FakeAgent newer(Channel(certificate));
  ASSERT_TRUE(newer.WaitForWelcome());
  EXPECT_EQ(older.WaitForEnd().error_code(), grpc::StatusCode::ABORTED);
  WaitForState(v1::COMPUTER_STATE_ONLINE);
}

}  // namespace
}  // namespace berth::testing

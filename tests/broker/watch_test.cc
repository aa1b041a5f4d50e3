// WatchSessions of a real berth-broker.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using Event = v1::SessionEvent;

std::string Uuid(int n) {
  return "00000000-0000-4000-8000-00000000000" + std::to_string(n);
}

v1::Session Session(int n) {
  v1::Session session;
  session.set_instance_id(Uuid(n));
  session.set_id(n);
  session.set_name("s" + std::to_string(n));
  session.set_owner("admin");
  session.mutable_activity()->set_kind(v1::Activity::IDLE);
  return session;
}

class WatchTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    stub_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
    certificate_ = AgentCertificate("web01");
    StartAgent({Session(1)});
  }
  void TearDown() override {
    agent_.reset();
    stub_.reset();
    FleetFixture::TearDown();
  }

  void StartAgent(std::vector<v1::Session> sessions) {
    agent_ =
        std::make_unique<FakeAgent>(Channel(certificate_), std::move(sessions));
    ASSERT_TRUE(agent_->WaitForWelcome());
  }

  void Report(const v1::Session& session) {
    link::v1::AgentMessage message;
    *message.mutable_session()->mutable_session() = session;
    agent_->Send(message);
  }

  // A stream, and what it says next.
  struct Watch {
    Watch(v1::Sessions::Stub& stub, const v1::WatchSessionsRequest& request) {
      SetDeadline(&context);
      reader = stub.WatchSessions(&context, request);
    }
    // "KNOWN 1", "synced", or the status if it ended.
    std::string Next() {
      v1::WatchSessionsResponse response;
      if (!reader->Read(&response)) {
        return "ended: " + reader->Finish().error_message();
      }
      if (response.synced()) return "synced";
      session = response.event().session();
      return Event::Kind_Name(response.event().kind()) + " " +
             std::to_string(session.id());
    }
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchSessionsResponse>> reader;
    v1::Session session;
  };

  std::unique_ptr<v1::Sessions::Stub> stub_;
  Certificate certificate_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(WatchTest, FollowsTheLifeOfASession) {
  Report(Session(2));
  v1::WatchSessionsRequest request;
  Watch watch(*stub_, request);
  // The report may come before the watch or after it.
  std::string first = watch.Next();
  if (first == "synced") {
    EXPECT_EQ(watch.Next(), "CREATED 1");
    EXPECT_EQ(watch.Next(), "CREATED 2");
  } else {
    EXPECT_EQ(first, "KNOWN 1");
    const std::string second = watch.Next();
    if (second == "synced") {
      EXPECT_EQ(watch.Next(), "CREATED 2");
    } else {
      EXPECT_EQ(second, "KNOWN 2");
      EXPECT_EQ(watch.Next(), "synced");
    }
  }
  v1::Session busy = Session(2);
  busy.mutable_activity()->set_kind(v1::Activity::COMMAND);
  busy.mutable_activity()->set_command_id(Uuid(9));
  Report(busy);
  EXPECT_EQ(watch.Next(), "STARTED 2");
  EXPECT_EQ(watch.session.availability(), v1::SESSION_AVAILABILITY_BUSY);
  v1::Session done = Session(2);
  done.mutable_last_command()->set_command_id(Uuid(9));
  done.mutable_last_command()->set_exit_code(3);
  Report(done);
  EXPECT_EQ(watch.Next(), "ENDED 2");
  EXPECT_EQ(watch.session.last_command().exit_code(), 3);
  link::v1::AgentMessage gone;
  gone.mutable_gone()->set_instance_id(Uuid(2));
  agent_->Send(gone);
  EXPECT_EQ(watch.Next(), "REMOVED 2");
}

TEST_F(WatchTest, TellsThatAComputerWentAndCameBack) {
  v1::WatchSessionsRequest request;
  Watch watch(*stub_, request);
  for (std::string seen; seen != "KNOWN 1" && seen != "CREATED 1";) {
    seen = watch.Next();
  }
  agent_->Break();
  std::string next = watch.Next();
  if (next == "synced") next = watch.Next();
  EXPECT_EQ(next, "BROKEN 1");
  EXPECT_EQ(watch.session.state(), v1::SESSION_STATE_BROKEN);
  agent_.reset();
  StartAgent({Session(1)});
  EXPECT_EQ(watch.Next(), "HEALED 1");
  EXPECT_EQ(watch.session.state(), v1::SESSION_STATE_DISCONNECTED);
}

TEST_F(WatchTest, RefusesWhatMatchesNothing) {
  v1::WatchSessionsRequest request;
  request.add_selectors("7");
  EXPECT_EQ(Watch(*stub_, request).Next(),
            "ended: no session '7'; see `berth ls`");
  request.set_selectors(0, "3..1");
  EXPECT_EQ(Watch(*stub_, request).reader->Finish().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WatchTest, BoundsTheWatchersOfAUser) {
  std::vector<std::unique_ptr<Watch>> watches;
  v1::WatchSessionsRequest request;
  request.add_selectors("x*");
  for (int i = 0; i < 64; ++i) {
    watches.push_back(std::make_unique<Watch>(*stub_, request));
    ASSERT_EQ(watches.back()->Next(), "synced");
  }
  EXPECT_EQ(Watch(*stub_, request).Next(),
            "ended: user 'admin' has 64 of 64 watchers; end some first");
}

}  // namespace
}  // namespace berth::testing

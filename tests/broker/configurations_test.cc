// What a real berth-broker knows of configurations, and what it passes on of
// sessions' settings.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/uuid.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

class ConfigurationsTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    Connect();
    certificate_ = AgentCertificate("web01");
    StartAgent();
  }
  void TearDown() override {
    agent_.reset();
    sessions_.reset();
    computers_.reset();
    FleetFixture::TearDown();
  }

  void Connect() {
    sessions_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
    computers_ = v1::Computers::NewStub(Channel(AdminCertificate()));
  }

  void StartAgent() {
    agent_ = std::make_unique<FakeAgent>(Channel(*certificate_));
    ASSERT_TRUE(agent_->WaitForWelcome());
    ASSERT_TRUE(WaitFor([&] { return List({}).size() == 1; }));
  }

  template <typename Condition>
  bool WaitFor(const Condition& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!condition() && absl::Now() < deadline) {
    }
    return condition();
  }

  std::vector<v1::Configuration> List(const std::vector<std::string>& names,
                                      grpc::StatusCode code = {}) {
    v1::ListConfigurationsRequest request;
    request.mutable_computers()->Assign(names.begin(), names.end());
    v1::ListConfigurationsResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    const grpc::Status status =
        computers_->ListConfigurations(&context, request, &response);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    return {response.configurations().begin(), response.configurations().end()};
  }

  void SendConfigurations(const std::vector<v1::Configuration>& all) {
    link::v1::AgentMessage message;
    message.mutable_configurations_changed()->mutable_configurations()->Assign(
        all.begin(), all.end());
    agent_->Send(message);
  }

  grpc::Status Create(v1::CreateSessionRequest request,
                      v1::Session* session = nullptr) {
    request.set_computer("web01");
    v1::CreateSessionResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    grpc::Status status =
        sessions_->CreateSession(&context, request, &response);
    if (session != nullptr) *session = response.session();
    return status;
  }

  std::vector<v1::Session> ListSessions() {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = sessions_->ListSessions(&context, {});
    std::vector<v1::Session> all;
    v1::ListSessionsResponse page;
    while (stream->Read(&page)) {
      all.insert(all.end(), page.sessions().begin(), page.sessions().end());
    }
    EXPECT_TRUE(stream->Finish().ok());
    return all;
  }

  static v1::Configuration Named(const std::string& name) {
    v1::Configuration configuration;
    configuration.set_name(name);
    configuration.set_enabled(true);
    configuration.mutable_max_idle_timeout()->set_seconds(3600);
    return configuration;
  }

  std::unique_ptr<v1::Sessions::Stub> sessions_;
  std::unique_ptr<v1::Computers::Stub> computers_;
  std::optional<Certificate> certificate_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(ConfigurationsTest, AreKnownOfComputersThatAreAwayAndOverARestart) {
  v1::Configuration build = Named("build");
  build.set_description("For builds");
  build.set_is_default(true);
  (*build.mutable_limits())["memory"] = "1GiB";
  SendConfigurations({build, Named("other")});
  ASSERT_TRUE(WaitFor([&] { return List({}).size() == 2; }));
  agent_.reset();
  StopBroker();
  StartBroker();
  Connect();
  const auto listed = List({"web*"});
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].computer(), "web01");
  EXPECT_EQ(listed[0].name(), "build");
  EXPECT_EQ(listed[0].description(), "For builds");
  EXPECT_EQ(listed[0].limits().at("memory"), "1GiB");
  EXPECT_TRUE(listed[0].is_default());
  EXPECT_EQ(listed[1].name(), "other");
  EXPECT_TRUE(List({"db*"}).empty());
  List({"db1"}, grpc::StatusCode::NOT_FOUND);
  // What its agent says counts.
  StartAgent();
  EXPECT_EQ(List({})[0].name(), "default");
}

TEST_F(ConfigurationsTest, DecideWhatSessionsCanBeMade) {
  v1::Configuration off = Named("off");
  off.set_enabled(false);
  v1::Configuration broken = Named("broken");
  broken.set_enabled(false);
  broken.set_problem("broken.toml:3: 'x' is unknown");
  v1::Configuration free = Named("free");
  free.set_may_never_idle(true);
  SendConfigurations({off, broken, free, Named("bound")});
  ASSERT_TRUE(WaitFor([&] { return List({}).size() == 4; }));
  v1::CreateSessionRequest request;
  request.set_configuration("off");
  grpc::Status status = Create(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(absl::StrContains(status.error_message(),
                                "berth-agent configuration enable off"));
  request.set_configuration("broken");
  EXPECT_TRUE(absl::StrContains(Create(request).error_message(),
                                "broken.toml:3: 'x' is unknown"));
  request.set_configuration("bound");
  request.set_never_idles(true);
  EXPECT_EQ(Create(request).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  request.mutable_idle_timeout()->set_seconds(90);
  EXPECT_EQ(Create(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_never_idles(false);
  request.mutable_idle_timeout()->set_seconds(3601);
  EXPECT_EQ(Create(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.set_configuration("free");
  request.set_never_idles(true);
  request.set_buffering(v1::BUFFERING_MODE_DROP);
  request.set_cwd("/srv");
  v1::Session session;
  ASSERT_TRUE(Create(request, &session).ok());
  EXPECT_TRUE(session.never_idles());
  EXPECT_EQ(session.buffering(), v1::BUFFERING_MODE_DROP);
  EXPECT_EQ(session.cwd(), "/srv");
}

TEST_F(ConfigurationsTest, SettingsChangeWhenASessionIsLeftAndTakenUp) {
  ASSERT_TRUE(Create({}).ok());
  v1::ConnectSessionRequest connect;
  connect.mutable_session()->set_id(1);
  connect.mutable_client()->set_id(NewUuid());
  connect.mutable_idle_timeout()->set_seconds(59);
  v1::ConnectSessionResponse connected;
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    EXPECT_EQ(
        sessions_->ConnectSession(&context, connect, &connected).error_code(),
        grpc::StatusCode::INVALID_ARGUMENT);
  }
  connect.mutable_idle_timeout()->set_seconds(600);
  connect.set_buffering(v1::BUFFERING_MODE_DROP);
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ASSERT_TRUE(sessions_->ConnectSession(&context, connect, &connected).ok());
  }
  EXPECT_EQ(connected.session().idle_timeout().seconds(), 600);
  EXPECT_EQ(connected.session().buffering(), v1::BUFFERING_MODE_DROP);
  v1::DisconnectSessionRequest disconnect;
  disconnect.mutable_session()->set_id(1);
  *disconnect.mutable_client() = connect.client();
  disconnect.set_never_idles(true);
  disconnect.set_buffering(v1::BUFFERING_MODE_BLOCK);
  v1::DisconnectSessionResponse disconnected;
  grpc::ClientContext context;
  SetDeadline(&context);
  ASSERT_TRUE(
      sessions_->DisconnectSession(&context, disconnect, &disconnected).ok());
  EXPECT_TRUE(disconnected.session().never_idles());
  EXPECT_EQ(disconnected.session().buffering(), v1::BUFFERING_MODE_BLOCK);
}

TEST_F(ConfigurationsTest, TemporarySessionIsListedOnceItsClientIsLost) {
  v1::CreateSessionRequest request;
  request.set_temporary(true);
  EXPECT_EQ(Create(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT)
      << "it is for nobody";
  request.mutable_client()->set_id(NewUuid());
  v1::Session session;
  ASSERT_TRUE(Create(request, &session).ok());
  EXPECT_TRUE(session.temporary());
  EXPECT_EQ(session.holder().client().id(), request.client().id());
  EXPECT_TRUE(ListSessions().empty());
  // Its client never opens a call: after the grace it is let go of.
  ASSERT_TRUE(WaitFor([&] { return ListSessions().size() == 1; }));
  EXPECT_EQ(ListSessions()[0].state(), v1::SESSION_STATE_DISCONNECTED);
  EXPECT_FALSE(ListSessions()[0].temporary());
}

TEST_F(ConfigurationsTest, ComputersCanBeChosenByLabel) {
  const auto count = [&](std::vector<std::string> labels) {
    v1::ListComputersRequest request;
    request.mutable_labels()->Assign(labels.begin(), labels.end());
    v1::ListComputersResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    EXPECT_TRUE(computers_->ListComputers(&context, request, &response).ok());
    return response.computers_size();
  };
  EXPECT_EQ(count({"role"}), 1);
  EXPECT_EQ(count({"role=test"}), 1);
  EXPECT_EQ(count({"role=t*"}), 1);
  EXPECT_EQ(count({"role=db"}), 0);
  EXPECT_EQ(count({"role", "site"}), 0);
}

}  // namespace
}  // namespace berth::testing

// A real berth-broker, asked by clients and agents, good and bad.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/tls/certificates.h"
#include "base/uuid.h"
#include "grpcpp/generic/generic_stub.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

class ServicesTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    admin_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
  }
  void TearDown() override {
    agent_.reset();
    admin_.reset();
    FleetFixture::TearDown();
  }

  void StartAgent(const std::string& name,
                  std::vector<v1::Session> sessions = {}) {
    if (!certificate_.has_value()) certificate_ = AgentCertificate(name);
    agent_ = std::make_unique<FakeAgent>(Channel(*certificate_),
                                         std::move(sessions));
    ASSERT_TRUE(agent_->WaitForWelcome());
    // The welcome is sent just before the computer counts as online.
    auto computers = v1::Computers::NewStub(Channel(AdminCertificate()));
    v1::ListComputersResponse response;
    do {
      grpc::ClientContext context;
      SetDeadline(&context);
      ASSERT_TRUE(computers->ListComputers(&context, {}, &response).ok());
    } while (response.computers_size() == 0 ||
             response.computers(0).state() != v1::COMPUTER_STATE_ONLINE);
  }

  grpc::Status Create(v1::CreateSessionRequest request, v1::Session* session) {
    request.set_computer("web01");
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::CreateSessionResponse response;
    grpc::Status status = admin_->CreateSession(&context, request, &response);
    *session = response.session();
    return status;
  }

  grpc::Status List(const v1::ListSessionsRequest& request,
                    std::vector<v1::Session>* sessions) {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = admin_->ListSessions(&context, request);
    v1::ListSessionsResponse page;
    sessions->clear();
    while (stream->Read(&page)) {
      sessions->insert(sessions->end(), page.sessions().begin(),
                       page.sessions().end());
    }
    return stream->Finish();
  }

  std::unique_ptr<v1::Sessions::Stub> admin_;
  std::optional<Certificate> certificate_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(ServicesTest, CreatesListsAndRemovesSessions) {
  StartAgent("web01");
  v1::Session first, second, third;
  ASSERT_TRUE(Create({}, &first).ok());
  EXPECT_EQ(first.id(), 1u);
  EXPECT_EQ(first.name(), "Session1");
  EXPECT_EQ(first.computer(), "web01");
  EXPECT_EQ(first.state(), v1::SESSION_STATE_DISCONNECTED);
  v1::CreateSessionRequest request;
  request.set_name("web");
  request.set_instance_id(NewUuid());
  ASSERT_TRUE(Create(request, &second).ok());
  EXPECT_EQ(second.id(), 2u);
  // Sent again, it finds the same session.
  ASSERT_TRUE(Create(request, &third).ok());
  EXPECT_EQ(third.instance_id(), second.instance_id());
  EXPECT_EQ(agent_->sessions().size(), 2u);

  std::vector<v1::Session> sessions;
  ASSERT_TRUE(List({}, &sessions).ok());
  EXPECT_EQ(sessions.size(), 2u);
  v1::ListSessionsRequest list;
  list.add_selectors("WEB");
  list.add_selectors("7");
  grpc::Status status = List(list, &sessions);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no session '7'; see `berth ls`");
  EXPECT_EQ(sessions.size(), 1u);

  grpc::ClientContext context;
  SetDeadline(&context);
  v1::RemoveSessionRequest remove;
  v1::RemoveSessionResponse removed;
  remove.mutable_session()->set_name("web");
  ASSERT_TRUE(admin_->RemoveSession(&context, remove, &removed).ok());
  EXPECT_EQ(removed.session().id(), 2u);
  ASSERT_TRUE(List({}, &sessions).ok());
  EXPECT_EQ(sessions.size(), 1u);
}

TEST_F(ServicesTest, RefusesBadRequestsByName) {
  StartAgent("web01");
  v1::Session session;
  v1::CreateSessionRequest request;
  request.mutable_idle_timeout()->set_seconds(59);
  grpc::Status status = Create(request, &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "idle timeout 59s is too short: at least 1m");
  request.mutable_idle_timeout()->set_seconds(86401);
  EXPECT_TRUE(absl::StrContains(Create(request, &session).error_message(),
                                "above the maximum"));
  request.Clear();
  request.set_configuration("gpu");
  status = Create(request, &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(),
            "computer 'web01' has no configuration 'gpu'; it has: default");
  request.Clear();
  (*request.mutable_environment())["LD_PRELOAD"] = "x";
  EXPECT_EQ(Create(request, &session).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.set_name("12");
  EXPECT_EQ(Create(request, &session).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);

  grpc::ClientContext context;
  SetDeadline(&context);
  v1::CreateSessionResponse response;
  request.Clear();
  request.set_computer("db9");
  status = admin_->CreateSession(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no computer 'db9'; see `berth computers`");
}

TEST_F(ServicesTest, AmbiguousNameAsksForAnId) {
  StartAgent("web01");
  v1::Session session;
  v1::CreateSessionRequest create;
  create.set_name("web");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Create(create, &session).ok());
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::RemoveSessionRequest remove;
  v1::RemoveSessionResponse removed;
  remove.mutable_session()->set_name("web");
  grpc::Status status = admin_->RemoveSession(&context, remove, &removed);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(),
            "name 'web' fits 3 sessions: 1, 2, 3; use an id");
}

TEST_F(ServicesTest, ClientThatLeavesLetsGoAfterTheGrace) {
  StartAgent("web01");
  v1::Client client;
  client.set_id(NewUuid());
  grpc::ClientContext hold_context;
  auto hold = admin_->Hold(&hold_context);
  v1::HoldRequest hello;
  *hello.mutable_client() = client;
  v1::HoldResponse present;
  ASSERT_TRUE(hold->Write(hello) && hold->Read(&present));
  EXPECT_TRUE(present.present());

  v1::CreateSessionRequest create;
  *create.mutable_client() = client;
  v1::Session session;
  ASSERT_TRUE(Create(create, &session).ok());
  EXPECT_EQ(session.state(), v1::SESSION_STATE_OPENED);
  EXPECT_EQ(session.availability(), v1::SESSION_AVAILABILITY_AVAILABLE);

  // Another client sees it, and is kept out.
  v1::ConnectSessionRequest connect;
  connect.mutable_session()->set_id(1);
  connect.mutable_client()->set_id(NewUuid());
  v1::ConnectSessionResponse connected;
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    EXPECT_EQ(
        admin_->ConnectSession(&context, connect, &connected).error_code(),
        grpc::StatusCode::FAILED_PRECONDITION);
  }
  const absl::Time left = absl::Now();
  hold_context.TryCancel();
  hold->Finish();
  v1::ListSessionsRequest list;
  *list.mutable_client() = client;
  std::vector<v1::Session> sessions;
  do {
    ASSERT_TRUE(List(list, &sessions).ok());
  } while (sessions[0].has_holder() && absl::Now() - left < absl::Seconds(20));
  EXPECT_FALSE(sessions[0].has_holder());
  EXPECT_GE(absl::Now() - left, absl::Milliseconds(1900));
}

TEST_F(ServicesTest, LostRegistryIsRebuiltFromTheAgents) {
  StartAgent("web01");
  v1::Session session;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Create({}, &session).ok());
  const std::vector<v1::Session> sessions = agent_->sessions();
  agent_.reset();
  admin_.reset();
  StopBroker();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    remove((broker_dir_ + "/registry.db" + suffix).c_str());
  }
  StartBroker();
  admin_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
  StartAgent("web01", sessions);
  std::vector<v1::Session> listed;
  ASSERT_TRUE(List({}, &listed).ok());
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[2].id(), 3u);
  EXPECT_EQ(listed[2].owner(), "admin");
  ASSERT_TRUE(Create({}, &session).ok());
  EXPECT_EQ(session.id(), 4u);
}

TEST_F(ServicesTest, CopyMadeWhileServingIsOneMomentsRegistry) {
  StartAgent("web01");
  // Sessions are made all the time, so every copy falls into some write.
  std::atomic<bool> stop = false;
  std::atomic<uint32_t> made = 0;
  std::thread maker([&] {
    v1::Session session;
    while (!stop && Create({}, &session).ok()) made = session.id();
  });
  const std::string copy = dir_.path() + "/copy";
  uint32_t before = 0;
  for (int i = 0; i < 5; ++i) {
    std::filesystem::remove_all(copy);
    before = made;
    auto finished = testing::Process::Run(
        {.argv = {getenv("BROKER_BINARY"), "backup", broker_dir_, copy}});
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_EQ(finished->exit_code, 0) << finished->err;
  }
  stop = true;
  maker.join();
  auto again = testing::Process::Run(
      {.argv = {getenv("BROKER_BINARY"), "backup", broker_dir_, copy}});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->exit_code, 1) << "it overwrote a copy";
  EXPECT_TRUE(absl::StrContains(again->err, copy)) << again->err;
  const Certificate admin = AdminCertificate();
  agent_.reset();
  admin_.reset();
  StopBroker();
  broker_dir_ = copy;
  StartBroker();
  admin_ = v1::Sessions::NewStub(Channel(admin));
  std::vector<v1::Session> listed;
  ASSERT_TRUE(List({}, &listed).ok());
  // All that were acknowledged before the copy began, without a hole.
  ASSERT_GE(listed.size(), before);
  for (size_t i = 0; i < listed.size(); ++i) EXPECT_EQ(listed[i].id(), i + 1);
}

TEST_F(ServicesTest, RestartRemembersSessionsOfOfflineComputers) {
  StartAgent("web01");
  v1::Session session;
  ASSERT_TRUE(Create({}, &session).ok());
  agent_.reset();
  admin_.reset();
  StopBroker();
  StartBroker();
  admin_ = v1::Sessions::NewStub(Channel(AdminCertificate()));
  std::vector<v1::Session> listed;
  ASSERT_TRUE(List({}, &listed).ok());
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].state(), v1::SESSION_STATE_BROKEN);
  grpc::Status status = Create({}, &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.error_message(),
                                "computer 'web01' is offline since "));
}

TEST_F(ServicesTest, TokensAreForOneEnrolmentOfOneName) {
  Certificate certificate;
  const std::string token = NewToken("web*");
  grpc::Status status = Enroll(token, "db1", &certificate);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "named 'web*'"));
  // Not spent by the misfit, but by the next.
  EXPECT_TRUE(Enroll(token, "web1", &certificate).ok());
  status = Enroll(token, "web2", &certificate);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(
      absl::StrContains(status.error_message(), "used already, by 'web1'"));
  status = Enroll("made-up", "web3", &certificate);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "not known"));
}

TEST_F(ServicesTest, OnlineComputerCantBeEnrolledAgain) {
  StartAgent("web01");
  Certificate certificate;
  grpc::Status status = Enroll(NewToken(), "web01", &certificate);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(ServicesTest, AgentRenewsItsOwnCertificate) {
  const Certificate certificate = AgentCertificate("web01");
  link::v1::RenewRequest request;
  request.set_csr_pem(*NewCsrPem(certificate.key_pem));
  link::v1::RenewResponse response;
  grpc::ClientContext context;
  SetDeadline(&context);
  auto link = link::v1::Link::NewStub(Channel(certificate));
  ASSERT_TRUE(link->Renew(&context, request, &response).ok());
  auto identity = CertificateIdentity(response.certificate_pem());
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->name, "web01");
}

// Calls `method` with an empty message, and returns how it ends.
grpc::Status CallEmpty(std::shared_ptr<grpc::Channel> channel,
                       const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  SetDeadline(&context);
  grpc::Slice slice;
  grpc::ByteBuffer request(&slice, 1), response;
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

TEST_F(ServicesTest, EveryMethodTakesTheRightCertificate) {
  auto nobody = Channel(std::nullopt);
  auto user = Channel(UserCertificate("bob"));
  auto agent = Channel(AgentCertificate("web01"));
  auto admin = Channel(AdminCertificate());
  using grpc::StatusCode;
  const std::string health = "/grpc.health.v1.Health/Check";
  const std::string reflection =
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string sessions = "/berth.v1.Sessions/CreateSession";
  const std::string token = "/berth.v1.Admin/CreateJoinToken";
  const std::string renew = "/berth.link.v1.Link/Renew";
  const std::string enroll = "/berth.link.v1.Link/Enroll";
  const std::string unknown = "/berth.v1.Sessions/Nothing";
  struct {
    std::shared_ptr<grpc::Channel> channel;
    std::string method;
    StatusCode code;
  } cases[] = {
      {nobody, health, StatusCode::UNAUTHENTICATED},
      {user, health, StatusCode::OK},
      {agent, health, StatusCode::OK},
      {nobody, reflection, StatusCode::UNAUTHENTICATED},
      {user, reflection, StatusCode::OK},
      {nobody, sessions, StatusCode::UNAUTHENTICATED},
      {agent, sessions, StatusCode::PERMISSION_DENIED},
      {user, sessions, StatusCode::NOT_FOUND},  // No such computer.
      {user, token, StatusCode::PERMISSION_DENIED},
      {agent, token, StatusCode::PERMISSION_DENIED},
      {admin, token, StatusCode::OK},
      {user, renew, StatusCode::PERMISSION_DENIED},
      {nobody, renew, StatusCode::UNAUTHENTICATED},
      {agent, renew, StatusCode::INVALID_ARGUMENT},    // No CSR.
      {nobody, enroll, StatusCode::INVALID_ARGUMENT},  // No name.
      {user, unknown, StatusCode::PERMISSION_DENIED},
      {nobody, unknown, StatusCode::UNAUTHENTICATED},
  };
  for (const auto& c : cases) {
    grpc::Status status = CallEmpty(c.channel, c.method);
    EXPECT_EQ(status.error_code(), c.code)
        << c.method << ": " << status.error_message();
  }
}

TEST_F(ServicesTest, AnotherFleetsCertificateIsRefused) {
  auto other = CertificateAuthority::Create("other");
  const std::string key = *NewPrivateKeyPem();
  const Certificate forged{
      *other->Issue(*NewCsrPem(key), {Purpose::kUser, "admin"}, absl::Hours(1)),
      key};
  grpc::Status status =
      CallEmpty(Channel(forged), "/berth.v1.Computers/ListComputers");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServicesTest, InitRefusesADirectoryThatHasABroker) {
  const std::string ca = ca_pem();
  auto again =
      Process::Run({.argv = {getenv("BROKER_BINARY"), "init", broker_dir_}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->exit_code, 1);
  EXPECT_TRUE(absl::StrContains(again->err, "has a broker already"));
  EXPECT_EQ(ca_pem(), ca);
}

}  // namespace
}  // namespace berth::testing

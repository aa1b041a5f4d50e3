// Whoever is locked out, or whose certificate is revoked, is out at once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "base/tls/certificates.h"
#include "base/uuid.h"
#include "proto/berth/v1/files.grpc.pb.h"
#include "proto/berth/v1/users.grpc.pb.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using ::grpc::StatusCode;
using ::testing::HasSubstr;

constexpr absl::Duration kAtOnce = absl::Seconds(1);

class RevocationTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    alice_ = UserCertificate("alice");
    channel_ = Channel(alice_);
    admin_ = v1::Users::NewStub(Channel(AdminCertificate()));
    agent_certificate_ = AgentCertificate("web01");
    session_.set_instance_id(NewUuid());
    session_.set_id(1);
    session_.set_name("web");
    session_.set_owner("alice");
    session_.mutable_activity()->set_kind(v1::Activity::IDLE);
    agent_ = std::make_unique<FakeAgent>(Channel(agent_certificate_),
                                         std::vector<v1::Session>{session_});
    ASSERT_TRUE(agent_->WaitForWelcome());
  }
  void TearDown() override {
    agent_.reset();
    admin_.reset();
    channel_.reset();
    FleetFixture::TearDown();
  }

  // The status of an ordinary call of alice's, over her open connection.
  grpc::Status Ask() {
    v1::ListComputersResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    return v1::Computers::NewStub(channel_)->ListComputers(&context, {},
                                                           &response);
  }

  void Lock(bool locked) {
    v1::SetUserLockedRequest request;
    request.set_name("alice");
    request.set_locked(locked);
    request.set_reason("laptop stolen");
    v1::SetUserLockedResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    const grpc::Status status =
        admin_->SetUserLocked(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  void Revoke(const v1::RevokeCertificatesRequest& request) {
    v1::RevokeCertificatesResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    const grpc::Status status =
        admin_->RevokeCertificates(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.certificates_size(), 1);
  }

  // Opens a stream of alice's with `first`, and waits for an answer; locks her;
  // and expects that the stream says so.
  template <typename Stream, typename Request, typename Response>
  void ExpectEnds(const char* name, std::unique_ptr<Stream> stream,
                  const Request& first) {
    ASSERT_TRUE(stream->Write(first)) << name;
    Response response;
    ASSERT_TRUE(stream->Read(&response)) << name;
    const absl::Time begin = absl::Now();
    Lock(true);
    while (stream->Read(&response)) {
    }
    const grpc::Status status = stream->Finish();
    EXPECT_LT(absl::Now() - begin, kAtOnce) << name;
    EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED)
        << name << ": " << status.error_message();
    EXPECT_THAT(status.error_message(),
                HasSubstr("user 'alice' is locked since"));
    EXPECT_THAT(status.error_message(), HasSubstr("laptop stolen"));
    // Over the connection that is open, too.
    EXPECT_EQ(Ask().error_code(), StatusCode::PERMISSION_DENIED) << name;
    Lock(false);
    EXPECT_TRUE(Ask().ok()) << name;
  }

  Certificate alice_, agent_certificate_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Users::Stub> admin_;
  v1::Session session_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(RevocationTest, EveryOpenStreamOfALockedUserEnds) {
  const auto sessions = v1::Sessions::NewStub(channel_);
  const auto files = v1::Files::NewStub(channel_);
  v1::RunRequest run;
  run.mutable_open()->mutable_session()->set_id(1);
  run.mutable_start()->set_script("true");
  v1::ReceiveRequest receive;
  receive.mutable_open()->mutable_session()->set_id(1);
  v1::TerminalRequest enter;
  enter.mutable_open()->mutable_session()->set_id(1);
  v1::CopyFrame copy;
  copy.mutable_open()->mutable_session()->set_id(1);
  v1::HoldRequest hold;
  hold.mutable_client()->set_id(NewUuid());
  hold.mutable_client()->set_name("laptop");
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ExpectEnds<grpc::ClientReaderWriter<v1::RunRequest, v1::CommandEvent>,
               v1::RunRequest, v1::CommandEvent>("Run", sessions->Run(&context),
                                                 run);
  }
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ExpectEnds<grpc::ClientReaderWriter<v1::ReceiveRequest, v1::CommandEvent>,
               v1::ReceiveRequest, v1::CommandEvent>(
        "Receive", sessions->Receive(&context), receive);
  }
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = sessions->Enter(&context);
    using Stream = decltype(stream)::element_type;
    ExpectEnds<Stream, v1::TerminalRequest, v1::TerminalEvent>(
        "Enter", std::move(stream), enter);
  }
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = files->Copy(&context);
    using Stream = decltype(stream)::element_type;
    ExpectEnds<Stream, v1::CopyFrame, v1::CopyFrame>("Copy", std::move(stream),
                                                     copy);
  }
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ExpectEnds<grpc::ClientReaderWriter<v1::HoldRequest, v1::HoldResponse>,
               v1::HoldRequest, v1::HoldResponse>(
        "Hold", sessions->Hold(&context), hold);
  }
  // The session is there as before.
  grpc::ClientContext context;
  SetDeadline(&context);
  auto list = sessions->ListSessions(&context, {});
  v1::ListSessionsResponse page;
  ASSERT_TRUE(list->Read(&page));
  EXPECT_EQ(page.sessions(0).instance_id(), session_.instance_id());
  EXPECT_FALSE(list->Read(&page));
  EXPECT_TRUE(list->Finish().ok());
}

TEST_F(RevocationTest, AWatchAndAStreamThatReadsNothingEnd) {
  grpc::ClientContext context;
  SetDeadline(&context);
  const auto sessions = v1::Sessions::NewStub(channel_);
  auto watch = sessions->WatchSessions(&context, {});
  v1::WatchSessionsResponse event;
  ASSERT_TRUE(watch->Read(&event));
  // Sends until nothing more fits on its way: what is echoed is not read.
  grpc::ClientContext silent;
  silent.set_deadline(std::chrono::system_clock::now() +
                      std::chrono::seconds(60));
  auto stream = sessions->Run(&silent);
  v1::RunRequest request;
  request.mutable_open()->mutable_session()->set_id(1);
  request.mutable_start()->set_script(std::string(200'000, 'x'));
  bool sent = true;
  std::thread sends([&] {
    while (stream->Write(request)) {
    }
    sent = false;
  });
  const absl::Time begin = absl::Now();
  Lock(true);
  while (watch->Read(&event)) {
  }
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_LT(absl::Now() - begin, kAtOnce);
  sends.join();
  EXPECT_LT(absl::Now() - begin, kAtOnce);
  EXPECT_FALSE(sent);
  v1::CommandEvent echoed;
  while (stream->Read(&echoed)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(RevocationTest, ARevokedAgentIsCutOffAndMayJoinAgain) {
  grpc::ClientContext context;
  SetDeadline(&context);
  auto run = v1::Sessions::NewStub(channel_)->Run(&context);
  v1::RunRequest request;
  request.mutable_open()->mutable_session()->set_id(1);
  request.mutable_start()->set_script("true");
  v1::CommandEvent event;
  ASSERT_TRUE(run->Write(request) && run->Read(&event));
  v1::RevokeCertificatesRequest revoke;
  revoke.set_computer("web01");
  revoke.set_reason("stolen");
  const absl::Time begin = absl::Now();
  Revoke(revoke);
  const grpc::Status control = agent_->WaitForEnd();
  EXPECT_LT(absl::Now() - begin, kAtOnce);
  EXPECT_EQ(control.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(control.error_message(), HasSubstr("revoked"));
  EXPECT_THAT(control.error_message(), HasSubstr("berth-agent join"));
  // The client is told that the computer is gone, not that it is refused.
  while (run->Read(&event)) {
  }
  EXPECT_EQ(run->Finish().error_code(), StatusCode::UNAVAILABLE);
  FakeAgent refused(Channel(agent_certificate_), {session_});
  EXPECT_EQ(refused.WaitForEnd().error_code(), StatusCode::UNAUTHENTICATED);
  agent_ = std::make_unique<FakeAgent>(Channel(AgentCertificate("web01")),
                                       std::vector<v1::Session>{session_});
  EXPECT_TRUE(agent_->WaitForWelcome());
}

TEST_F(RevocationTest, ItIsStillSoAfterARestart) {
  v1::RevokeCertificatesRequest revoke;
  revoke.set_serial(ReadCertificate(alice_.cert_pem)->serial.substr(0, 8));
  Revoke(revoke);
  EXPECT_EQ(Ask().error_code(), StatusCode::UNAUTHENTICATED);
  admin_.reset();
  agent_.reset();
  StopBroker();
  StartBroker();
  channel_ = Channel(alice_);
  EXPECT_EQ(Ask().error_code(), StatusCode::UNAUTHENTICATED);
  channel_ = Channel(UserCertificate("alice"));
  EXPECT_TRUE(Ask().ok());
}

TEST_F(RevocationTest, ATokenForTwoIsForTwo) {
  v1::CreateJoinTokenRequest create;
  create.set_name_pattern("db*");
  create.set_max_uses(2);
  v1::CreateJoinTokenResponse token;
  const auto admin = v1::Admin::NewStub(Channel(AdminCertificate()));
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ASSERT_TRUE(admin->CreateJoinToken(&context, create, &token).ok());
  }
  Certificate certificate;
  EXPECT_TRUE(Enroll(token.token(), "db1", &certificate).ok());
  EXPECT_FALSE(Enroll(token.token(), "web2", &certificate).ok());
  EXPECT_TRUE(Enroll(token.token(), "db2", &certificate).ok());
  const grpc::Status third = Enroll(token.token(), "db3", &certificate);
  EXPECT_EQ(third.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(third.error_message(), HasSubstr("2 times, last by 'db2'"));
  v1::ListJoinTokensResponse tokens;
  {
    grpc::ClientContext context;
    SetDeadline(&context);
    ASSERT_TRUE(admin->ListJoinTokens(&context, {}, &tokens).ok());
  }
  bool listed = false;
  for (const v1::JoinToken& known : tokens.tokens()) {
    if (known.id() != token.id()) continue;
    listed = true;
    EXPECT_EQ(known.uses(), 2u);
    EXPECT_EQ(known.used_by(), "db2");
  }
  EXPECT_TRUE(listed);
  EXPECT_EQ(tokens.DebugString().find(token.token()), std::string::npos);
}

TEST_F(RevocationTest, ACertificateIsRenewedUpToALimit) {
  const auto users = v1::Users::NewStub(channel_);
  v1::RenewCertificateRequest request;
  const std::string key = *NewPrivateKeyPem();
  request.set_csr_pem(*NewCsrPem(key));
  v1::RenewCertificateResponse response;
  {
    // Well before its end, it is renewed by what has passed: a certificate is
    // as long as the one before.
    absl::SleepFor(absl::Seconds(2));
    grpc::ClientContext context;
    SetDeadline(&context);
    const grpc::Status status =
        users->RenewCertificate(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  const auto renewed = ReadCertificate(response.certificate_pem());
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->identity, (Identity{Purpose::kUser, "alice"}));
  EXPECT_GT(renewed->expires_at, ReadCertificate(alice_.cert_pem)->expires_at);
  channel_ = Channel(Certificate{response.certificate_pem(), key});
  EXPECT_TRUE(Ask().ok());
  // The first administrator's is good for a year, which is over the limit.
  grpc::ClientContext context;
  SetDeadline(&context);
  const grpc::Status refused =
      admin_->RenewCertificate(&context, request, &response);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("max_renewal"));
}

}  // namespace
}  // namespace berth::testing

#include "tests/broker/fleet_fixture.h"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/tls/certificates.h"
#include "base/tls/credentials.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::testing {

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(20));
}

void FleetFixture::SetUp() {
  InitTls();
  auto made =
      Process::Run({.argv = {getenv("BROKER_BINARY"), "init", broker_dir_}});
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_EQ(made->exit_code, 0) << made->err;
  StartBroker();
}

void FleetFixture::TearDown() {
  if (broker_.has_value()) StopBroker();
}

void FleetFixture::StartBroker() {
  auto started =
      Process::Start({.argv = {getenv("BROKER_BINARY"), "serve", broker_dir_,
                               "--listen", "127.0.0.1:0"},
                      .stderr_path = dir_.path() + "/broker.log"});
  ASSERT_TRUE(started.ok()) << started.status();
  broker_.emplace(*std::move(started));
  auto port = broker_->WaitForLine("ready port=");
  ASSERT_TRUE(port.ok()) << port.status();
  target_ = "127.0.0.1:" + *port;
}

void FleetFixture::StopBroker() {
  EXPECT_EQ(broker_->StopWith(SIGTERM), 0);
  broker_.reset();
}

std::string FleetFixture::ca_pem() const {
  return ReadTextFile(broker_dir_ + "/ca.pem");
}

Certificate FleetFixture::AdminCertificate() const {
  return {ReadTextFile(broker_dir_ + "/admin.pem"),
          ReadTextFile(broker_dir_ + "/admin-key.pem")};
}

std::shared_ptr<grpc::Channel> FleetFixture::Channel(
    const std::optional<Certificate>& certificate) {
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const Certificate shown = certificate.value_or(Certificate());
  return grpc::CreateCustomChannel(
      target_, MakeChannelCredentials(ca_pem(), shown.cert_pem, shown.key_pem),
      arguments);
}

Certificate FleetFixture::UserCertificate(const std::string& user) {
  Certificate certificate;
  certificate.key_pem = *NewPrivateKeyPem();
  v1::IssueUserCertificateRequest request;
  request.set_user(user);
  request.set_csr_pem(*NewCsrPem(certificate.key_pem));
  v1::IssueUserCertificateResponse response;
  grpc::ClientContext context;
  SetDeadline(&context);
  grpc::Status status =
      v1::Admin::NewStub(Channel(AdminCertificate()))
          ->IssueUserCertificate(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  certificate.cert_pem = response.certificate_pem();
  return certificate;
}

std::string FleetFixture::NewToken(const std::string& pattern) {
  v1::CreateJoinTokenRequest request;
  request.set_name_pattern(pattern);
  v1::CreateJoinTokenResponse response;
  grpc::ClientContext context;
  SetDeadline(&context);
  grpc::Status status = v1::Admin::NewStub(Channel(AdminCertificate()))
                            ->CreateJoinToken(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.token();
}

grpc::Status FleetFixture::Enroll(const std::string& token,
                                  const std::string& name,
                                  Certificate* certificate) {
  certificate->key_pem = *NewPrivateKeyPem();
  link::v1::EnrollRequest request;
  request.set_token(token);
  request.set_name(name);
  request.set_csr_pem(*NewCsrPem(certificate->key_pem));
  (*request.mutable_labels())["role"] = "test";
  link::v1::EnrollResponse response;
  grpc::ClientContext context;
  SetDeadline(&context);
  grpc::Status status = link::v1::Link::NewStub(Channel(std::nullopt))
                            ->Enroll(&context, request, &response);
  certificate->cert_pem = response.certificate_pem();
  return status;
}

Certificate FleetFixture::AgentCertificate(const std::string& name) {
  Certificate certificate;
  grpc::Status status = Enroll(NewToken(), name, &certificate);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return certificate;
}

}  // namespace berth::testing

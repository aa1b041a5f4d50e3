#include "base/tls/credentials.h"

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/tls/certificates.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/computers.grpc.pb.h"

namespace berth {
namespace {

using v1::Computers;

// Answers with the caller's identity as the name of a computer.
class EchoIdentity final : public Computers::Service {
 public:
  grpc::Status ListComputers(grpc::ServerContext* context,
                             const v1::ListComputersRequest*,
                             v1::ListComputersResponse* response) override {
    auto identity = PeerIdentity(*context->auth_context());
    if (!identity.ok()) {
      return {grpc::StatusCode::UNAUTHENTICATED,
              std::string(identity.status().message())};
    }
    response->add_computers()->set_name(ToUri(*identity));
    return grpc::Status::OK;
  }
};

class CredentialsTest : public testing::Test {
 protected:
  struct Pair {
    std::string cert, key;
  };

  static void SetUpTestSuite() { InitTls(); }

  CredentialsTest() : ca_(CertificateAuthority::Create("test").value()) {}

  Pair Issue(const CertificateAuthority& ca, Identity identity) {
    const std::string key = NewPrivateKeyPem().value();
    return {ca.Issue(NewCsrPem(key).value(), identity, absl::Hours(1)).value(),
            key};
  }

  void Serve(const Pair& pair) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(
        "127.0.0.1:0",
        MakeServerCredentials(ca_.cert_pem(), pair.cert, pair.key), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  // The identity that the server saw, or how the call failed.
  absl::StatusOr<std::string> Call(const Pair& pair) {
    grpc::ChannelArguments arguments;
    SetChannelDefaults(&arguments);
    auto channel = grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port_),
        MakeChannelCredentials(ca_.cert_pem(), pair.cert, pair.key), arguments);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(10));
    v1::ListComputersResponse response;
    grpc::Status status = Computers::NewStub(channel)->ListComputers(
        &context, v1::ListComputersRequest(), &response);
    if (!status.ok()) {
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                          status.error_message());
    }
    return response.computers(0).name();
  }

  CertificateAuthority ca_;
  EchoIdentity service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(CredentialsTest, ServerLearnsWhoTheClientIs) {
  Serve(Issue(ca_, {Purpose::kBroker, "main"}));
  EXPECT_EQ(Call(Issue(ca_, {Purpose::kUser, "alice"})).value(),
            "berth://user/alice");
}

TEST_F(CredentialsTest, ClientWithoutCertificateIsNobody) {
  Serve(Issue(ca_, {Purpose::kBroker, "main"}));
  EXPECT_EQ(Call({}).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(CredentialsTest, CertificateOfAnotherCaIsTurnedAway) {
  Serve(Issue(ca_, {Purpose::kBroker, "main"}));
  auto other = CertificateAuthority::Create("other").value();
  EXPECT_EQ(Call(Issue(other, {Purpose::kUser, "alice"})).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(CredentialsTest, ClientTakesNobodyElseForABroker) {
  for (Purpose purpose : {Purpose::kAgent, Purpose::kUser, Purpose::kGateway}) {
    Serve(Issue(ca_, {purpose, "main"}));
    EXPECT_EQ(Call(Issue(ca_, {Purpose::kUser, "alice"})).status().code(),
              absl::StatusCode::kUnavailable)
        << PurposeName(purpose);
  }
  Serve({ca_.cert_pem(), ca_.key_pem()});
  EXPECT_EQ(Call(Issue(ca_, {Purpose::kUser, "alice"})).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace berth

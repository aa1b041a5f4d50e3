// Whose certificate is good for what: every other one is turned away.

#include "base/tls/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "proto/berth/link/v1/link.grpc.pb.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using ::grpc::StatusCode;
using ::testing::HasSubstr;

class IdentityTest : public FleetFixture {
 protected:
  std::string Path(absl::string_view name) const {
    return absl::StrCat(dir_.path(), "/", name);
  }

  // Signs whatever `extensions` say, as no CA of ours would, with the key of
  // the fleet's CA or with that of `issuer`.
  Certificate Forge(const std::string& extensions,
                    const Certificate* issuer = nullptr) {
    Certificate forged;
    forged.key_pem = *NewPrivateKeyPem();
    WriteTextFile(Path("csr"), *NewCsrPem(forged.key_pem));
    WriteTextFile(Path("extensions"), extensions);
    std::string ca = broker_dir_ + "/ca.pem", key = broker_dir_ + "/ca-key.pem";
    if (issuer != nullptr) {
      ca = Path("issuer.pem");
      key = Path("issuer-key.pem");
      WriteTextFile(ca, issuer->cert_pem);
      WriteTextFile(key, issuer->key_pem);
    }
    auto made = Process::Run(
        {.argv = {"/usr/bin/openssl", "x509", "-req", "-in", Path("csr"), "-CA",
                  ca, "-CAkey", key, "-CAcreateserial", "-days", "1",
                  "-extfile", Path("extensions"), "-out", Path("forged.pem")}});
    EXPECT_TRUE(made.ok() && made->exit_code == 0) << made->err;
    forged.cert_pem = ReadTextFile(Path("forged.pem"));
    if (issuer != nullptr) absl::StrAppend(&forged.cert_pem, issuer->cert_pem);
    return forged;
  }

  // What a user's call, and an agent's, end with.
  grpc::Status AsUser(const Certificate& certificate) {
    v1::ListComputersResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    return v1::Computers::NewStub(Channel(certificate))
        ->ListComputers(&context, v1::ListComputersRequest(), &response);
  }
  grpc::Status AsAgent(const Certificate& certificate) {
    link::v1::RenewRequest request;
    request.set_csr_pem(*NewCsrPem(*NewPrivateKeyPem()));
    link::v1::RenewResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    return link::v1::Link::NewStub(Channel(certificate))
        ->Renew(&context, request, &response);
  }
};

std::string San(const std::string& names) {
  return absl::StrCat("subjectAltName=", names,
                      "\nkeyUsage=critical,digitalSignature\n",
                      "basicConstraints=critical,CA:FALSE\n");
}

std::string Usage(const std::string& usages) {
  return absl::StrCat("extendedKeyUsage=", usages, "\n");
}

TEST_F(IdentityTest, EachPurposeIsGoodForItselfAlone) {
  const std::string uri = "URI:berth://user/mallory";
  const std::string user = PurposeOid(Purpose::kUser);
  const std::string agent = PurposeOid(Purpose::kAgent);
  const std::string broker = PurposeOid(Purpose::kBroker);
  const std::string gateway = PurposeOid(Purpose::kGateway);
  constexpr auto kOk = StatusCode::OK;
  constexpr auto kNobody = StatusCode::UNAUTHENTICATED;
  constexpr auto kDenied = StatusCode::PERMISSION_DENIED;
  constexpr auto kCut = StatusCode::UNAVAILABLE;  // TLS itself refuses it.
  const struct {
    const char* name;
    std::string extensions;
    StatusCode as_user, as_agent;
    const char* message;  // Of the refusal.
  } cases[] = {
      {"user", San(uri) + Usage("clientAuth," + user), kOk, kDenied,
       "takes one of purpose 'agent'"},
      {"agent", San("URI:berth://agent/web01") + Usage("clientAuth," + agent),
       kDenied, kOk, "takes one of purpose 'user'"},
      {"gateway", San("URI:berth://gateway/g") + Usage("clientAuth," + gateway),
       kDenied, kDenied, "takes one of purpose"},
      {"broker",
       San("URI:berth://broker/main,DNS:berth-broker") +
           Usage("serverAuth," + broker),
       kCut, kCut, ""},
      {"broker that could be a client",
       San("URI:berth://broker/main") + Usage("clientAuth," + broker), kNobody,
       kNobody, "not that of purpose 'broker'"},
      {"from before there were usages of our own",
       San(uri) + Usage("clientAuth"), kOk, kDenied, "takes one of purpose"},
      {"user's name, agent's usage", San(uri) + Usage("clientAuth," + agent),
       kNobody, kNobody, "not that of purpose 'user'"},
      {"agent's name, user's usage",
       San("URI:berth://agent/web01") + Usage("clientAuth," + user), kNobody,
       kNobody, "not that of purpose 'agent'"},
      {"both usages", San(uri) + Usage("clientAuth," + user + "," + agent),
       kNobody, kNobody, "not that of purpose 'user'"},
      {"client and server", San(uri) + Usage("clientAuth,serverAuth," + user),
       kNobody, kNobody, "not that of purpose 'user'"},
      {"any usage", San(uri) + Usage("clientAuth,anyExtendedKeyUsage"), kNobody,
       kNobody, "not that of purpose 'user'"},
      {"no usage", San(uri), kNobody, kNobody, "lacks the key usage"},
      {"two names",
       San(uri + ",URI:berth://agent/web01") + Usage("clientAuth," + user),
       kNobody, kNobody, "more than one identity"},
      {"a name and another URI",
       San(uri + ",URI:https://example.com/") + Usage("clientAuth," + user),
       kNobody, kNobody, "more than one identity"},
      {"no name", San("DNS:alice") + Usage("clientAuth," + user), kNobody,
       kNobody, "names nobody"},
      {"a CA with a name",
       "subjectAltName=" + uri + "\nbasicConstraints=critical,CA:TRUE\n" +
           "keyUsage=critical,digitalSignature,keyCertSign\n" +
           Usage("clientAuth," + user),
       kNobody, kNobody, "is a CA's"},
  };
  for (const auto& c : cases) {
    const Certificate forged = Forge(c.extensions);
    const grpc::Status as_user = AsUser(forged), as_agent = AsAgent(forged);
    EXPECT_EQ(as_user.error_code(), c.as_user)
        << c.name << ": " << as_user.error_message();
    EXPECT_EQ(as_agent.error_code(), c.as_agent)
        << c.name << ": " << as_agent.error_message();
    for (const grpc::Status& status : {as_user, as_agent}) {
      if (status.ok()) continue;
      EXPECT_THAT(status.error_message(), HasSubstr(c.message)) << c.name;
    }
  }
}

TEST_F(IdentityTest, NeitherTheCaNorALeafStandsInForTheOther) {
  const Certificate ca{ca_pem(), ReadTextFile(broker_dir_ + "/ca-key.pem")};
  EXPECT_EQ(AsUser(ca).error_code(), StatusCode::UNAVAILABLE);
  const Certificate user = UserCertificate("alice");
  ASSERT_TRUE(AsUser(user).ok());
  const Certificate issued_by_a_user =
      Forge(San("URI:berth://user/admin") +
                Usage("clientAuth," + PurposeOid(Purpose::kUser)),
            &user);
  EXPECT_EQ(AsUser(issued_by_a_user).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(IdentityTest, AnExpiredCertificateIsRefused) {
  auto ca = CertificateAuthority::Load(
      ca_pem(), ReadTextFile(broker_dir_ + "/ca-key.pem"));
  ASSERT_TRUE(ca.ok()) << ca.status();
  const std::string key = *NewPrivateKeyPem();
  const Certificate late{
      *ca->Issue(*NewCsrPem(key), {Purpose::kUser, "late"}, -absl::Minutes(1)),
      key};
  EXPECT_EQ(AsUser(late).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(IdentityTest, SpeaksTls13Alone) {
  for (const char* version : {"-tls1", "-tls1_1", "-tls1_2", "-tls1_3"}) {
    auto tried = Process::Run(
        {.argv = {"/usr/bin/openssl", "s_client", version, "-connect", target_,
                  "-CAfile", broker_dir_ + "/ca.pem", "-alpn", "h2"}});
    ASSERT_TRUE(tried.ok()) << tried.status();
    const bool agreed =
        tried->out.find("BEGIN CERTIFICATE") != std::string::npos;
    EXPECT_EQ(agreed, version == std::string("-tls1_3"))
        << version << "\n"
        << tried->out << tried->err;
  }
}

TEST_F(IdentityTest, KeysThatOthersMayReadAreRefused) {
  StopBroker();
  for (const char* file : {"ca-key.pem", "broker-key.pem"}) {
    const std::string path = absl::StrCat(broker_dir_, "/", file);
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    auto served =
        Process::Run({.argv = {getenv("BROKER_BINARY"), "serve", broker_dir_,
                               "--listen", "127.0.0.1:0"}});
    ASSERT_TRUE(served.ok()) << served.status();
    EXPECT_EQ(served->exit_code, 1);
    EXPECT_THAT(served->err, HasSubstr("'chmod 600 " + path + "'"));
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }
}

}  // namespace
}  // namespace berth::testing

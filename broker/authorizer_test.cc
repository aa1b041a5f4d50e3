#include "broker/authorizer.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/admin.pb.h"
#include "proto/berth/v1/audit.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/gateway.pb.h"
#include "proto/berth/v1/policy.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {
namespace {

TEST(AuthorizerTest, TableHasEveryMethodOfEveryService) {
  for (const google::protobuf::FileDescriptor* file :
       {v1::RunRequest::descriptor()->file(),
        v1::Computer::descriptor()->file(),
        v1::CreateJoinTokenRequest::descriptor()->file(),
        v1::CanIRequest::descriptor()->file(),
        v1::AuditRecord::descriptor()->file(),
        v1::LoginRequest::descriptor()->file(),
        link::v1::Hello::descriptor()->file()}) {
    ASSERT_GT(file->service_count(), 0) << file->name();
    for (int i = 0; i < file->service_count(); ++i) {
      const google::protobuf::ServiceDescriptor& service = *file->service(i);
      for (int j = 0; j < service.method_count(); ++j) {
        const std::string method = absl::StrCat("/", service.full_name(), "/",
                                                service.method(j)->name());
        EXPECT_TRUE(Authorizer::Knows(method)) << method;
      }
    }
  }
}

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kWho = absl::StatusCode::kUnauthenticated;
constexpr auto kNo = absl::StatusCode::kPermissionDenied;

struct Case {
  const char* name;
  const char* method;
  absl::StatusCode nobody, user, admin, agent, broker, gateway = kNo;
};
class AuthorizerCaseTest : public ::testing::TestWithParam<Case> {};

TEST_P(AuthorizerCaseTest, Decides) {
  const Case& c = GetParam();
  const Authorizer authorizer(
      [](const std::string& user) { return user == "root" || user == "ann"; });
  const absl::Status none = absl::UnauthenticatedError("no certificate");
  const auto check = [&](const absl::StatusOr<Identity>& caller) {
    return authorizer.Check(c.method, caller).code();
  };
  EXPECT_EQ(check(none), c.nobody);
  EXPECT_EQ(check(Identity{Purpose::kUser, "bob"}), c.user);
  EXPECT_EQ(check(Identity{Purpose::kUser, "ann"}), c.admin);
  // An agent of an administrator's name is none.
  EXPECT_EQ(check(Identity{Purpose::kAgent, "ann"}), c.agent);
  EXPECT_EQ(check(Identity{Purpose::kBroker, "main"}), c.broker);
  EXPECT_EQ(check(Identity{Purpose::kGateway, "ann"}), c.gateway);
}

INSTANTIATE_TEST_SUITE_P(
    All, AuthorizerCaseTest,
    ::testing::ValuesIn<Case>({
        {"Run", "/berth.v1.Sessions/Run", kWho, kOk, kOk, kNo, kNo},
        {"Token", "/berth.v1.Admin/CreateJoinToken", kWho, kNo, kOk, kNo, kNo},
        {"Status", "/berth.v1.Admin/GetBrokerStatus", kWho, kNo, kOk, kNo, kNo},
        {"Audit", "/berth.v1.Audit/SearchAudit", kWho, kNo, kOk, kNo, kNo},
        {"Enroll", "/berth.link.v1.Link/Enroll", kOk, kOk, kOk, kOk, kOk, kOk},
        {"Control", "/berth.link.v1.Link/Control", kWho, kNo, kNo, kOk, kNo},
        {"Call", "/berth.link.v1.Link/Call", kWho, kNo, kNo, kOk, kNo},
        {"Health", "/grpc.health.v1.Health/Check", kWho, kOk, kOk, kOk, kOk, kOk},
        {"Login", "/berth.v1.Gateway/Login", kWho, kNo, kNo, kNo, kNo, kOk},
        {"Unknown", "/berth.v1.Sessions/Nope", kWho, kNo, kNo, kNo, kNo},
        {"Empty", "", kWho, kNo, kNo, kNo, kNo},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(AuthorizerTest, SaysWhoWantedWhat) {
  const absl::Status status =
      Authorizer([](const std::string&) {
        return false;
      }).Check("/berth.v1.Sessions/Run", Identity{Purpose::kAgent, "web01"});
  EXPECT_EQ(status.message(),
            "the certificate of agent 'web01' can't call "
            "/berth.v1.Sessions/Run: that takes one of purpose 'user'");
}

}  // namespace
}  // namespace berth::broker

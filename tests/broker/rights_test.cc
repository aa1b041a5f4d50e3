// Every method that is served, and everybody who may call it or not: what is
// served is asked of the broker itself, so nothing that it learns can be left
// out here.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "base/uuid.h"
#include "proto/berth/v1/files.pb.h"
#include "proto/berth/v1/policy.grpc.pb.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"
#include "tests/broker/raw_call.h"
#include "tests/broker/reflection.pb.h"

namespace berth::testing {
namespace {

using ::grpc::StatusCode;
using ::testing::HasSubstr;

// Whom the broker itself lets call a method. What they may then do with which
// session and computer is the policy's.
enum class Who { kAnybody, kAnyCertificate, kUser, kAdmin, kAgent, kGateway };

// A method without a row here fails the test: say who may call it, and, if it
// is about sessions, what right it takes (kOperations).
const std::map<std::string, Who>& Rows() {
  static const auto* rows = new std::map<std::string, Who>{
      {"/berth.v1.Sessions/CreateSession", Who::kUser},
      {"/berth.v1.Sessions/ListSessions", Who::kUser},
      {"/berth.v1.Sessions/ConnectSession", Who::kUser},
      {"/berth.v1.Sessions/DisconnectSession", Who::kUser},
      {"/berth.v1.Sessions/RemoveSession", Who::kUser},
      {"/berth.v1.Sessions/Hold", Who::kUser},
      {"/berth.v1.Sessions/Run", Who::kUser},
      {"/berth.v1.Sessions/Receive", Who::kUser},
      {"/berth.v1.Sessions/Enter", Who::kUser},
      {"/berth.v1.Sessions/WatchSessions", Who::kUser},
      {"/berth.v1.Files/Copy", Who::kUser},
      {"/berth.v1.Computers/ListComputers", Who::kUser},
      {"/berth.v1.Computers/ListConfigurations", Who::kUser},
      {"/berth.v1.Audit/GetAuditStatus", Who::kAdmin},
      {"/berth.v1.Audit/SearchAudit", Who::kAdmin},
      {"/berth.v1.Audit/TailAudit", Who::kAdmin},
      {"/berth.v1.Audit/VerifyAudit", Who::kAdmin},
      {"/berth.v1.Admin/CreateJoinToken", Who::kAdmin},
      {"/berth.v1.Admin/ListJoinTokens", Who::kAdmin},
      {"/berth.v1.Admin/RemoveJoinToken", Who::kAdmin},
      {"/berth.v1.Admin/IssueUserCertificate", Who::kAdmin},
      {"/berth.v1.Admin/GetBrokerStatus", Who::kAdmin},
      {"/berth.v1.Users/AddUser", Who::kAdmin},
      {"/berth.v1.Users/ListUsers", Who::kAdmin},
      {"/berth.v1.Users/SetUserLocked", Who::kAdmin},
      {"/berth.v1.Users/RemoveUser", Who::kAdmin},
      {"/berth.v1.Users/AddUserKey", Who::kAdmin},
      {"/berth.v1.Users/RemoveUserKey", Who::kAdmin},
      {"/berth.v1.Users/ListCertificates", Who::kAdmin},
      {"/berth.v1.Users/RevokeCertificates", Who::kAdmin},
      {"/berth.v1.Users/RenewCertificate", Who::kUser},
      {"/berth.v1.Users/LogOut", Who::kUser},
      {"/berth.v1.Users/CreateUserToken", Who::kAdmin},
      {"/berth.v1.Users/ListUserTokens", Who::kAdmin},
      {"/berth.v1.Users/RemoveUserToken", Who::kAdmin},
      {"/berth.v1.Users/LogInWithToken", Who::kAnybody},
      {"/berth.v1.Users/GetTrust", Who::kAnyCertificate},
      {"/berth.v1.Approvals/RequestApproval", Who::kUser},
      {"/berth.v1.Approvals/ListApprovals", Who::kUser},
      {"/berth.v1.Approvals/DecideApproval", Who::kUser},
      {"/berth.v1.Approvals/WithdrawApproval", Who::kUser},
      {"/berth.v1.Approvals/WaitForApproval", Who::kUser},
      {"/berth.v1.Policies/ApplyPolicy", Who::kAdmin},
      {"/berth.v1.Policies/GetPolicy", Who::kAdmin},
      {"/berth.v1.Policies/ListPolicyVersions", Who::kAdmin},
      {"/berth.v1.Policies/RollBackPolicy", Who::kAdmin},
      {"/berth.v1.Policies/CanI", Who::kUser},
      {"/berth.v1.Policies/WhoCan", Who::kAdmin},
      {"/berth.v1.Recordings/ListRecordings", Who::kUser},
      {"/berth.v1.Recordings/ReadRecording", Who::kUser},
      {"/berth.v1.Recordings/VerifyRecording", Who::kUser},
      {"/berth.v1.Recordings/RedactRecording", Who::kAdmin},
      {"/berth.v1.Gateway/CheckKey", Who::kGateway},
      {"/berth.v1.Gateway/Login", Who::kGateway},
      {"/berth.link.v1.Recorder/StoreSegment", Who::kAgent},
      {"/berth.link.v1.Link/Enroll", Who::kAnybody},
      {"/berth.link.v1.Link/Renew", Who::kAgent},
      {"/berth.link.v1.Link/Control", Who::kAgent},
      {"/berth.link.v1.Link/Call", Who::kAgent},
      {"/grpc.health.v1.Health/Check", Who::kAnyCertificate},
      {"/grpc.health.v1.Health/Watch", Who::kAnyCertificate},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       Who::kAnyCertificate},
  };
  return *rows;
}

constexpr char kSession[] = "00000000-0000-4000-8000-000000000001";

// A way to do something with alice's session.
struct Operation {
  std::string name;
  std::string method;
  std::set<std::string> verbs;  // All that it takes.
  std::string message;
  bool read_only = false;  // Of a call: what the agent must be told.

  // What may not be seen is left out.
  bool lists() const { return name == "list" || name == "watch"; }
};

v1::SessionRef AlicesSession() {
  v1::SessionRef ref;
  ref.set_owner("alice");
  ref.set_id(1);
  return ref;
}

template <typename Open>
void Name(Open& open) {
  *open.mutable_session() = AlicesSession();
  open.mutable_client()->set_id(NewUuid());
}

Operation Entering(const std::string& name, v1::TerminalMode mode,
                   std::set<std::string> verbs) {
  v1::TerminalRequest request;
  Name(*request.mutable_open());
  request.mutable_open()->set_mode(mode);
  return {name, "/berth.v1.Sessions/Enter", std::move(verbs),
          request.SerializeAsString(), mode == v1::TERMINAL_MODE_PEEK};
}

std::vector<Operation> Operations() {
  v1::ListSessionsRequest list;
  list.set_owner("alice");
  v1::WatchSessionsRequest watch;
  watch.set_owner("alice");
  v1::RunRequest run;
  Name(*run.mutable_open());
  v1::ReceiveRequest receive;
  Name(*receive.mutable_open());
  v1::CopyFrame copy;
  Name(*copy.mutable_open());
  v1::ConnectSessionRequest connect;
  Name(connect);
  v1::DisconnectSessionRequest disconnect;
  Name(disconnect);
  v1::RemoveSessionRequest remove;
  Name(remove);
  return {
      {"list",
       "/berth.v1.Sessions/ListSessions",
       {"list"},
       list.SerializeAsString()},
      {"watch",
       "/berth.v1.Sessions/WatchSessions",
       {"list"},
       watch.SerializeAsString()},
      {"run", "/berth.v1.Sessions/Run", {"run"}, run.SerializeAsString()},
      {"receive",
       "/berth.v1.Sessions/Receive",
       {"receive"},
       receive.SerializeAsString(),
       true},
      {"copy", "/berth.v1.Files/Copy", {"copy"}, copy.SerializeAsString()},
      Entering("enter", v1::TERMINAL_MODE_UNSPECIFIED, {"enter"}),
      Entering("share", v1::TERMINAL_MODE_SHARE, {"enter"}),
      Entering("take over", v1::TERMINAL_MODE_TAKE, {"enter", "take"}),
      Entering("peek", v1::TERMINAL_MODE_PEEK, {"peek"}),
      {"connect",
       "/berth.v1.Sessions/ConnectSession",
       {"take"},
       connect.SerializeAsString()},
      {"disconnect",
       "/berth.v1.Sessions/DisconnectSession",
       {"take"},
       disconnect.SerializeAsString()},
      {"remove",
       "/berth.v1.Sessions/RemoveSession",
       {"remove"},
       remove.SerializeAsString()},
  };
}

// Methods about the caller's own sessions alone: they name no other.
const std::set<std::string>& OwnAlone() {
  static const auto* own = new std::set<std::string>{
      "/berth.v1.Sessions/CreateSession",
      "/berth.v1.Sessions/Hold",
  };
  return *own;
}

class RightsTest : public FleetFixture {
 protected:
  void TearDown() override {
    agent_.reset();
    channels_.clear();
    FleetFixture::TearDown();
  }

  // A connection as one of the roles: "nobody", "admin", "agent", "gateway",
  // or a user.
  std::shared_ptr<grpc::Channel> As(const std::string& role) {
    std::shared_ptr<grpc::Channel>& channel = channels_[role];
    if (channel != nullptr) return channel;
    if (role == "nobody") {
      channel = Channel(std::nullopt);
    } else if (role == "admin") {
      channel = Channel(AdminCertificate());
    } else if (role == "agent") {
      channel = Channel(AgentCertificate("other"));
    } else if (role == "gateway") {
      auto ca = CertificateAuthority::Load(
          ca_pem(), ReadTextFile(broker_dir_ + "/ca-key.pem"));
      const std::string key = *NewPrivateKeyPem();
      channel = Channel(Certificate{
          *ca->Issue(*NewCsrPem(key), {Purpose::kGateway, "g"}, absl::Hours(1)),
          key});
    } else {
      channel = Channel(UserCertificate(role));
    }
    return channel;
  }

  // All methods that are served.
  std::set<std::string> Served() {
    ReflectionRequest request;
    request.set_list_services("");
    std::set<std::string> methods;
    const ReflectionResponse all = Reflect(request);
    for (const auto& service : all.services().service()) {
      ReflectionRequest declared;
      declared.set_file_containing_symbol(service.name());
      const ReflectionResponse answer = Reflect(declared);
      // gRPC's own, which it has no descriptor of.
      if (service.name() == "grpc.health.v1.Health") {
        methods.insert(
            {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"});
        continue;
      }
      const size_t before = methods.size();
      for (const std::string& bytes : answer.file_descriptors().file()) {
        google::protobuf::FileDescriptorProto file;
        EXPECT_TRUE(file.ParseFromString(bytes));
        for (const auto& each : file.service()) {
          if (absl::StrCat(file.package(), ".", each.name()) !=
              service.name()) {
            continue;
          }
          for (const auto& method : each.method()) {
            methods.insert(
                absl::StrCat("/", service.name(), "/", method.name()));
          }
        }
      }
      EXPECT_GT(methods.size(), before) << service.name();
    }
    return methods;
  }

  ReflectionResponse Reflect(const ReflectionRequest& request) {
    RawCall call(
        As("admin"),
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request.SerializeAsString());
    ReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(call.Read().value_or("?")));
    call.Finish(/*cancel=*/true);
    return response;
  }

  // Whether a caller gets as far as the method. What is sent can't be parsed,
  // so nothing is done.
  bool LetIn(const std::string& role, const std::string& method) {
    RawCall call(As(role), method, "\xff");
    call.HalfClose();
    if (call.Read().has_value()) {
      call.Finish(/*cancel=*/true);
      return true;
    }
    const grpc::Status status = call.Finish();
    EXPECT_NE(status.error_code(), StatusCode::UNAVAILABLE)
        << role << " " << method << ": " << status.error_message();
    return status.error_code() != StatusCode::PERMISSION_DENIED &&
           status.error_code() != StatusCode::UNAUTHENTICATED;
  }

  void Apply(const std::string& text) {
    v1::ApplyPolicyRequest request;
    request.set_text(text);
    v1::ApplyPolicyResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    const grpc::Status status = v1::Policies::NewStub(As("admin"))
                                    ->ApplyPolicy(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  // Lets bob do these on web01.
  void Grant(const std::set<std::string>& verbs) {
    if (verbs.empty()) return Apply("");
    Apply(absl::StrCat("[roles.r]\nusers = [\"bob\"]\nverbs = [\"",
                       absl::StrJoin(verbs, "\", \""),
                       "\"]\ncomputers = [\"@label:role=test\"]\n"));
  }

  void StartAgent() {
    agent_ = std::make_unique<FakeAgent>(
        Channel(AgentCertificate("web01")), std::vector<v1::Session>(),
        [this](FakeAgent& agent, const link::v1::OpenCall& open) {
          {
            MutexLock lock(mu_);
            opened_ = open;
          }
          FakeAgent::Echo(agent, open);
        });
    ASSERT_TRUE(agent_->WaitForWelcome());
  }
  link::v1::OpenCall opened() {
    MutexLock lock(mu_);
    return opened_;
  }

  // Makes alice's session (again).
  void Report() {
    v1::Session session;
    session.set_instance_id(kSession);
    session.set_id(1);
    session.set_name("hers");
    session.set_owner("alice");
    session.set_configuration("std");
    session.mutable_activity()->set_kind(v1::Activity::IDLE);
    agent_->AddSession(session);
    while (!Lists("alice")) {
    }
  }
  bool Lists(const std::string& user) {
    v1::ListSessionsRequest request;
    request.set_owner("alice");
    RawCall call(As(user), "/berth.v1.Sessions/ListSessions",
                 request.SerializeAsString());
    call.HalfClose();
    v1::ListSessionsResponse response;
    const std::optional<std::string> page = call.Read();
    if (page.has_value()) {
      EXPECT_TRUE(response.ParseFromString(*page));
    }
    call.Finish(/*cancel=*/true);
    return response.sessions_size() > 0;
  }

  // How bob fares. A list that is empty counts as "not found".
  grpc::Status Try(const Operation& operation) {
    RawCall call(As("bob"), operation.method, operation.message);
    call.HalfClose();
    const std::optional<std::string> answer = call.Read();
    if (operation.name == "watch" && answer.has_value()) {
      // It goes on for ever.
      v1::WatchSessionsResponse first;
      EXPECT_TRUE(first.ParseFromString(*answer));
      call.Finish(/*cancel=*/true);
      return first.has_event() ? grpc::Status::OK
                               : grpc::Status(StatusCode::NOT_FOUND, "nothing");
    }
    const bool relayed = operation.message == answer;  // An echo.
    while (answer.has_value() && call.Read().has_value()) {
    }
    grpc::Status status = call.Finish();
    if (operation.name == "list" && status.ok() &&
        answer.value_or("").empty()) {
      return grpc::Status(StatusCode::NOT_FOUND, "nothing");
    }
    if (relayed) {
      EXPECT_EQ(opened().user(), "bob");
      EXPECT_EQ(opened().owner(), "alice");
      EXPECT_EQ(opened().read_only(), operation.read_only) << operation.name;
    }
    return status;
  }

  absl::flat_hash_map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  std::unique_ptr<FakeAgent> agent_;
  Mutex mu_;
  link::v1::OpenCall opened_ ABSL_GUARDED_BY(mu_);
};

TEST_F(RightsTest, EveryMethodLetsInWhomItShouldAndNobodyElse) {
  Apply("[roles.boss]\nusers = [\"boss\"]\nverbs = [\"admin\"]\n");
  const std::set<std::string> served = Served();
  ASSERT_GT(served.size(), 20u);
  for (const std::string& method : served) {
    const auto row = Rows().find(method);
    ASSERT_NE(row, Rows().end())
        << method << " is served, and has no row: who may call it?";
    const Who who = row->second;
    const bool user = who == Who::kUser;
    const bool admin = user || who == Who::kAdmin;
    const bool any = who == Who::kAnybody;
    const bool certificate = any || who == Who::kAnyCertificate;
    EXPECT_EQ(LetIn("nobody", method), any) << method;
    EXPECT_EQ(LetIn("bob", method), user || certificate) << method;
    EXPECT_EQ(LetIn("admin", method), admin || certificate) << method;
    EXPECT_EQ(LetIn("boss", method), admin || certificate) << method;
    EXPECT_EQ(LetIn("agent", method), certificate || who == Who::kAgent)
        << method;
    EXPECT_EQ(LetIn("gateway", method), certificate || who == Who::kGateway)
        << method;
  }
  for (const auto& [method, who] : Rows()) {
    EXPECT_TRUE(served.contains(method)) << method << " is not served";
  }
}

TEST_F(RightsTest, EveryMethodAboutSessionsTakesItsRight) {
  const std::vector<Operation> operations = Operations();
  for (const std::string& method : Served()) {
    if (!absl::StartsWith(method, "/berth.v1.Sessions/") &&
        !absl::StartsWith(method, "/berth.v1.Files/")) {
      continue;
    }
    const bool known = std::any_of(
        operations.begin(), operations.end(),
        [&](const Operation& each) { return each.method == method; });
    EXPECT_TRUE(known || OwnAlone().contains(method))
        << method << " has no row: which right does it take?";
  }

  StartAgent();
  const std::vector<std::set<std::string>> grants = {
      {},       {"create"},  {"list"}, {"run"},    {"enter"},        {"peek"},
      {"take"}, {"receive"}, {"copy"}, {"remove"}, {"enter", "take"}};
  for (const std::set<std::string>& grant : grants) {
    Grant(grant);
    const bool visible = !grant.empty() && !grant.contains("create");
    for (const Operation& operation : operations) {
      Report();
      const bool allowed = std::all_of(
          operation.verbs.begin(), operation.verbs.end(),
          [&](const std::string& verb) { return grant.contains(verb); });
      const grpc::Status status = Try(operation);
      const StatusCode refused = visible && !operation.lists()
                                     ? StatusCode::PERMISSION_DENIED
                                     : StatusCode::NOT_FOUND;
      EXPECT_EQ(status.error_code(), allowed ? StatusCode::OK : refused)
          << "bob may " << absl::StrJoin(grant, ", ") << "; he tries to "
          << operation.name << ": " << status.error_message();
      // What he may not see is as if it were not there.
      if (!allowed && !visible && !operation.lists()) {
        EXPECT_EQ(status.error_message(),
                  "no session '1' of user 'alice'; see `berth ls "
                  "--all-owners`");
      }
    }
  }
}

TEST_F(RightsTest, OwnersAndAdministratorsWithoutARole) {
  StartAgent();
  Apply("");
  Report();
  EXPECT_TRUE(Lists("alice"));
  // To administer is no right on sessions.
  EXPECT_FALSE(Lists("admin"));
  for (const char* reader : {"bob", "admin"}) {
    v1::ReceiveRequest receive;
    Name(*receive.mutable_open());
    RawCall call(As(reader), "/berth.v1.Sessions/Receive",
                 receive.SerializeAsString());
    call.HalfClose();
    EXPECT_FALSE(call.Read().has_value());
    EXPECT_EQ(call.Finish().error_code(), StatusCode::NOT_FOUND) << reader;
  }
}

TEST_F(RightsTest, ANewPolicyEndsTheStreamsThatItGrantsNoMore) {
  StartAgent();
  Grant({"peek", "receive"});
  Report();
  const std::vector<Operation> operations = Operations();
  std::map<std::string, std::unique_ptr<RawCall>> calls;
  for (const Operation& operation : operations) {
    if (operation.name != "peek" && operation.name != "receive") continue;
    auto& call = calls[operation.name];
    call = std::make_unique<RawCall>(As("bob"), operation.method,
                                     operation.message);
    ASSERT_EQ(call->Read(), operation.message);  // The echo: it is open.
  }
  Grant({"receive"});
  EXPECT_FALSE(calls["peek"]->Read().has_value());
  const grpc::Status ended = calls["peek"]->Finish();
  EXPECT_EQ(ended.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(ended.error_message(),
              HasSubstr("takes the right 'peek' on 'web01'"));
  // The other goes on.
  calls["receive"]->Write("\x22\x01x");
  EXPECT_EQ(calls["receive"]->Read(), "\x22\x01x");
  Grant({});
  EXPECT_FALSE(calls["receive"]->Read().has_value());
  EXPECT_EQ(calls["receive"]->Finish().error_code(),
            StatusCode::PERMISSION_DENIED);
}

TEST_F(RightsTest, ANewPolicyLetsGoOfWhatAGuestHasTaken) {
  StartAgent();
  Grant({"take"});
  Report();
  for (const Operation& operation : Operations()) {
    if (operation.name == "connect") {
      EXPECT_TRUE(Try(operation).ok());
    }
  }
  const auto holder = [&] {
    return agent_->sessions().front().holder().client().id();
  };
  EXPECT_TRUE(absl::StartsWith(holder(), "bob/")) << holder();
  // Long before the grace of a client that has gone, for which it would be let
  // go in any case: either way, nobody holds it in the end.
  Grant({});
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (!holder().empty() && absl::Now() < limit) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(holder(), "");
}

}  // namespace
}  // namespace berth::testing

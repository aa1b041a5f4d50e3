// The audit log of a real berth-broker: what is in it, and what becomes of it
// when somebody changes it, the broker is killed, or its disk is full.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/uuid.h"
#include "proto/berth/v1/audit.grpc.pb.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class AuditTest : public FleetFixture {
 protected:
  void SetUp() override {
    FleetFixture::SetUp();
    Connect();
  }
  void TearDown() override {
    agent_.reset();
    FleetFixture::TearDown();
  }

  void Connect() {
    channel_ = Channel(AdminCertificate());
    audit_ = v1::Audit::NewStub(channel_);
  }
  void Restart(const std::string& mode = "") {
    agent_.reset();
    if (broker_.has_value()) StopBroker();
    const std::string path = broker_dir_ + "/broker.toml";
    if (!mode.empty()) {
      WriteTextFile(path, absl::StrReplaceAll(ReadTextFile(path),
                                              {{"mode = \"best-effort\"",
                                                "mode = \"" + mode + "\""}}));
    }
    StartBroker();
    Connect();
  }

  void StartAgent() {
    if (!agent_certificate_.has_value()) {
      agent_certificate_ = AgentCertificate("web01");
    }
    agent_ = std::make_unique<FakeAgent>(Channel(*agent_certificate_));
    ASSERT_TRUE(agent_->WaitForWelcome());
  }

  std::vector<v1::AuditRecord> Search(const v1::AuditFilter& filter = {}) {
    v1::SearchAuditRequest request;
    *request.mutable_filter() = filter;
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = audit_->SearchAudit(&context, request);
    v1::SearchAuditResponse page;
    std::vector<v1::AuditRecord> found;
    while (stream->Read(&page)) {
      found.insert(found.end(), page.records().begin(), page.records().end());
    }
    const grpc::Status status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return found;
  }
  // Events are written a moment later: waits for one of `verb` and `outcome`.
  v1::AuditRecord WaitFor(const std::string& verb, const std::string& outcome,
                          const std::string& user = "") {
    v1::AuditFilter filter;
    filter.add_verbs(verb);
    filter.add_outcomes(outcome);
    if (!user.empty()) filter.add_users(user);
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (absl::Now() < until) {
      auto found = Search(filter);
      if (!found.empty()) return found.back();
      absl::SleepFor(absl::Milliseconds(20));
    }
    ADD_FAILURE() << "no " << outcome << " " << verb << " in " << All();
    return {};
  }
  std::string All() {
    std::string all;
    for (const v1::AuditRecord& record : Search()) all += record.json() + "\n";
    return all;
  }

  grpc::Status Token(const std::shared_ptr<grpc::Channel>& channel,
                     std::string* token = nullptr) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::CreateJoinTokenRequest request;
    request.set_name_pattern("web*");
    v1::CreateJoinTokenResponse response;
    grpc::Status status = v1::Admin::NewStub(channel)->CreateJoinToken(
        &context, request, &response);
    if (token != nullptr) *token = response.token();
    return status;
  }
  grpc::Status Create(v1::Session* session) {
    v1::CreateSessionRequest request;
    request.set_computer("web01");
    request.set_name("build");
    request.mutable_client()->set_id(NewUuid());
    request.mutable_client()->set_name("admin@laptop");
    v1::CreateSessionResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    grpc::Status status = v1::Sessions::NewStub(channel_)->CreateSession(
        &context, request, &response);
    *session = response.session();
    return status;
  }
  grpc::Status Run(const std::string& session, const std::string& script) {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = v1::Sessions::NewStub(channel_)->Run(&context);
    v1::RunRequest request;
    request.mutable_open()->mutable_session()->set_instance_id(session);
    request.mutable_start()->set_command_id(NewUuid());
    request.mutable_start()->set_script(script);
    stream->Write(request);
    stream->WritesDone();
    v1::CommandEvent response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }

  v1::GetBrokerStatusResponse Status() {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::GetBrokerStatusResponse response;
    EXPECT_TRUE(v1::Admin::NewStub(channel_)
                    ->GetBrokerStatus(&context, {}, &response)
                    .ok());
    return response;
  }
  v1::GetAuditStatusResponse Log() {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::GetAuditStatusResponse response;
    EXPECT_TRUE(audit_->GetAuditStatus(&context, {}, &response).ok());
    return response;
  }
  v1::VerifyAuditResponse Verify() {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::VerifyAuditResponse response;
    const grpc::Status status = audit_->VerifyAudit(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  Process::Finished VerifyOffline(std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {getenv("BROKER_BINARY"), "audit", "verify",
                                     broker_dir_};
    argv.insert(argv.end(), more.begin(), more.end());
    auto done = Process::Run({.argv = argv});
    EXPECT_TRUE(done.ok()) << done.status();
    return *done;
  }
  std::string Segment() const {
    return broker_dir_ + "/audit/00000000000000000001.jsonl";
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Audit::Stub> audit_;
  std::optional<Certificate> agent_certificate_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(AuditTest, WhatIsDoneHasItsEvent) {
  StartAgent();
  v1::Session session;
  grpc::Status created;
  // The welcome is sent just before the computer counts as online.
  for (int i = 0; i < 100; ++i) {
    created = Create(&session);
    if (created.ok()) break;
    absl::SleepFor(absl::Milliseconds(50));
  }
  ASSERT_TRUE(created.ok()) << created.error_message();
  Run(session.instance_id(), "echo hello\nsecond line");
  const v1::AuditRecord create = WaitFor("create", "allowed");
  EXPECT_EQ(create.user(), "admin");
  EXPECT_EQ(create.purpose(), "user");
  EXPECT_EQ(create.session(), session.instance_id());
  EXPECT_EQ(create.session_name(), "build");
  EXPECT_EQ(create.computer(), "web01");
  EXPECT_EQ(create.owner(), "admin");
  EXPECT_THAT(create.peer(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(create.json(), HasSubstr("\"client_name\":\"admin@laptop\""));
  EXPECT_THAT(create.json(), HasSubstr("\"certificate\":\""));
  EXPECT_THAT(create.json(), HasSubstr("\"serial\":\""));
  EXPECT_THAT(create.json(),
              HasSubstr("\"rpc\":\"/berth.v1.Sessions/CreateSession\""));
  const v1::AuditRecord run = WaitFor("run", "allowed");
  EXPECT_EQ(run.text(), "echo hello ...");
  EXPECT_EQ(run.session(), session.instance_id());
  EXPECT_THAT(run.peer(), HasSubstr("127.0.0.1:"));
  EXPECT_EQ(WaitFor("link.up", "done").user(), "web01");
  EXPECT_EQ(WaitFor("session.started", "done").session(),
            session.instance_id());
  EXPECT_THAT(WaitFor("enroll", "allowed").detail(), HasSubstr("name=web01"));
}

// The broker relays what comes after a stream's first frame without reading it.
TEST_F(AuditTest, LaterCommandsOfAStreamHaveTheirEvents) {
  v1::Session session;
  session.set_instance_id(NewUuid());
  session.set_id(1);
  session.set_name("s");
  session.set_owner("admin");
  session.set_computer("web01");
  FakeAgent agent(Channel(AgentCertificate("web01")), {session},
                  [](FakeAgent& self, const link::v1::OpenCall& open) {
                    link::v1::AgentMessage message;
                    auto& started = *message.mutable_command_started();
                    // Of a call that is not there: nobody's.
                    started.set_call_id(open.call_id() + 1);
                    started.set_command_id("nobody");
                    started.set_text("forged");
                    self.Send(message);
                    // Of one whose client has left.
                    started.set_command_id("left");
                    started.set_text("nohup");
                    started.set_user("admin");
                    started.set_instance_id(open.instance_id());
                    self.Send(message);
                    started.set_call_id(open.call_id());
                    started.set_command_id("second");
                    started.set_text("rm -rf data\nmore");
                    self.Send(message);
                    FakeAgent::Echo(self, open);
                  });
  ASSERT_TRUE(agent.WaitForWelcome());
  for (int i = 0; i < 100; ++i) {
    const grpc::Status status = Run(session.instance_id(), "echo first");
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE &&
        status.error_code() != grpc::StatusCode::NOT_FOUND) {
      break;  // Its computer is online by now.
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
  const absl::Time until = absl::Now() + absl::Seconds(20);
  v1::AuditRecord later;
  while (later.text().empty() || later.text() == "nohup" ||
         later.detail().empty()) {
    ASSERT_LT(absl::Now(), until) << All();
    later = WaitFor("run", "allowed", "admin");
  }
  EXPECT_EQ(later.text(), "rm -rf data ...");
  EXPECT_EQ(later.session(), session.instance_id());
  EXPECT_THAT(later.detail(), HasSubstr("as its agent says"));
  EXPECT_THAT(later.json(), HasSubstr("\"command\":\"second\""));
  EXPECT_THAT(All(), ::testing::Not(HasSubstr("forged")));
  EXPECT_THAT(All(), HasSubstr("on a stream that its client has left"));
}

TEST_F(AuditTest, ListsAreInTheLogByTheMinute) {
  v1::ListComputersRequest request;
  for (int i = 0; i < 10; ++i) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::ListComputersResponse response;
    ASSERT_TRUE(v1::Computers::NewStub(channel_)
                    ->ListComputers(&context, request, &response)
                    .ok());
  }
  const v1::AuditRecord first = WaitFor("list-computers", "allowed");
  EXPECT_EQ(first.user(), "admin");
  v1::ListSessionsRequest others;
  others.set_owner("alice");
  grpc::ClientContext context;
  SetDeadline(&context);
  auto stream = v1::Sessions::NewStub(channel_)->ListSessions(&context, others);
  v1::ListSessionsResponse page;
  while (stream->Read(&page)) {
  }
  stream->Finish();
  EXPECT_THAT(WaitFor("list-sessions", "allowed").detail(),
              HasSubstr("owner=alice"));
  // What was counted is written when the broker stops, at the latest.
  StopBroker();
  EXPECT_THAT(ReadTextFile(Segment()), HasSubstr("more=9 within 1m"));
  StartBroker();
}

TEST_F(AuditTest, WhatIsRefusedHasItsEvent) {
  std::string token;
  ASSERT_TRUE(Token(channel_, &token).ok());
  Certificate certificate;
  ASSERT_TRUE(Enroll(token, "web07", &certificate).ok());
  EXPECT_FALSE(Enroll(token, "web08", &certificate).ok());
  EXPECT_FALSE(Enroll("nonsense", "web09", &certificate).ok());
  EXPECT_FALSE(Token(Channel(UserCertificate("bob"))).ok());
  EXPECT_FALSE(Token(Channel(std::nullopt)).ok());
  EXPECT_FALSE(Run(NewUuid(), "true").ok());

  const v1::AuditRecord bob = WaitFor("create-join-token", "denied", "bob");
  EXPECT_EQ(bob.code(), "PERMISSION_DENIED");
  EXPECT_THAT(bob.reason(), HasSubstr("is no administrator"));
  EXPECT_EQ(WaitFor("run", "failed").code(), "NOT_FOUND");
  v1::AuditFilter filter;
  filter.add_verbs("enroll");
  std::vector<std::string> enrolled;
  for (const v1::AuditRecord& record : Search(filter)) {
    enrolled.push_back(record.detail() + " " + record.outcome());
    EXPECT_THAT(record.peer(), HasSubstr("127.0.0.1:"));
    EXPECT_THAT(record.json(), ::testing::Not(HasSubstr(token)));
  }
  EXPECT_THAT(enrolled, Contains("name=web07 allowed"));
  EXPECT_THAT(enrolled, Contains(HasSubstr("name=web08 denied")));
  EXPECT_THAT(enrolled, Contains(HasSubstr("name=web09 denied")));
  filter.Clear();
  filter.add_outcomes("denied");
  filter.set_text("UNAUTHENTICATED");
  EXPECT_FALSE(Search(filter).empty());
}

TEST_F(AuditTest, WatchingOthersIsInTheLog) {
  v1::AuditFilter filter;
  filter.add_users("alice");
  Search(filter);
  EXPECT_THAT(WaitFor("audit.search", "allowed").user(), "admin");
  Verify();
  WaitFor("audit.verify", "allowed");
}

TEST_F(AuditTest, TailFollows) {
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::TailAuditRequest request;
  request.mutable_filter()->add_verbs("issue-user-certificate");
  auto stream = audit_->TailAudit(&context, request);
  for (const char* user : {"ann", "ben"}) {
    UserCertificate(user);
    v1::TailAuditResponse page;
    ASSERT_TRUE(stream->Read(&page)) << stream->Finish().error_message();
    EXPECT_THAT(page.records(0).detail(),
                HasSubstr(absl::StrCat("user=", user)));
  }
  context.TryCancel();
  WaitFor("audit.tail", "allowed");
}

TEST_F(AuditTest, VerifyNamesTheFirstChange) {
  for (const char* user : {"ann", "ben", "cid"}) UserCertificate(user);
  EXPECT_EQ(Verify().finding(), "");
  StopBroker();
  Process::Finished good = VerifyOffline();
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("intact: "));
  const std::string content = ReadTextFile(Segment());

  WriteTextFile(Segment(),
                absl::StrReplaceAll(content, {{"user=ben", "user=bob"}}));
  Process::Finished bad = VerifyOffline();
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("the audit log was changed: line "));
  StartBroker();
  Connect();
  EXPECT_THAT(Verify().finding(), HasSubstr(" was changed"));
  StopBroker();

  // With the right key alone, and without one.
  WriteTextFile(Segment(), content);
  unlink((broker_dir_ + "/audit/head").c_str());
  EXPECT_EQ(VerifyOffline({"--key", broker_dir_ + "/audit-pub.pem"}).exit_code,
            0);
  EXPECT_EQ(VerifyOffline({"--key", broker_dir_ + "/ca.pem"}).exit_code, 1);
  WriteTextFile(Segment(), "");
  EXPECT_EQ(VerifyOffline().exit_code, 0);  // Nothing is there to be wrong.
  StartBroker();
}

// A broker knows its last line: what is cut off behind its back is found.
TEST_F(AuditTest, ARemovedEndIsFoundWhileTheBrokerServes) {
  UserCertificate("ann");
  WaitFor("issue-user-certificate", "allowed");
  const std::string content = ReadTextFile(Segment());
  std::vector<std::string> lines =
      absl::StrSplit(content, '\n', absl::SkipEmpty());
  ASSERT_EQ(
      truncate(Segment().c_str(),
               static_cast<off_t>(content.size() - lines.back().size() - 1)),
      0);
  EXPECT_NE(Verify().finding(), "");
}

TEST_F(AuditTest, AKilledBrokersTornLineIsMended) {
  UserCertificate("ann");
  WaitFor("issue-user-certificate", "allowed");
  broker_->StopWith(SIGKILL);
  broker_.reset();
  FILE* file = fopen(Segment().c_str(), "a");
  fputs("{\"seq\":99,\"ti", file);
  fclose(file);
  StartBroker();
  Connect();
  EXPECT_EQ(WaitFor("audit.recovered", "done").detail(),
            "log recovered, 13 bytes of an unfinished last line dropped");
  EXPECT_EQ(Verify().finding(), "");
}

// The audit directory is a disk of its own, and full.
class FullAuditDiskTest : public AuditTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small disk";
    AuditTest::SetUp();
    StopBroker();
    disk_ = broker_dir_ + "/audit";
    std::filesystem::remove_all(disk_);
    mkdir(disk_.c_str(), 0700);
    ASSERT_EQ(
        mount("berth-test", disk_.c_str(), "tmpfs", 0, "size=1m,mode=0700"), 0)
        << strerror(errno);
    mounted_ = true;
  }
  void TearDown() override {
    Free();
    AuditTest::TearDown();
    if (!mounted_) return;
    EXPECT_EQ(umount2(disk_.c_str(), MNT_DETACH), 0);
  }
  void Fill() {
    FILE* file = fopen((disk_ + "/filler").c_str(), "a");
    ASSERT_NE(file, nullptr);
    setvbuf(file, nullptr, _IONBF, 0);
    const std::string block(1024, 'x');
    while (fwrite(block.data(), 1, block.size(), file) == block.size()) {
    }
    fclose(file);
  }
  void Free() { unlink((disk_ + "/filler").c_str()); }
  bool WaitForProblem(bool any) {
    for (int i = 0; i < 600; ++i) {
      if (Log().problem().empty() != any) return true;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return false;
  }

  std::string disk_;
  bool mounted_ = false;
};

TEST_F(FullAuditDiskTest, StrictRefusesWorkAndGoesOnWithRoom) {
  Restart("strict");
  ASSERT_TRUE(Token(channel_).ok());
  EXPECT_FALSE(Search().empty());
  EXPECT_EQ(WaitFor("create-join-token", "asked").user(), "admin");
  Fill();
  // The last page may still have room for some.
  grpc::Status refused;
  for (int i = 0; i < 200 && refused.ok(); ++i) refused = Token(channel_);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("the audit log in " + disk_));
  EXPECT_THAT(refused.error_message(), HasSubstr("No space left on device"));
  // What is not audited goes on, and says what is wrong.
  EXPECT_THAT(Log().problem(), HasSubstr("No space left"));
  EXPECT_FALSE(Run(NewUuid(), "true").ok());
  Free();
  ASSERT_TRUE(WaitForProblem(false));
  EXPECT_TRUE(Token(channel_).ok());
  EXPECT_THAT(WaitFor("audit.gap", "done").reason(),
              HasSubstr("No space left"));
  EXPECT_EQ(Verify().finding(), "");
}

TEST_F(FullAuditDiskTest, BestEffortGoesOnAlarmsAndSaysTheGap) {
  Restart("best-effort");
  Fill();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Token(channel_).ok());
  ASSERT_TRUE(WaitForProblem(true));
  EXPECT_TRUE(Token(channel_).ok());
  bool told = false;
  const v1::GetBrokerStatusResponse status = Status();
  for (const v1::BrokerNotice& notice : status.notices()) {
    told |= notice.text().find("can't be written") != std::string::npos;
  }
  EXPECT_TRUE(told);
  Free();
  ASSERT_TRUE(WaitForProblem(false));
  EXPECT_THAT(WaitFor("audit.gap", "done").reason(),
              HasSubstr("No space left"));
  EXPECT_EQ(Verify().finding(), "");
  // Those that waited are there, too.
  v1::AuditFilter filter;
  filter.add_verbs("create-join-token");
  EXPECT_EQ(Search(filter).size(), 201u);
}

}  // namespace
}  // namespace berth::testing

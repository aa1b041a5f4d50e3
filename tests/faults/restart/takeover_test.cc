// An agent takes up the sessions of the one before it: whatever their holders
// are doing, and whichever version they are of. Only a dead holder has ended
// its session.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "agent/holder/identity_file.h"
#include "base/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/fake_broker.h"
#include "tests/support/proc.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using agent::FakeBroker;
using ::testing::HasSubstr;

std::string Binary(const char* variable) {
  return std::filesystem::absolute(getenv(variable));
}

// Whether some process has `text` in its environment, as the shells of a
// session have its instance id.
bool IsInEnvironment(const std::string& text) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc", error)) {
    const std::string path = entry.path().string() + "/environ";
    if (absl::StrContains(ReadTextFile(path), text)) return true;
  }
  return false;
}

bool WaitNoProcessOf(const std::string& instance_id) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (IsInEnvironment(instance_id)) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(20));  // Between two looks, no more.
  }
  return true;
}

class TakeoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    mkdir(Home().c_str(), 0700);
    broker_.WriteAgentState(State(), "web01");
    StartAgent();
  }

  void TearDown() override {
    for (const std::string& id : made_) Remove(id);
    EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
  }

  std::string Home() const { return dir_.path() + "/home"; }
  std::string State() const { return dir_.path() + "/state"; }
  std::string DirectoryOf(const std::string& id) const {
    return absl::StrCat(State(), "/sessions/", id);
  }

  void StartAgent() {
    auto agent = Process::Start(
        {.argv = {Binary("BERTH_AGENT"), "serve", "--state-dir", State(),
                  "--holder", Binary("BERTH_HOLDER")},
         .environment =
             std::vector<std::string>{"HOME=" + Home(), "PATH=/usr/bin:/bin"},
         .stderr_path = dir_.path() + "/agent.log"});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_.emplace(*std::move(agent));
    ASSERT_TRUE(agent_->WaitForLine("ready").ok());
    hello_ = broker_.WaitHello();
  }

  void Restart(int signal) {
    agent_->StopWith(signal);
    StartAgent();
  }

  link::v1::Reply Create(const std::string& id) {
    link::v1::Request request;
    request.set_user("ann");
    link::v1::CreateRequest& create = *request.mutable_create();
    create.set_instance_id(id);
    create.set_id(made_.size() + 1);
    create.set_name("test");
    create.set_owner("ann");
    (*create.mutable_environment())["TOLD"] = "nobody-else";
    made_.push_back(id);
    return broker_.Ask(request);
  }

  std::string Create() {
    const std::string id = NewUuid();
    const link::v1::Reply reply = Create(id);
    EXPECT_EQ(reply.code(), 0) << reply.message();
    return id;
  }

  link::v1::Reply Remove(const std::string& id) {
    link::v1::Request request;
    request.set_user("ann");
    request.mutable_remove()->set_instance_id(id);
    return broker_.Ask(request);
  }

  FakeBroker::ClientCall Open(const std::string& session,
                              const std::string& script) {
    v1::RunRequest request;
    request.mutable_open()->mutable_client()->set_id(NewUuid());
    request.mutable_start()->set_script(script);
    request.mutable_start()->set_command_id(NewUuid());
    return broker_.Open(link::v1::OpenCall::RUN, "ann", session, request);
  }

  std::string Run(const std::string& session, const std::string& script) {
    FakeBroker::ClientCall call = Open(session, script);
    const auto result = call.Finish();
    call.HalfClose();
    const link::v1::CallEnded ended = call.WaitEnded();
    EXPECT_EQ(ended.code(), 0) << ended.message();
    return result.out;
  }

  holder::HolderIdentity Holder(const std::string& id) {
    auto identity = holder::ReadIdentityFile(DirectoryOf(id) + "/holder");
    EXPECT_TRUE(identity.ok()) << identity.status();
    return identity.ok() ? *identity : holder::HolderIdentity();
  }

  // As the agent told of it when it linked. Not set: it did not.
  std::optional<v1::Session> Listed(const std::string& id) {
    for (const link::v1::SessionReport& report : hello_.sessions()) {
      if (report.session().instance_id() == id) return report.session();
    }
    return std::nullopt;
  }

  void WriteVersion(const std::string& id, uint32_t version) {
    holder::HolderIdentity identity = Holder(id);
    identity.version = version;
    ASSERT_TRUE(
        holder::WriteIdentityFile(DirectoryOf(id) + "/holder", identity).ok());
  }

  // Waits until the agent tells of a session that `want` holds for.
  bool WaitReport(const std::function<bool(const v1::Session&)>& want) {
    return broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
      return message.has_session() && want(message.session().session());
    });
  }

  TempDir dir_;
  FakeBroker broker_;
  std::optional<Process> agent_;
  link::v1::Hello hello_;
  std::vector<std::string> made_;
};

TEST_F(TakeoverTest, HolderThatDoesNotAnswerIsWaitedForAndNotKilled) {
  const std::string stopped = Create();
  const std::string other = Create();
  Run(stopped, "v=kept");
  Run(other, "v=other");
  const pid_t pid = Holder(stopped).pid;
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  Restart(SIGKILL);
  ASSERT_TRUE(Listed(stopped).has_value());
  EXPECT_FALSE(Listed(stopped)->has_end());
  EXPECT_EQ(Listed(other)->activity().kind(), v1::Activity::IDLE);
  EXPECT_EQ(Run(other, "echo $v"), "other\n");
  ASSERT_EQ(kill(pid, SIGCONT), 0);
  EXPECT_TRUE(WaitReport([&](const v1::Session& session) {
    return session.instance_id() == stopped &&
           session.activity().kind() == v1::Activity::IDLE;
  }));
  EXPECT_EQ(Run(stopped, "echo $v"), "kept\n");
}

TEST_F(TakeoverTest, SessionOfAnUnknownVersionStaysListedWithAClearError) {
  const std::string id = Create();
  Run(id, "v=kept");
  for (const uint32_t version : {9u, 0u}) {
    agent_->StopWith(SIGTERM);
    WriteVersion(id, version);
    StartAgent();
    ASSERT_TRUE(Listed(id).has_value());
    EXPECT_FALSE(Listed(id)->has_end());
    const std::string says = absl::StrCat("speaks version ", version);
    EXPECT_THAT(Listed(id)->activity().what(), HasSubstr(says));
    const link::v1::CallEnded refused = Open(id, "true").WaitEnded();
    EXPECT_EQ(refused.code(),
              static_cast<int>(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(refused.message(), HasSubstr(says));
    EXPECT_THAT(refused.message(), HasSubstr("the session lives on"));
    EXPECT_TRUE(ProcessLives(Holder(id).pid));
  }
  // As if the right agent were back: the session is as it was.
  WriteVersion(id, 2);
  EXPECT_TRUE(WaitReport([&](const v1::Session& session) {
    return session.instance_id() == id &&
           session.activity().kind() == v1::Activity::IDLE;
  }));
  EXPECT_EQ(Run(id, "echo $v"), "kept\n");
}

TEST_F(TakeoverTest, SessionOfAnUnknownVersionCanBeRemoved) {
  const std::string id = Create();
  const pid_t pid = Holder(id).pid;
  agent_->StopWith(SIGTERM);
  WriteVersion(id, 9);
  StartAgent();
  const link::v1::Reply reply = Remove(id);
  EXPECT_EQ(reply.code(), 0) << reply.message();
  EXPECT_FALSE(ProcessLives(pid));
  EXPECT_NE(access(DirectoryOf(id).c_str(), F_OK), 0);
}

TEST_F(TakeoverTest, DamagedIdentityEndsNoSession) {
  const std::string id = Create();
  Run(id, "v=kept");
  const std::string path = DirectoryOf(id) + "/holder";
  const std::string identity = ReadTextFile(path);
  agent_->StopWith(SIGKILL);
  WriteTextFile(path, "pid x\n");
  StartAgent();
  ASSERT_TRUE(Listed(id).has_value());
  EXPECT_FALSE(Listed(id)->has_end());
  EXPECT_EQ(Run(id, "echo $v"), "kept\n");
  WriteTextFile(path, identity);
}

TEST_F(TakeoverTest, SessionThatWasBeingMadeIsForgotten) {
  Create();
  agent_->StopWith(SIGKILL);
  // What an agent leaves that dies before its holder has begun: with a record,
  // and without one.
  const std::string begun = NewUuid(), barely = NewUuid();
  for (const std::string& id : {begun, barely}) {
    ASSERT_EQ(mkdir(DirectoryOf(id).c_str(), 0700), 0);
  }
  WriteTextFile(DirectoryOf(begun) + "/record",
                absl::StrCat("instance_id: \"", begun,
                             "\" id: 7 owner: \"ann\" name: \"x\"\n"));
  StartAgent();
  EXPECT_EQ(hello_.sessions_size(), 1);
  for (const std::string& id : {begun, barely}) {
    EXPECT_NE(access(DirectoryOf(id).c_str(), F_OK), 0) << id;
  }
  // The client that asked for it asks again.
  EXPECT_EQ(Create(begun).code(), 0);
  EXPECT_EQ(Run(begun, "echo $TOLD"), "nobody-else\n");
}

TEST_F(TakeoverTest, HolderThatBeginsAfterItsAgentDiedLivesOrIsForgotten) {
  // Whenever the agent dies while it makes a session: there is a session with
  // a holder, or neither.
  for (int round = 0; round < 12; ++round) {
    const std::string id = NewUuid();
    link::v1::Request request;
    request.set_user("ann");
    link::v1::CreateRequest& create = *request.mutable_create();
    create.set_instance_id(id);
    create.set_id(100 + round);
    create.set_name("race");
    create.set_owner("ann");
    broker_.Tell(request);
    // Between two looks: the moment itself is what varies.
    absl::SleepFor(absl::Milliseconds(round * 3));
    Restart(SIGKILL);
    const auto listed = Listed(id);
    if (!listed.has_value()) {
      EXPECT_TRUE(WaitNoProcessOf(id)) << "a shell that nobody lists";
      EXPECT_NE(access(DirectoryOf(id).c_str(), F_OK), 0);
      continue;
    }
    made_.push_back(id);
    if (listed->has_end()) continue;
    EXPECT_EQ(Run(id, "echo here"), "here\n");
  }
}

TEST_F(TakeoverTest, HolderIsToldOnStandardInputAlone) {
  const pid_t pid = Holder(Create()).pid;
  const std::string arguments =
      ReadTextFile(absl::StrCat("/proc/", pid, "/cmdline"));
  EXPECT_EQ(arguments, std::string("berth-holder\0", 13));
  const std::string environment =
      ReadTextFile(absl::StrCat("/proc/", pid, "/environ"));
  EXPECT_EQ(environment, "");
}

}  // namespace
}  // namespace berth::testing

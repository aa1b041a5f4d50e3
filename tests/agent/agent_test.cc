// The real berth-agent with real holders and shells, linked to a fake broker.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/proto_time.h"
#include "base/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/fake_broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::agent {
namespace {

using ::berth::testing::Process;
using ::testing::HasSubstr;

std::string Binary(const char* variable) {
  const char* path = getenv(variable);
  return std::filesystem::absolute(path == nullptr ? variable : path);
}

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    mkdir(Home().c_str(), 0700);
    broker_.WriteAgentState(State(), "web01");
    StartAgent();
  }

  void TearDown() override {
    if (agent_.has_value() && agent_->pid() != 0) {
      for (const std::string& id : made_) Remove(id);
      EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
    }
  }

  std::string Home() const { return dir_.path() + "/home"; }
  std::string State() const { return dir_.path() + "/state"; }

  void StartAgent() {
    auto agent = Process::Start(
        {.argv = {Binary("BERTH_AGENT"), "serve", "--state-dir", State(),
                  "--holder", Binary("BERTH_HOLDER")},
         .environment =
             std::vector<std::string>{"HOME=" + Home(), "PATH=/usr/bin:/bin"},
         .stderr_path = dir_.path() + "/agent.log"});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_.emplace(*std::move(agent));
    const auto ready = agent_->WaitForLine("ready");
    ASSERT_TRUE(ready.ok()) << ready.status();
    hello_ = broker_.WaitHello();
  }

  v1::Client Client(const std::string& name = "ann@laptop") {
    v1::Client client;
    std::string& id = clients_[name];
    if (id.empty()) id = NewUuid();
    client.set_id(id);
    client.set_name(name);
    return client;
  }

  std::string Create() {
    link::v1::Request request;
    request.set_user("ann");
    link::v1::CreateRequest& create = *request.mutable_create();
    create.set_instance_id(NewUuid());
    create.set_id(made_.size() + 1);
    create.set_name("test");
    create.set_owner("ann");
    const link::v1::Reply reply = broker_.Ask(request);
    EXPECT_EQ(reply.code(), 0) << reply.message();
    made_.push_back(create.instance_id());
    return create.instance_id();
  }

  // For one command of Client().
  std::string CreateTemporary() {
    link::v1::Request request;
    request.set_user("ann");
    link::v1::CreateRequest& create = *request.mutable_create();
    create.set_instance_id(NewUuid());
    create.set_id(100 + ++temporary_);
    create.set_name("test");
    create.set_owner("ann");
    create.set_temporary(true);
    EXPECT_NE(broker_.Ask(request).code(), 0) << "it is for nobody";
    *create.mutable_holder() = Client();
    const link::v1::Reply reply = broker_.Ask(request);
    EXPECT_EQ(reply.code(), 0) << reply.message();
    EXPECT_TRUE(reply.session().session().temporary());
    return create.instance_id();
  }

  int OpenReceiveCode(const std::string& session) {
    return Receive(session).WaitEnded().code();
  }

  link::v1::Reply Remove(const std::string& id) {
    link::v1::Request request;
    request.set_user("ann");
    request.mutable_remove()->set_instance_id(id);
    return broker_.Ask(request);
  }

  v1::RunRequest Start(const std::string& script,
                       const std::string& command_id = NewUuid()) {
    v1::RunRequest request;
    *request.mutable_open()->mutable_client() = Client();
    request.mutable_start()->set_script(script);
    request.mutable_start()->set_command_id(command_id);
    return request;
  }

  FakeBroker::ClientCall OpenRun(const std::string& session,
                                 const v1::RunRequest& request,
                                 const std::string& user = "ann") {
    return broker_.Open(link::v1::OpenCall::RUN, user, session, request);
  }

  // Runs to the end, and checks how the call ends.
  FakeBroker::ClientCall::Result RunAll(const std::string& session,
                                        const std::string& script) {
    FakeBroker::ClientCall call = OpenRun(session, Start(script));
    auto result = call.Finish();
    call.HalfClose();
    EXPECT_EQ(call.WaitEnded().code(), 0) << call.WaitEnded().message();
    return result;
  }

  FakeBroker::ClientCall Receive(const std::string& session,
                                 v1::OpenReceive open = {}) {
    v1::ReceiveRequest request;
    *request.mutable_open() = std::move(open);
    return broker_.Open(link::v1::OpenCall::RECEIVE, "ann", session, request);
  }

  berth::testing::TempDir dir_;
  FakeBroker broker_;
  std::optional<Process> agent_;
  link::v1::Hello hello_;
  std::vector<std::string> made_;
  uint32_t temporary_ = 0;
  std::map<std::string, std::string> clients_;
};

TEST_F(AgentTest, SaysWhatItIs) {
  EXPECT_EQ(hello_.agent_version(), "0.1.0");
  EXPECT_FALSE(hello_.os().empty());
  ASSERT_EQ(hello_.configurations_size(), 1);
  EXPECT_EQ(hello_.configurations(0).name(), "default");
  EXPECT_TRUE(hello_.configurations(0).is_default());
  EXPECT_EQ(FromProto(hello_.configurations(0).default_idle_timeout()),
            absl::Hours(2));
  EXPECT_EQ(hello_.sessions_size(), 0);
}

TEST_F(AgentTest, CommandsOfASessionShareItsShell) {
  const std::string session = Create();
  auto first = RunAll(session, "X=5; cd /usr; echo out; echo err >&2; false");
  EXPECT_EQ(first.out, "out\n");
  EXPECT_EQ(first.err, "err\n");
  ASSERT_TRUE(first.ended.has_value());
  EXPECT_EQ(first.ended->exit_code(), 1);
  EXPECT_EQ(first.ended->how(), v1::CommandEnded::COMPLETED);
  EXPECT_EQ(first.ended->cwd(), "/usr");
  EXPECT_EQ(RunAll(session, "echo $X $PWD").out, "5 /usr\n");
}

TEST_F(AgentTest, TestsAShellOnce) {
  const std::string file = State() + "/shells";
  EXPECT_FALSE(std::filesystem::exists(file));
  Create();
  const std::string passed = berth::testing::ReadTextFile(file);
  EXPECT_THAT(passed, HasSubstr(" /bin/bash\n"));
  const auto written = std::filesystem::last_write_time(file);
  Create();
  EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
  StartAgent();
  Create();
  EXPECT_EQ(std::filesystem::last_write_time(file), written);

  // Another binary, as far as anyone can tell.
  EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
  berth::testing::WriteTextFile(file,
                                "0.1.0 bash 1 1 1 /bin/bash\n\x01"
                                "junk\n");
  StartAgent();
  Create();
  EXPECT_EQ(berth::testing::ReadTextFile(file),
            "0.1.0 bash 1 1 1 /bin/bash\n" + passed);
  for (const auto& entry : std::filesystem::directory_iterator(State())) {
    EXPECT_THAT(entry.path().filename(), ::testing::Not(HasSubstr("trial-")));
  }
}

TEST_F(AgentTest, OneStreamRunsOneCommandAfterAnother) {
  const std::string session = Create();
  FakeBroker::ClientCall call = OpenRun(session, Start("echo one"));
  EXPECT_EQ(call.Finish().out, "one\n");
  v1::RunRequest next = Start("cat");
  next.clear_open();
  next.mutable_start()->set_with_stdin(true);
  call.Send(next);
  v1::RunRequest input;
  input.mutable_stdin()->set_data("typed");
  input.mutable_stdin()->set_eof(true);
  call.Send(input);
  EXPECT_EQ(call.Finish().out, "typed");
  call.HalfClose();
  EXPECT_EQ(call.WaitEnded().code(), 0);
}

TEST_F(AgentTest, SessionAndCommandSurviveTheAgent) {
  const std::string session = Create();
  RunAll(session, "X=kept");
  const std::string fifo = dir_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const v1::RunRequest start =
      Start("echo before; read line < " + fifo + "; echo $line $X; exit 4");
  FakeBroker::ClientCall call = OpenRun(session, start);
  for (auto event = call.Next(); event && !event->has_output();) {
    event = call.Next();
  }
  EXPECT_EQ(agent_->StopWith(SIGKILL), 128 + SIGKILL);
  StartAgent();
  ASSERT_EQ(hello_.sessions_size(), 1);
  EXPECT_EQ(hello_.sessions(0).session().instance_id(), session);
  EXPECT_EQ(hello_.sessions(0).session().activity().kind(),
            v1::Activity::COMMAND);
  v1::RunRequest again = start;
  again.mutable_start()->set_from_offset(7);
  FakeBroker::ClientCall second = OpenRun(session, again);
  const int fd = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(write(fd, "after\n", 6), 6);
  close(fd);
  const auto result = second.Finish();
  EXPECT_EQ(result.out, "after kept\n");
  EXPECT_EQ(result.ended->exit_code(), 4);
  second.HalfClose();
  EXPECT_EQ(second.WaitEnded().code(), 0);
}

TEST_F(AgentTest, DetachedCommandIsReceivedLaterAndAgain) {
  const std::string session = Create();
  v1::RunRequest request = Start("echo detached; exit 3");
  request.mutable_start()->set_detach(true);
  FakeBroker::ClientCall call = OpenRun(session, request);
  EXPECT_EQ(call.WaitEnded().code(), 0);
  {
    FakeBroker::ClientCall receive = Receive(session);
    const auto result = receive.Finish();
    EXPECT_EQ(result.out, "detached\n");
    EXPECT_EQ(result.ended->exit_code(), 3);
    v1::ReceiveRequest ack;
    ack.mutable_ack()->set_sequence(result.ended->sequence());
    ack.mutable_ack()->set_offset(result.ended->end_offset());
    receive.Send(ack);
    EXPECT_EQ(receive.WaitEnded().code(), 0);
  }
  {
    FakeBroker::ClientCall nothing = Receive(session);
    EXPECT_FALSE(nothing.Finish().ended.has_value());
    EXPECT_EQ(nothing.WaitEnded().code(), 0);
  }
  v1::OpenReceive open;
  open.set_from_offset(2);
  FakeBroker::ClientCall again = Receive(session, open);
  EXPECT_EQ(again.Finish().out, "tached\n");
  again.HalfClose();
  EXPECT_EQ(again.WaitEnded().code(), 0);
  open.set_from_offset(100);
  EXPECT_EQ(Receive(session, open).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kOutOfRange));
  open.clear_from_offset();
  open.set_command_id(NewUuid());
  EXPECT_EQ(Receive(session, open).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(AgentTest, ReceivesTheLastLinesOrOneStream) {
  const std::string session = Create();
  RunAll(session, "echo 1; echo e1 >&2; echo 2; echo e2 >&2; echo 3");
  v1::OpenReceive open;
  open.set_from_offset(0);
  open.set_tail_lines(2);
  open.set_stream(v1::OUTPUT_STREAM_STDOUT);
  FakeBroker::ClientCall tail = Receive(session, open);
  auto result = tail.Finish();
  EXPECT_EQ(result.out, "2\n3\n");
  EXPECT_EQ(result.err, "");
  tail.HalfClose();
  EXPECT_EQ(tail.WaitEnded().code(), 0);
  open.clear_tail_lines();
  open.set_stream(v1::OUTPUT_STREAM_STDERR);
  FakeBroker::ClientCall errors = Receive(session, open);
  result = errors.Finish();
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "e1\ne2\n");
  errors.HalfClose();
  EXPECT_EQ(errors.WaitEnded().code(), 0);
  open.set_tail_lines(1'000'001);
  EXPECT_EQ(Receive(session, open).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
}

TEST_F(AgentTest, FollowsASessionFromCommandToCommand) {
  const std::string session = Create();
  RunAll(session, "echo old");
  v1::OpenReceive open;
  open.set_from_offset(0);
  open.set_tail_lines(0);
  open.set_follow_session(true);
  FakeBroker::ClientCall follow = Receive(session, open);
  EXPECT_EQ(follow.Finish().out, "");
  RunAll(session, "echo one");
  EXPECT_EQ(follow.Finish().out, "one\n");
  // Also what its own client has received.
  RunAll(session, "echo two; (exit 5)");
  const auto result = follow.Finish();
  EXPECT_EQ(result.out, "two\n");
  EXPECT_EQ(result.ended->exit_code(), 5);
  Remove(session);
  made_.clear();
  EXPECT_EQ(follow.WaitEnded().code(), 0);
}

TEST_F(AgentTest, AClientThatLeavesIsLetGoAtOnceAndTheCommandGoesOn) {
  const std::string session = Create();
  const std::string fifo = dir_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string id = NewUuid();
  FakeBroker::ClientCall run =
      OpenRun(session, Start("echo a; read line < " + fifo + "; echo b", id));
  v1::OpenReceive open;
  open.set_follow_session(true);
  FakeBroker::ClientCall receive = Receive(session, open);
  for (FakeBroker::ClientCall* call : {&run, &receive}) {
    for (auto event = call->Next(); event && !event->has_output();) {
      event = call->Next();
    }
  }
  v1::RunRequest leave_run;
  leave_run.set_leave(true);
  run.Send(leave_run);
  v1::ReceiveRequest leave_receive;
  leave_receive.set_leave(true);
  receive.Send(leave_receive);
  EXPECT_EQ(run.WaitEnded().code(), 0);
  EXPECT_EQ(receive.WaitEnded().code(), 0);
  const int fd = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(write(fd, "\n", 1), 1);
  close(fd);
  v1::OpenReceive all;
  all.set_command_id(id);
  all.set_from_offset(0);
  FakeBroker::ClientCall again = Receive(session, all);
  EXPECT_EQ(again.Finish().out, "a\nb\n");
}

TEST_F(AgentTest, EndedSessionStillTellsWhatItPrinted) {
  const std::string session = Create();
  v1::RunRequest request = Start("echo last words; exit 9");
  request.mutable_start()->set_exit_ends_session(true);
  FakeBroker::ClientCall call = OpenRun(session, request);
  const auto result = call.Finish();
  EXPECT_EQ(result.out, "last words\n");
  ASSERT_TRUE(result.ended.has_value());
  EXPECT_EQ(result.ended->how(), v1::CommandEnded::SHELL_ENDED);
  EXPECT_TRUE(broker_.WaitMessage([](const link::v1::AgentMessage& message) {
    return message.session().session().end().reason() ==
           v1::END_REASON_SHELL_EXITED;
  }));
  v1::OpenReceive open;
  open.set_from_offset(0);
  FakeBroker::ClientCall receive = Receive(session, open);
  EXPECT_EQ(receive.Finish().out, "last words\n");
  receive.HalfClose();
  EXPECT_EQ(receive.WaitEnded().code(), 0);
  open.set_from_offset(100);
  EXPECT_EQ(Receive(session, open).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(OpenRun(session, Start("true")).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  // The same command again, as after a lost connection.
  FakeBroker::ClientCall again = OpenRun(session, request);
  EXPECT_EQ(again.Finish().ended->how(), v1::CommandEnded::SHELL_ENDED);
}

TEST_F(AgentTest, KilledHolderEndsTheSessionAndTheCommandIsUnknown) {
  const std::string session = Create();
  FakeBroker::ClientCall call =
      OpenRun(session, Start("echo here; sleep 1000"));
  for (auto event = call.Next(); event && !event->has_output();) {
    event = call.Next();
  }
  pid_t pid = 0;
  FILE* file =
      fopen((State() + "/sessions/" + session + "/holder").c_str(), "r");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(fscanf(file, "pid %d", &pid), 1);
  fclose(file);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  const auto result = call.Finish();
  ASSERT_TRUE(result.ended.has_value());
  EXPECT_EQ(result.ended->how(), v1::CommandEnded::UNKNOWN);
  EXPECT_EQ(result.ended->end_offset(), 5u);
  EXPECT_TRUE(broker_.WaitMessage([](const link::v1::AgentMessage& message) {
    return message.session().session().end().reason() ==
           v1::END_REASON_HOLDER_LOST;
  }));
}

TEST_F(AgentTest, OnlyTheOwnerAndTheHolderGetIn) {
  const std::string session = Create();
  EXPECT_EQ(OpenRun(session, Start("true"), "bob").WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kNotFound));
  link::v1::Request hold;
  hold.set_user("ann");
  hold.mutable_set_holder()->set_instance_id(session);
  *hold.mutable_set_holder()->mutable_holder() = Client("ann@desk");
  EXPECT_EQ(broker_.Ask(hold).code(), 0);
  const link::v1::CallEnded refused =
      OpenRun(session, Start("true")).WaitEnded();
  EXPECT_EQ(refused.code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(refused.message(), HasSubstr("ann@desk"));
  hold.set_user("bob");
  EXPECT_EQ(broker_.Ask(hold).code(),
            static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(AgentTest, WhoMayOnlyWatchATerminalCantType) {
  constexpr int kDenied = static_cast<int>(absl::StatusCode::kPermissionDenied);
  const std::string session = Create();
  v1::TerminalRequest first;
  *first.mutable_open()->mutable_client() = Client("bob@desk");
  first.mutable_open()->set_terminal_id(NewUuid());
  first.mutable_open()->set_mode(v1::TERMINAL_MODE_PEEK);
  first.mutable_open()->mutable_size()->set_rows(24);
  first.mutable_open()->mutable_size()->set_columns(80);
  FakeBroker::ClientCall peek = broker_.OpenAsGuest(
      link::v1::OpenCall::ENTER, "bob", "ann", true, session, first);
  v1::TerminalEvent opened;
  ASSERT_TRUE(opened.ParseFromString(peek.NextFrame().value_or("")));
  EXPECT_TRUE(opened.has_opened());
  // Frames that the broker passes on without looking: a second `open`, and
  // keys.
  v1::TerminalRequest keys;
  keys.mutable_input()->set_data("exit\n");
  peek.Send(keys);
  EXPECT_EQ(peek.WaitEnded().code(), kDenied);
  EXPECT_THAT(peek.WaitEnded().message(), HasSubstr("may only be watched"));
  for (const v1::TerminalMode mode :
       {v1::TERMINAL_MODE_UNSPECIFIED, v1::TERMINAL_MODE_SHARE,
        v1::TERMINAL_MODE_TAKE}) {
    first.mutable_open()->set_mode(mode);
    first.mutable_open()->set_terminal_id(NewUuid());
    EXPECT_EQ(broker_
                  .OpenAsGuest(link::v1::OpenCall::ENTER, "bob", "ann", true,
                               session, first)
                  .WaitEnded()
                  .code(),
              kDenied);
  }
  EXPECT_EQ(broker_
                .OpenAsGuest(link::v1::OpenCall::RUN, "bob", "ann", true,
                             session, Start("true"))
                .WaitEnded()
                .code(),
            kDenied);
  EXPECT_EQ(RunAll(session, "echo lives").out, "lives\n");
}

TEST_F(AgentTest, WhoMayOnlyReceiveNeitherInterruptsNorTakesAnythingAway) {
  const std::string session = Create();
  v1::RunRequest request = Start("echo new");
  request.mutable_start()->set_detach(true);
  EXPECT_EQ(OpenRun(session, request).WaitEnded().code(), 0);
  v1::ReceiveRequest open;
  open.mutable_open();
  FakeBroker::ClientCall guest = broker_.OpenAsGuest(
      link::v1::OpenCall::RECEIVE, "bob", "ann", true, session, open);
  const auto seen = guest.Finish();
  EXPECT_EQ(seen.out, "new\n");
  v1::ReceiveRequest ack;
  ack.mutable_ack()->set_sequence(seen.ended->sequence());
  ack.mutable_ack()->set_offset(seen.ended->end_offset());
  guest.Send(ack);
  EXPECT_EQ(guest.WaitEnded().code(), 0);
  // For its owner it is still new.
  FakeBroker::ClientCall mine = Receive(session);
  EXPECT_EQ(mine.Finish().out, "new\n");
  mine.HalfClose();

  request = Start("sleep 1000");
  request.mutable_start()->set_detach(true);
  EXPECT_EQ(OpenRun(session, request).WaitEnded().code(), 0);
  FakeBroker::ClientCall other = broker_.OpenAsGuest(
      link::v1::OpenCall::RECEIVE, "bob", "ann", true, session, open);
  ASSERT_TRUE(other.Next().has_value());
  v1::ReceiveRequest interrupt;
  interrupt.mutable_interrupt();
  other.Send(interrupt);
  EXPECT_EQ(other.WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kPermissionDenied));
}

TEST_F(AgentTest, AGuestIsNeverTakenForAClientOfTheOwner) {
  const std::string session = Create();
  link::v1::Request hold;
  hold.set_user("ann");
  hold.mutable_set_holder()->set_instance_id(session);
  *hold.mutable_set_holder()->mutable_holder() = Client();
  EXPECT_EQ(broker_.Ask(hold).code(), 0);
  // With the id of the client that holds it, which lists tell.
  const link::v1::CallEnded refused =
      broker_
          .OpenAsGuest(link::v1::OpenCall::RUN, "bob", "ann", false, session,
                       Start("true"))
          .WaitEnded();
  EXPECT_EQ(refused.code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(RunAll(session, "echo mine").out, "mine\n");
}

TEST_F(AgentTest, RemovedSessionIsGoneWithItsLogs) {
  const std::string session = Create();
  FakeBroker::ClientCall call = OpenRun(session, Start("sleep 1000"));
  for (auto event = call.Next(); event && !event->has_started();) {
    event = call.Next();
  }
  EXPECT_EQ(Remove(session).code(), 0);
  EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
    return message.gone().instance_id() == session;
  }));
  EXPECT_FALSE(std::filesystem::exists(State() + "/sessions/" + session));
  EXPECT_EQ(Remove(session).code(),
            static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(AgentTest, TemporarySessionEndsWhenItsCommandsEndWasAcknowledged) {
  const std::string session = CreateTemporary();
  EXPECT_EQ(OpenReceiveCode(session),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  FakeBroker::ClientCall call = OpenRun(session, Start("echo once; exit 3"));
  const auto result = call.Finish();
  EXPECT_EQ(result.out, "once\n");
  ASSERT_TRUE(result.ended.has_value());
  // Another command is not what it is for.
  const link::v1::CallEnded second =
      OpenRun(session, Start("true")).WaitEnded();
  EXPECT_EQ(second.code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(second.message(), HasSubstr("is temporary"));
  v1::RunRequest ack;
  ack.mutable_ack()->set_sequence(result.ended->sequence());
  ack.mutable_ack()->set_offset(result.ended->end_offset());
  call.Send(ack);
  call.HalfClose();
  EXPECT_EQ(call.WaitEnded().code(), 0);
  // Nothing was said of it in between.
  bool reported = false;
  EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
    reported |= message.session().session().instance_id() == session;
    return message.gone().instance_id() == session;
  }));
  EXPECT_FALSE(reported);
  EXPECT_FALSE(std::filesystem::exists(State() + "/sessions/" + session));
}

TEST_F(AgentTest, TemporarySessionOfALostClientBecomesAnOrdinaryOne) {
  const std::string session = CreateTemporary();
  FakeBroker::ClientCall call = OpenRun(session, Start("X=kept"));
  EXPECT_TRUE(call.Finish().ended.has_value());
  call.HalfClose();  // It never says that it got the end.
  EXPECT_EQ(call.WaitEnded().code(), 0);
  EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
    const v1::Session& report = message.session().session();
    return report.instance_id() == session && !report.temporary() &&
           !report.has_holder() && report.has_expires_at();
  }));
  EXPECT_EQ(RunAll(session, "echo $X").out, "kept\n");
  made_.push_back(session);

  // So does one whose agent was killed.
  const std::string other = CreateTemporary();
  EXPECT_EQ(agent_->StopWith(SIGKILL), 128 + SIGKILL);
  StartAgent();
  ASSERT_EQ(hello_.sessions_size(), 2);
  for (const auto& report : hello_.sessions()) {
    EXPECT_FALSE(report.session().temporary());
    EXPECT_FALSE(report.session().has_holder());
  }
  made_.push_back(other);
}

TEST_F(AgentTest, SettingsOfASessionAreCheckedAndReported) {
  link::v1::Request request;
  request.set_user("ann");
  link::v1::CreateRequest& create = *request.mutable_create();
  create.set_instance_id(NewUuid());
  create.set_id(1);
  create.set_name("test");
  create.set_owner("ann");
  create.set_cwd("/no/such/directory");
  const link::v1::Reply refused = broker_.Ask(request);
  EXPECT_EQ(refused.code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(refused.message(), HasSubstr("/no/such/directory"));
  create.set_cwd("/usr");
  create.set_never_idles(true);
  EXPECT_EQ(broker_.Ask(request).code(),
            static_cast<int>(absl::StatusCode::kPermissionDenied));
  create.set_never_idles(false);
  create.set_buffering(v1::BUFFERING_MODE_DROP);
  const link::v1::Reply reply = broker_.Ask(request);
  ASSERT_EQ(reply.code(), 0) << reply.message();
  made_.push_back(create.instance_id());
  EXPECT_EQ(reply.session().session().buffering(), v1::BUFFERING_MODE_DROP);
  EXPECT_EQ(reply.session().session().log_limit(), 64u << 20);
  EXPECT_EQ(reply.session().session().shell(), v1::SHELL_KIND_BASH);
  EXPECT_EQ(RunAll(create.instance_id(), "pwd").out, "/usr\n");
  EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
    return message.session().session().last_command().what() == "pwd";
  }));
}

TEST_F(AgentTest, ConfigurationsAreReadAgainWhenItIsTold) {
  const std::string directory = State() + "/configurations.d";
  mkdir(directory.c_str(), 0700);
  berth::testing::WriteTextFile(directory + "/extra.toml", "cwd = \"/usr\"");
  ASSERT_EQ(kill(agent_->pid(), SIGHUP), 0);
  EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& message) {
    const auto& changed = message.configurations_changed();
    return changed.configurations_size() == 2 &&
           changed.configurations(0).is_default() &&
           changed.configurations(1).name() == "extra";
  }));
}

TEST_F(AgentTest, TakesNoMoreCallsThanItsLimit) {
  constexpr size_t kLimit = 512;
  // A holder takes 256 connections at most.
  const std::vector<std::string> sessions = {Create(), Create(), Create()};
  std::vector<FakeBroker::ClientCall> calls;
  v1::RunRequest open;
  *open.mutable_open()->mutable_client() = Client();
  for (size_t i = 0; i < kLimit; ++i) {
    calls.push_back(OpenRun(sessions[i % sessions.size()], open));
  }
  // Each is there.
  for (FakeBroker::ClientCall& call : calls) {
    const auto first = call.Next();
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(first->has_opened());
  }
  const link::v1::CallEnded refused = OpenRun(sessions[0], open).WaitEnded();
  EXPECT_EQ(refused.code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(refused.message(), HasSubstr("512 calls open, its limit"));
  calls[0].HalfClose();
  EXPECT_EQ(calls[0].WaitEnded().code(), 0);
  // The call is counted until just after its end was told.
  for (int tries = 0;; ++tries) {
    FakeBroker::ClientCall again = OpenRun(sessions[0], Start("echo room"));
    const auto result = again.Finish();
    if (result.ended.has_value()) {
      EXPECT_EQ(result.out, "room\n");
      again.HalfClose();
      EXPECT_EQ(again.WaitEnded().code(), 0);
      break;
    }
    ASSERT_LT(tries, 100);
  }
  for (size_t i = 1; i < calls.size(); ++i) calls[i].HalfClose();
  for (FakeBroker::ClientCall& call : calls) call.WaitEnded();
}

TEST_F(AgentTest, MalformedFramesEndTheCallAlone) {
  const std::string session = Create();
  EXPECT_EQ(OpenRun(session, v1::RunRequest()).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  v1::RunRequest bad_id = Start("true", "no-uuid");
  EXPECT_EQ(OpenRun(session, bad_id).WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  FakeBroker::ClientCall call = OpenRun(session, Start("sleep 1000"));
  v1::RunRequest second = Start("true");
  second.clear_open();
  call.Send(second);
  EXPECT_EQ(call.WaitEnded().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
}

TEST_F(AgentTest, SecondAgentOnTheSameDirectoryIsRefused) {
  auto second = Process::Run(
      {.argv = {Binary("BERTH_AGENT"), "serve", "--state-dir", State()}});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->exit_code, 1);
  EXPECT_THAT(second->err, HasSubstr("another agent"));
}

}  // namespace
}  // namespace berth::agent

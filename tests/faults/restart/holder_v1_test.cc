// An agent with a holder of the version before: it is spoken to in that
// version's messages alone, and its session can be used.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/holder/identity_file.h"
#include "base/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/fake_broker.h"
#include "tests/faults/restart/old_holder.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using agent::FakeBroker;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFixtures[] = "tests/faults/restart/fixtures/v1";
constexpr char kId[] = "0c6e1cbe-7a3e-4c0a-9d5e-0d6c1a2b3c4d";
// What was run in the recorded session.
constexpr char kCommand[] = "11111111-2222-4333-8444-555555555555";
constexpr char kScript[] = "echo hello from 1; echo err >&2";

class HolderV1Test : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* made : {"/home", "/state", "/state/sessions"}) {
      mkdir((dir_.path() + made).c_str(), 0700);
    }
    const std::string directory =
        absl::StrCat(dir_.path(), "/state/sessions/", kId);
    mkdir(directory.c_str(), 0700);
    old_ = std::make_unique<OldHolder>(directory, kFixtures);
    // As an agent of that version left it: without a profile.
    WriteTextFile(directory + "/record",
                  absl::StrCat("instance_id: \"", kId,
                               "\" id: 1 name: \"Session1\" owner: \"ann\" "
                               "computer: \"web01\" configuration: \"default\" "
                               "idle_timeout { seconds: 7200 } shell_pid: ",
                               old_->pid()));
    auto identity = holder::OwnIdentity();
    ASSERT_TRUE(identity.ok());
    identity->pid = old_->pid();
    const std::string stat =
        ReadTextFile(absl::StrCat("/proc/", old_->pid(), "/stat"));
    std::vector<std::string> fields =
        absl::StrSplit(stat.substr(stat.rfind(')') + 2), ' ');
    ASSERT_GT(fields.size(), 22u - 3);
    ASSERT_TRUE(absl::SimpleAtoi(fields[22 - 3], &identity->start_ticks));
    identity->version = 1;
    ASSERT_TRUE(
        holder::WriteIdentityFile(directory + "/holder", *identity).ok());
    broker_.WriteAgentState(dir_.path() + "/state", "web01");
    auto agent = Process::Start(
        {.argv = {std::filesystem::absolute(getenv("BERTH_AGENT")), "serve",
                  "--state-dir", dir_.path() + "/state", "--holder",
                  std::filesystem::absolute(getenv("BERTH_HOLDER"))},
         .environment = std::vector<std::string>{"HOME=" + dir_.path(),
                                                 "PATH=/usr/bin:/bin"},
         .stderr_path = dir_.path() + "/agent.log"});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_.emplace(*std::move(agent));
    ASSERT_TRUE(agent_->WaitForLine("ready").ok());
    hello_ = broker_.WaitHello();
  }

  void TearDown() override {
    EXPECT_THAT(old_->NotUnderstood(), IsEmpty());
    EXPECT_EQ(agent_->StopWith(SIGTERM), 0);
  }

  v1::Client Client() const {
    v1::Client client;
    client.set_id("99999999-2222-4333-8444-555555555555");
    return client;
  }

  TempDir dir_;
  FakeBroker broker_;
  std::unique_ptr<OldHolder> old_;
  std::optional<Process> agent_;
  link::v1::Hello hello_;
};

TEST_F(HolderV1Test, SessionIsTakenUp) {
  ASSERT_EQ(hello_.sessions_size(), 1);
  const v1::Session& session = hello_.sessions(0).session();
  EXPECT_EQ(session.instance_id(), kId);
  EXPECT_FALSE(session.has_end());
  EXPECT_EQ(session.activity().kind(), v1::Activity::IDLE);
  EXPECT_EQ(session.cwd(), "/");
}

TEST_F(HolderV1Test, CommandIsRunAndReceived) {
  v1::RunRequest run;
  *run.mutable_open()->mutable_client() = Client();
  run.mutable_start()->set_script(kScript);
  run.mutable_start()->set_command_id(kCommand);
  FakeBroker::ClientCall call =
      broker_.Open(link::v1::OpenCall::RUN, "ann", kId, run);
  auto result = call.Finish();
  ASSERT_TRUE(result.ended.has_value());
  EXPECT_EQ(result.ended->how(), v1::CommandEnded::COMPLETED);
  EXPECT_EQ(result.out, "hello from 1\n");
  EXPECT_EQ(result.err, "err\n");
  v1::RunRequest ack;
  ack.mutable_ack()->set_offset(17);
  call.Send(ack);
  call.HalfClose();
  EXPECT_EQ(call.WaitEnded().code(), 0);

  v1::ReceiveRequest receive;
  *receive.mutable_open()->mutable_client() = Client();
  receive.mutable_open()->set_command_id(kCommand);
  receive.mutable_open()->set_from_offset(6);
  FakeBroker::ClientCall again =
      broker_.Open(link::v1::OpenCall::RECEIVE, "ann", kId, receive);
  result = again.Finish();
  again.HalfClose();
  EXPECT_EQ(result.out, "from 1\n");
  EXPECT_EQ(again.WaitEnded().code(), 0);
}

TEST_F(HolderV1Test, TerminalIsEnteredWithoutScreensAndVisits) {
  v1::TerminalRequest enter;
  v1::OpenTerminal& open = *enter.mutable_open();
  *open.mutable_client() = Client();
  open.set_terminal_id(NewUuid());
  open.mutable_size()->set_rows(30);
  open.mutable_size()->set_columns(100);
  open.set_term("xterm");
  // As if it had been there before: what version 2 would ask a screen for.
  open.set_from_offset(0);
  enter.set_redraw(true);
  FakeBroker::ClientCall call =
      broker_.Open(link::v1::OpenCall::ENTER, "ann", kId, enter);
  std::string shown;
  bool typed = false;
  bool taken = false;
  while (shown.find("typed\r\n\033") == std::string::npos || !taken) {
    const std::optional<std::string> frame = call.NextFrame();
    ASSERT_TRUE(frame.has_value()) << shown;
    v1::TerminalEvent event;
    ASSERT_TRUE(event.ParseFromString(*frame));
    EXPECT_FALSE(event.has_screen());
    shown += event.output().data();
    taken = taken || event.input_taken().offset() == 11;
    if (event.has_opened()) {
      v1::TerminalRequest input;
      input.mutable_input()->set_data("echo typed\r");
      call.Send(input);
      typed = true;
    }
  }
  EXPECT_TRUE(typed);
  v1::TerminalRequest detach;
  detach.set_detach(true);
  call.Send(detach);
  EXPECT_EQ(call.WaitEnded().code(), 0);
  EXPECT_THAT(old_->Asked(), Contains("watch_terminal"));
  EXPECT_THAT(old_->Asked(), Contains("terminal_input"));
}

TEST_F(HolderV1Test, WhatItCantDoIsRefusedAndNotAskedOfIt) {
  link::v1::Request request;
  request.set_user("ann");
  link::v1::SetHolderRequest& set = *request.mutable_set_holder();
  set.set_instance_id(kId);
  *set.mutable_holder() = Client();
  set.set_buffering(v1::BUFFERING_MODE_DROP);
  const link::v1::Reply reply = broker_.Ask(request);
  EXPECT_EQ(reply.code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(reply.message(), HasSubstr("made by an older agent"));
}

TEST_F(HolderV1Test, SessionIsEnded) {
  link::v1::Request request;
  request.set_user("ann");
  request.mutable_remove()->set_instance_id(kId);
  const link::v1::Reply reply = broker_.Ask(request);
  EXPECT_EQ(reply.code(), 0) << reply.message();
  EXPECT_THAT(old_->Asked(), Contains("terminate"));
}

}  // namespace
}  // namespace berth::testing

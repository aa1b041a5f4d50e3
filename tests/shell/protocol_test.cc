// What a holder promises its peers, and what no peer can do to it: each
// connection is on its own, and whatever comes on one, the session goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/uuid.h"
#include "tests/shell/shell_test.h"
#include "tests/support/holder_client.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StatusCode;
using absl::StrCat;
using holder::v1::Event;
using holder::v1::Request;
using ::testing::HasSubstr;

class ProtocolTest : public ShellTest {
 protected:
  void ExpectAlive() { Run("echo alive", {.out = "alive\n"}); }

  HolderClient Client() {
    auto client = session().Connect();
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  // Sends a start, as the raw protocol has it.
  void SendStart(HolderClient& client, const Request& request,
                 const std::string& script) {
    auto file = MemoryFile(script);
    ASSERT_TRUE(file.ok()) << file.status();
    Check(client.Send(request, file->get()));
  }

  // Takes events until one of that kind comes.
  Event Await(HolderClient& client, Event::EventCase kind,
              Location where = Location::current()) {
    while (!HasFailure()) {
      absl::StatusOr<Event> event = client.Next();
      if (!Check(event.status(), where)) break;
      if (event->event_case() == kind) return *std::move(event);
    }
    return Event();
  }

  Submission Script(const std::string& script,
                    absl::Duration wait = absl::ZeroDuration()) {
    Submission submission;
    submission.script = script;
    submission.wait = wait;
    return submission;
  }
};

// --- Ids.

TEST_F(ProtocolTest, SameIdAgainAttachesInsteadOfRunningTwice) {
  Repeat([&](int) {
    const std::string id = NewUuid();
    const std::string script = "echo once >>~/count; sleep 0.05; echo out";
    Submission submission = Script(script, absl::Seconds(5));
    submission.command_id = id;
    auto sequence = session().Submit(submission);
    if (!Check(sequence.status())) return;
    HolderClient second = Client();
    SendStart(second, StartRequest(id, script), script);
    Event started = Await(second, Event::kStarted);
    EXPECT_EQ(started.started().sequence(), *sequence);
    EXPECT_TRUE(started.started().attached());
    Event ended = Await(second, Event::kEnded);
    EXPECT_EQ(ended.ended().command_id(), id);
    EXPECT_EQ(ended.ended().end_offset(), 4u);
    Finish(*sequence, {.out = "out\n"});
    Run("cat ~/count; rm ~/count", {.out = "once\n"});
  });
}

TEST_F(ProtocolTest, SameIdAfterTheEndTellsTheEnd) {
  Submission submission = Script("echo a; (exit 5)");
  submission.command_id = NewUuid();
  auto first = session().Run(submission);
  ASSERT_TRUE(first.ok()) << first.status();
  HolderClient second = Client();
  SendStart(second, StartRequest(submission.command_id, submission.script),
            submission.script);
  EXPECT_TRUE(Await(second, Event::kStarted).started().attached());
  Event ended = Await(second, Event::kEnded);
  EXPECT_EQ(ended.ended().exit_code(), 5);
  EXPECT_EQ(ended.ended().end_offset(), 2u);
}

TEST_F(ProtocolTest, SameIdWithAnotherScriptIsRefused) {
  Submission submission = Script("echo a");
  submission.command_id = NewUuid();
  ASSERT_TRUE(session().Run(submission).ok());
  submission.script = "echo b";
  auto second = session().Submit(submission);
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists)
      << second.status();
  EXPECT_THAT(second.status().message(), HasSubstr(submission.command_id));
  ExpectAlive();
}

TEST_F(ProtocolTest, FollowingAnUnknownCommandIsRefused) {
  auto unknown = session().Follow(NewUuid());
  EXPECT_EQ(unknown.status().code(), StatusCode::kNotFound) << unknown.status();
  HolderClient client = Client();
  Request request;
  request.mutable_start()->set_follow_only(true);
  request.mutable_start()->set_sequence(4711);
  Check(client.Send(request));
  Event refused = Await(client, Event::kRefused);
  EXPECT_EQ(refused.refused().code(), static_cast<int>(StatusCode::kNotFound));
}

TEST_F(ProtocolTest, CommandIsFollowedByItsNumber) {
  Result result = Run("echo abc");
  HolderClient client = Client();
  Request request;
  request.mutable_start()->set_follow_only(true);
  request.mutable_start()->set_sequence(result.sequence);
  Check(client.Send(request));
  EXPECT_EQ(Await(client, Event::kStarted).started().sequence(),
            result.sequence);
  EXPECT_EQ(Await(client, Event::kEnded).ended().end_offset(), 4u);
}

TEST_F(ProtocolTest, StartThatIsMalformedIsRefused) {
  struct {
    const char* name;
    Request request;
    bool with_script;
  } cases[] = {
      {"NoScript", StartRequest(NewUuid(), "echo x"), false},
      {"IdIsNoUuid", StartRequest("no uuid", "echo x"), true},
      {"NoId", StartRequest("", "echo x"), true},
  };
  for (auto& [name, request, with_script] : cases) {
    SCOPED_TRACE(name);
    HolderClient client = Client();
    if (with_script) {
      SendStart(client, request, "echo x");
    } else {
      Check(client.Send(request));
    }
    Event refused = Await(client, Event::kRefused);
    EXPECT_EQ(refused.refused().code(),
              static_cast<int>(StatusCode::kInvalidArgument))
        << refused.refused().message();
    EXPECT_NE(refused.refused().message(), "");
  }
  ExpectAlive();
}

// --- The queue.

TEST_F(ProtocolTest, NextRunIsTakenAtOnceAfterTheEndOfTheOneBefore) {
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    auto result = session().Run(Script("true"));
    Check(result.status());
  }
}

TEST_F(ProtocolTest, BusySessionRefusesARunThatDoesNotWait) {
  uint64_t first = Begin("sleep 30 # the first");
  auto second = session().Submit(Script("echo x"));
  EXPECT_EQ(second.status().code(), StatusCode::kAborted) << second.status();
  EXPECT_THAT(second.status().message(), HasSubstr("the first"));
  Interrupt(first);
  Finish(first, {.status = 130, .err = kAny});
}

TEST_F(ProtocolTest, RunThatWaitsTooLongIsRefusedAndNeverRuns) {
  uint64_t first = Begin("sleep 30");
  auto second =
      session().Submit(Script("touch ~/ran", absl::Milliseconds(100)));
  if (!Check(second.status())) return;
  auto result = session().Wait(*second);
  if (result.ok()) {
    EXPECT_EQ(result->how, How::kNotStarted);
  } else {
    EXPECT_EQ(result.status().code(), StatusCode::kAborted) << result.status();
  }
  Interrupt(first);
  Finish(first, {.status = 130, .err = kAny});
  Run("test -e ~/ran", {.status = 1});
}

TEST_F(ProtocolTest, QueuedRunsExecuteInTheirOrder) {
  Repeat([&](int) {
    uint64_t first =
        Begin("until [ -e ~/go ]; do sleep 0.01; done; rm ~/go; order=");
    std::vector<uint64_t> queued;
    for (int k = 0; k < 8; ++k) {
      queued.push_back(Queue(StrCat("order=${order}", k)));
    }
    WriteTextFile(session().home() + "/go", "");
    Finish(first);
    for (uint64_t sequence : queued) Finish(sequence);
    Run("echo $order", {.out = "01234567\n"});
  });
}

TEST_F(ProtocolTest, QueueHasALimitAndSaysSo) {
  uint64_t first = Begin("sleep 60");
  absl::Status refused;
  int queued = 0;
  for (; queued < 5000 && refused.ok() && !HasFailure(); ++queued) {
    refused = session().Submit(Script("true", absl::Minutes(1))).status();
  }
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted) << refused;
  EXPECT_GE(queued, 16);
  Interrupt(first);
  Finish(first, {.status = 130, .err = kAny});
  // What was queued still runs, and then there is room again.
  auto result = session().Run(Script("echo room", absl::Minutes(1)));
  if (!Check(result.status())) return;
  EXPECT_EQ(result->out, "room\n");
}

TEST_F(ProtocolTest, WithdrawnRunNeverStarts) {
  uint64_t first = Begin("sleep 30");
  uint64_t second = Queue("touch ~/ran");
  Request request;
  request.mutable_withdraw()->set_sequence(second);
  Check(session().client().Send(request));
  auto result = session().Wait(second);
  if (result.ok()) {
    EXPECT_EQ(result->how, How::kNotStarted);
  }
  Interrupt(first);
  Finish(first, {.status = 130, .err = kAny});
  Run("test -e ~/ran", {.status = 1});
}

TEST_F(ProtocolTest, TimeoutInterruptsTheRun) {
  Repeat([&](int) {
    Submission submission = Script("sleep 30; echo NOT", absl::Seconds(5));
    submission.timeout = absl::Milliseconds(100);
    auto result = session().Run(submission);
    if (!Check(result.status())) return;
    EXPECT_EQ(result->how, How::kTimedOut);
    EXPECT_EQ(result->out, "");
    EXPECT_LT(result->took, absl::Seconds(5));
  });
}

// --- Input.

TEST_F(ProtocolTest, InputThatComesTwiceIsTakenOnce) {
  Submission submission = Script("cat");
  submission.more_input = true;
  auto sequence = session().Submit(submission);
  if (!Check(sequence.status())) return;
  auto send = [&](uint64_t offset, const char* data, bool eof) {
    Request request;
    request.mutable_stdin()->set_sequence(*sequence);
    request.mutable_stdin()->set_offset(offset);
    request.mutable_stdin()->set_data(data);
    request.mutable_stdin()->set_eof(eof);
    Check(session().client().Send(request));
  };
  Check(session().WaitUntil(
      [&] { return session().command(*sequence).input_credit >= 16; },
      "credit"));
  send(0, "abc", false);
  send(0, "abc", false);
  send(1, "bcdef", false);  // Half of it is new.
  send(6, "g", true);
  send(6, "g", true);
  Finish(*sequence, {.out = "abcdefg"});
}

TEST_F(ProtocolTest, InputAfterAGapIsNotTaken) {
  Submission submission = Script("cat");
  submission.more_input = true;
  auto sequence = session().Submit(submission);
  if (!Check(sequence.status())) return;
  Request request;
  request.mutable_stdin()->set_sequence(*sequence);
  request.mutable_stdin()->set_offset(100);
  request.mutable_stdin()->set_data("after the gap");
  Check(session().client().Send(request));
  // Still open, and the right input is taken.
  session().Feed(*sequence, "right", true);
  Result result = Finish(*sequence);
  EXPECT_EQ(result.out, "right");
}

TEST_F(ProtocolTest, InputOfAnUnknownCommandIsHarmless) {
  for (uint64_t sequence : {uint64_t{0}, uint64_t{4711}, ~uint64_t{0}}) {
    Request stdin_request, interrupt, ack, withdraw;
    stdin_request.mutable_stdin()->set_sequence(sequence);
    stdin_request.mutable_stdin()->set_data("x");
    interrupt.mutable_interrupt()->set_sequence(sequence);
    ack.mutable_ack()->set_sequence(sequence);
    ack.mutable_ack()->set_offset(~uint64_t{0});
    withdraw.mutable_withdraw()->set_sequence(sequence);
    for (const Request& request : {stdin_request, interrupt, ack, withdraw}) {
      Check(session().client().Send(request));
    }
  }
  ExpectAlive();
}

// --- Peers that misbehave.

TEST_F(ProtocolTest, PacketsThatAreNoRequestsDisturbNobodyElse) {
  const std::string packets[] = {
      std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11),
      std::string("\x12\x7f", 2),
      std::string(1000, '\0'),
      "GET / HTTP/1.1\r\n\r\n",
      "",
  };
  for (const std::string& packet : packets) {
    HolderClient client = Client();
    Check(client.SendRaw(packet));
    Check(session().Sync());
  }
  ExpectAlive();
}

TEST_F(ProtocolTest, PacketThatIsTooBigDisturbsNobodyElse) {
  Repeat([&](int) {
    HolderClient client = Client();
    // A peer may be cut off for it, but nobody else.
    client.SendRaw(std::string(200 * 1024, 'x')).IgnoreError();
    Request request;
    request.mutable_start()->set_what(std::string(180 * 1024, 'y'));
    client.Send(request).IgnoreError();
    ExpectAlive();
  });
}

TEST_F(ProtocolTest, DescriptorsThatNobodyAskedForAreClosed) {
  Run("true");
  const size_t before = OpenFiles(session().holder_pid());
  {
    HolderClient client = Client();
    auto file = MemoryFile("unwanted");
    if (!Check(file.status())) return;
    Request request;
    request.mutable_describe();
    for (int k = 0; k < 100 && client.connected(); ++k) {
      if (!client.Send(request, file->get()).ok()) break;
      client.Next(absl::Seconds(1)).status().IgnoreError();
    }
  }
  ExpectAlive();
  Check(session().WaitUntil(
      [&] {
        session().Idle(absl::Milliseconds(1));
        return OpenFiles(session().holder_pid()) <= before;
      },
      "the holder closing descriptors"));
}

TEST_F(ProtocolTest, FloodOfConnectionsDisturbsNobodyElse) {
  const size_t before = OpenFiles(session().holder_pid());
  {
    std::vector<HolderClient> clients;
    for (int k = 0; k < 500; ++k) {
      auto client = session().Connect();
      // Turned away is as good as taken.
      if (client.ok()) clients.push_back(*std::move(client));
    }
    ExpectAlive();
  }
  ExpectAlive();
  Check(session().WaitUntil(
      [&] {
        session().Idle(absl::Milliseconds(1));
        return OpenFiles(session().holder_pid()) <= before;
      },
      "the holder closing connections"));
}

TEST_F(ProtocolTest, PeerThatNeverReadsDisturbsNobodyElse) {
  HolderClient silent = Client();
  Request attach, watch;
  attach.mutable_attach();
  watch.mutable_watch_terminal();
  Check(silent.Send(attach));
  Check(silent.Send(watch));
  const std::string script = "for ((i=0;i<3000;i++)); do echo $i; done";
  SendStart(silent, StartRequest(NewUuid(), script), script);
  Run("seq 200000 >/dev/tty");
  for (int k = 0; k < 300 && !HasFailure(); ++k) ExpectAlive();
#ifndef BERTH_ASAN  // It keeps what was freed, and shadows of it.
  EXPECT_LT(PrivateDirtyKilobytes(session().holder_pid()), 32 * 1024);
#endif
}

TEST_F(ProtocolTest, PeerOfAnotherUserIsTurnedAway) {
  if (getuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  // Even if it could reach the socket.
  const std::string& directory = session().directory();
  std::string parent = directory.substr(0, directory.rfind('/'));
  ASSERT_EQ(chmod(parent.c_str(), 0755), 0);
  ASSERT_EQ(chmod(directory.c_str(), 0755), 0);
  ASSERT_EQ(chmod((directory + "/socket").c_str(), 0777), 0);
  pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setresuid(kNobody, kNobody, kNobody) != 0) _exit(3);
    auto client = HolderClient::Connect(directory + "/socket");
    if (!client.ok()) _exit(0);
    Request request;
    request.mutable_describe();
    client->Send(request).IgnoreError();
    _exit(absl::IsUnavailable(client->Next(absl::Seconds(5)).status()) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it was answered";
  ExpectAlive();
}

// --- Connections come and go.

TEST_F(ProtocolTest, OutputIsExactThoughTheConnectionBreaksInTheMiddle) {
  Repeat([&](int) {
    Submission submission = Script(
        "for ((i=0;i<20000;i++)); do echo \"line $i\"; done", absl::Seconds(5));
    submission.command_id = NewUuid();
    auto sequence = session().Submit(submission);
    if (!Check(sequence.status())) return;
    for (uint64_t reached = 1; reached < 100'000; reached += 30'000) {
      Check(session().WaitUntil(
          [&] { return session().command(*sequence).logged >= reached; },
          "some output"));
      Check(session().Reconnect());
      auto again = session().Follow(submission.command_id);
      if (!Check(again.status())) return;
      EXPECT_EQ(*again, *sequence);
    }
    std::string want;
    for (int k = 0; k < 20000; ++k) want += StrCat("line ", k, "\n");
    std::string out = Finish(*sequence).out;
    EXPECT_EQ(out.size(), want.size());
    EXPECT_TRUE(out == want);
  });
}

TEST_F(ProtocolTest, CommandGoesOnWithoutAnyConnection) {
  Submission submission = Script("sleep 0.1; echo done");
  submission.command_id = NewUuid();
  ASSERT_TRUE(session().Submit(submission).ok());
  session().client().Close();
  absl::SleepFor(absl::Milliseconds(200));  // Longer than the command.
  Check(session().Reconnect());
  auto sequence = session().Follow(submission.command_id);
  if (!Check(sequence.status())) return;
  Finish(*sequence, {.out = "done\n"});
}

TEST_F(ProtocolTest, StateTellsWhatTheShellDoes) {
  EXPECT_EQ(session().state().kind(), State::IDLE);
  EXPECT_EQ(session().state().shell_pid(),
            static_cast<uint32_t>(session().shell_pid()));
  Run("cd /usr");
  Check(session().Sync());
  EXPECT_EQ(session().state().cwd(), "/usr");
  uint64_t sequence = Begin("sleep 30 # hello");
  Queue("true");
  Check(session().Sync());
  EXPECT_EQ(session().state().kind(), State::COMMAND);
  EXPECT_THAT(session().state().what(), HasSubstr("sleep 30 # hello"));
  EXPECT_EQ(session().state().command_id(), session().command(sequence).id);
  EXPECT_EQ(session().state().queued(), 1u);
  EXPECT_GT(session().state().since_ns(), 0);
  Interrupt(sequence);
  Finish(sequence, {.status = 130, .err = kAny});
  Type("cat\n");
  Check(session().WaitState(State::TERMINAL));
  TypeUntilPrompt("\x04");
}

TEST_F(ProtocolTest, TerminalIsRememberedForWhoWatchesLater) {
  size_t from = session().terminal().size();
  TypeLine("echo remembered");
  ExpectPrinted(from, "remembered");
  HolderClient later = Client();
  Request watch;
  watch.mutable_watch_terminal()->set_from_offset(0);
  Check(later.Send(watch));
  std::string seen;
  while (!HasFailure() && seen.find("remembered\r\n") == std::string::npos) {
    seen += Await(later, Event::kTerminalOutput).terminal_output().data();
  }
}

// --- The log.

TEST_F(ProtocolTest, StateSaysWhatTheLogHolds) {
  Run("true");
  const uint64_t first = Begin("head -c 100000 /dev/zero");
  const HolderSession::Command& command = session().command(first);
  Check(session().WaitUntil([&] { return command.ended.has_value(); },
                            "its end"));
  Check(session().WaitState(State::IDLE));
  EXPECT_EQ(session().state().log_bytes(), 100'000u);
  EXPECT_EQ(session().state().unacknowledged_bytes(), 100'000u);
  EXPECT_EQ(session().state().dropped_bytes(), 0u);
  EXPECT_EQ(session().state().last_ended().sequence(), first);
  EXPECT_EQ(session().state().last_ended().end_offset(), 100'000u);
  Check(session().Acknowledge(first, 30'000, false));
  Check(session().Sync());
  EXPECT_EQ(session().state().log_bytes(), 100'000u);
  EXPECT_EQ(session().state().unacknowledged_bytes(), 70'000u);
  Check(session().Acknowledge(first, 100'000, true));
  Check(session().Sync());
  EXPECT_EQ(session().state().unacknowledged_bytes(), 0u);
  EXPECT_EQ(session().state().log_bytes(), 100'000u);
  Run("exit 3", {.status = 3});
  Check(session().WaitUntil(
      [&] { return session().state().last_ended().exit_code() == 3; },
      "a state with its end"));
}

TEST_F(ProtocolTest, BufferingChangesAtOnce) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  Restart(options);
  auto set = [&](holder::v1::HolderStart::WhenFull when_full) {
    Request request;
    request.mutable_set_buffering()->set_when_full(when_full);
    Check(session().client().Send(request));
  };
  const uint64_t first = Begin("head -c 4000000 /dev/zero; echo END");
  if (HasFailure()) return;
  const HolderSession::Command& stopped = session().command(first);
  Check(session().WaitUntil([&] { return stopped.logged > 900'000; },
                            "a full log"));
  session().Idle(absl::Milliseconds(50));
  EXPECT_FALSE(stopped.ended);
  set(holder::v1::HolderStart::DROP);
  Check(session().WaitUntil([&] { return stopped.ended.has_value(); },
                            "the end of the command that was stopped"));
  if (HasFailure()) return;
  EXPECT_EQ(stopped.ended->end_offset(), 4'000'004u);
  Check(session().Sync());
  const State& state = session().state();
  EXPECT_GT(state.dropped_bytes(), 2'500'000u);
  EXPECT_EQ(state.dropped_bytes() + state.log_bytes(), 4'000'004u);
  EXPECT_EQ(state.unacknowledged_bytes(), state.log_bytes());
  // And back.
  set(holder::v1::HolderStart::BLOCK);
  Check(session().Acknowledge(first, 4'000'004, true));
  const uint64_t second = Begin("head -c 4000000 /dev/zero; echo END");
  if (HasFailure()) return;
  session().Idle(absl::Milliseconds(100));
  EXPECT_FALSE(session().command(second).ended);
  session().TakeWhileItComes(second);
  EXPECT_EQ(Finish(second).out.size(), 4'000'004u);
  // What says nothing changes nothing.
  set(holder::v1::HolderStart::WHEN_FULL_UNSPECIFIED);
  ExpectAlive();
}

TEST_F(ProtocolTest, StateComesWhenAnEndHadToWait) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  Restart(options);
  const uint64_t sequence = Begin("head -c 1080000 /dev/zero");
  if (HasFailure()) return;
  Check(session().WaitState(State::IDLE));
  EXPECT_FALSE(session().state().has_last_ended());
  session().TakeWhileItComes(sequence);
  Check(session().WaitUntil(
      [&] { return session().state().last_ended().sequence() == sequence; },
      "a state with its end"));
}

TEST_F(ProtocolTest, FullLogThatDropsShowsAGapAndTheEnd) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  options.when_full = holder::v1::HolderStart::DROP;
  Restart(options);
  if (HasFailure()) return;
  Submission submission = Script(
      "head -c 4000000 /dev/zero | tr '\\0' x; "
      "echo END");
  auto sequence = session().Submit(submission);
  if (!Check(sequence.status())) return;
  const HolderSession::Command& command = session().command(*sequence);
  Check(session().WaitUntil([&] { return command.ended.has_value(); },
                            "its end"));
  if (HasFailure()) return;
  EXPECT_EQ(command.ended->end_offset(), 4'000'004u);
  auto logged = session().ReadLog(*sequence, 0, 4'000'004);
  if (!Check(logged.status())) return;
  EXPECT_GT(logged->gap, 2'000'000u);
  EXPECT_EQ(logged->gap + logged->out.size(), 4'000'004u);
  ASSERT_GE(logged->out.size(), 5u);
  EXPECT_EQ(logged->out.substr(logged->out.size() - 5), "xEND\n");
  ExpectAlive();
}

TEST_F(ProtocolTest, AcknowledgedOutputCanBeReadAgainWithoutPressure) {
  Result result = Run("echo again");  // Which acknowledges it.
  auto logged = session().ReadLog(result.sequence, 0, result.out.size());
  if (!Check(logged.status())) return;
  EXPECT_EQ(logged->out, "again\n");
  EXPECT_EQ(logged->gap, 0u);
}

}  // namespace
}  // namespace berth::testing

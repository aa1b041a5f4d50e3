#include "tests/model/walk.h"

#include <signal.h>

#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/uuid.h"
#include "gtest/gtest.h"

namespace berth::model {
namespace {

using absl::StatusCode;
using agent::FakeBroker;
using State = WalkSession::Command::State;

constexpr size_t kMaxSessions = 4;
constexpr size_t kMaxQueued = 3;
constexpr size_t kHistory = 400;
// So that they have to be ended, and made, now and then.
constexpr size_t kManyCommands = 200;

v1::Client ClientOf(const std::string& id) {
  v1::Client client;
  client.set_id(id);
  client.set_name("a client");
  return client;
}

v1::RunRequest StartOf(const std::string& client, const std::string& id,
                       const std::string& script) {
  v1::RunRequest request;
  *request.mutable_open()->mutable_client() = ClientOf(client);
  request.mutable_start()->set_script(script);
  request.mutable_start()->set_command_id(id);
  request.mutable_start()->set_from_offset(0);
  request.mutable_start()->set_exit_ends_session(script == kEnd);
  return request;
}

}  // namespace

Walk::Walk(FakeBroker& broker, uint64_t seed,
           std::function<link::v1::Hello()> restart)
    : broker_(broker), random_(seed), restart_(std::move(restart)) {}

int Walk::Draw(int below) {
  return static_cast<int>(random_() % static_cast<uint64_t>(below));
}

std::string Walk::Client() {
  static constexpr const char* kClients[] = {
      "11111111-1111-4111-8111-111111111111",
      "22222222-2222-4222-8222-222222222222"};
  return kClients[Draw(2)];
}

void Walk::Note(const char* what, const std::string& more) {
  ++counts_[what];
  history_.push_back(absl::StrCat(
      steps_, " ", absl::FormatTime("%E3S", absl::Now(), absl::UTCTimeZone()),
      ": ", what, " ", more));
  if (history_.size() > kHistory) history_.pop_front();
}

std::string Walk::History() const { return absl::StrJoin(history_, "\n"); }

std::string Walk::AnyCommand(const Real& real, State state) {
  std::vector<std::string> ids;
  for (const auto& [id, command] : real.model.commands()) {
    if (command.state == state) ids.push_back(id);
  }
  return ids.empty() ? "" : ids[Draw(static_cast<int>(ids.size()))];
}

void Walk::Step() {
  ++steps_;
  broker_.DropMessages();
  if (sessions_.empty() || (sessions_.size() < kMaxSessions && Draw(20) == 0)) {
    return New();
  }
  if (Draw(2000) == 0) return RestartAgent();
  const auto it =
      std::next(sessions_.begin(), Draw(static_cast<int>(sessions_.size())));
  const std::string id = it->first;
  Real& real = it->second;
  if (real.model.commands().size() > kManyCommands) return Remove(id, real);
  const int what = Draw(1000);
  if (what < 10) return Remove(id, real);
  if (what < 20) return KillShell(id, real);
  if (what < 120) return Connect(id, real);
  if (what < 220) return Disconnect(id, real);
  if (what < 480) return Run(id, real);
  if (what < 560) return RunDetached(id, real);
  if (what < 640) return RunForever(id, real);
  if (what < 720) return RunAgain(id, real);
  if (what < 760) return RunOtherText(id, real);
  if (what < 840) return Receive(id, real);
  if (what < 940) return Interrupt(id, real);
  return KillClient(real);
}

void Walk::Finish() {
  while (!sessions_.empty()) {
    Remove(sessions_.begin()->first, sessions_.begin()->second);
  }
}

// ---- Sessions ----

void Walk::New() {
  const std::string id = NewUuid();
  Note("new", id);
  link::v1::Request request;
  request.set_user("ann");
  link::v1::CreateRequest& create = *request.mutable_create();
  create.set_instance_id(id);
  create.set_id(++next_id_);
  create.set_name("walk");
  create.set_owner("ann");
  const link::v1::Reply reply = broker_.Ask(request);
  ASSERT_EQ(reply.code(), 0) << reply.message();
  sessions_[id].shell_pid = reply.session().session().shell_pid();
}

void Walk::Remove(const std::string& id, Real& real) {
  Note("rm", id);
  link::v1::Request request;
  request.set_user("ann");
  request.mutable_remove()->set_instance_id(id);
  const link::v1::Reply reply = broker_.Ask(request);
  EXPECT_EQ(reply.code(), 0) << reply.message();
  if (real.call.has_value()) {
    real.call->WaitEnded();
    real.call->Forget();
  }
  const std::string gone = id;
  sessions_.erase(gone);
  EXPECT_EQ(broker_.Ask(request).code(),
            static_cast<int>(StatusCode::kNotFound));
}

void Walk::SetHolder(const std::string& id, Real& real,
                     const link::v1::SetHolderRequest& set, StatusCode want) {
  link::v1::Request request;
  request.set_user("ann");
  *request.mutable_set_holder() = set;
  request.mutable_set_holder()->set_instance_id(id);
  const link::v1::Reply reply = broker_.Ask(request);
  ASSERT_EQ(reply.code(), static_cast<int>(want)) << reply.message();
  if (want != StatusCode::kOk) return;
  const v1::Session& session = reply.session().session();
  EXPECT_EQ(session.holder().client().id(), real.model.holder());
  EXPECT_EQ(session.has_end(), real.model.ended());
}

void Walk::Connect(const std::string& id, Real& real) {
  const std::string client = Client();
  const bool take = Draw(2) == 0;
  Note(take ? "take" : "connect", absl::StrCat(id, " by ", client));
  link::v1::SetHolderRequest request;
  *request.mutable_holder() = ClientOf(client);
  request.set_take(take);
  const StatusCode want = real.model.Connect(client, take);
  SetHolder(id, real, request, want);
}

void Walk::Disconnect(const std::string& id, Real& real) {
  const std::string client = Client();
  Note("disconnect", absl::StrCat(id, " by ", client));
  link::v1::SetHolderRequest request;
  request.set_expected_client_id(client);
  const StatusCode want = real.model.Disconnect(client);
  SetHolder(id, real, request, want);
}

// ---- Commands ----

FakeBroker::ClientCall Walk::OpenRun(const std::string& id,
                                     const std::string& client,
                                     const v1::RunRequest& request) {
  history_.back() +=
      absl::StrCat(" by ", client, " ", id, " ", request.start().command_id());
  return broker_.Open(link::v1::OpenCall::RUN, "ann", id, request);
}

void Walk::Over(FakeBroker::ClientCall& call, StatusCode want) {
  const link::v1::CallEnded ended = call.WaitEnded();
  EXPECT_EQ(ended.code(), static_cast<int>(want)) << ended.message();
  call.Forget();
}

void Walk::Leave(FakeBroker::ClientCall& call) {
  call.Cancel();
  call.WaitEnded();
  call.Forget();
}

void Walk::ShowsEnd(const std::string& id, FakeBroker::ClientCall& call,
                    const WalkSession::Command& command) {
  const auto result = call.Finish();
  ASSERT_TRUE(result.ended.has_value()) << id << " " << command.script;
  EXPECT_EQ(result.ended->how(), command.how) << command.script;
  EXPECT_EQ(result.ended->exit_code(), command.exit_code) << command.script;
  const std::string output = result.out + result.err;
  // It may be interrupted before it printed anything.
  if (command.script == kForever && output.empty()) return;
  EXPECT_EQ(output, command.output) << command.script;
}

void Walk::Run(const std::string& id, Real& real) {
  const int kind = Draw(40);
  const char* script = kind == 0 ? kEnd : kind < 8 ? kExit : kCount;
  const std::string client = Client();
  const std::string command = NewUuid();
  const bool ended = real.model.ended();
  const StatusCode want = real.model.Start(client, command, script, false);
  Note("run", absl::StrCat("'", script, "'"));
  FakeBroker::ClientCall call =
      OpenRun(id, client, StartOf(client, command, script));
  if (want != StatusCode::kOk) return Over(call, want);
  ShowsEnd(id, call, real.model.commands().at(command));
  if (!ended && real.model.ended()) {
    // The call may end first, as its session has.
    Leave(call);
    return Settle(id, real, {});
  }
  if (!::testing::Test::HasFailure()) call.HalfClose();
  Over(call, StatusCode::kOk);
}

// Also behind what runs.
void Walk::RunDetached(const std::string& id, Real& real) {
  const bool waits = real.model.queued() < kMaxQueued && Draw(2) == 0;
  const std::string client = Client();
  const std::string command = NewUuid();
  const auto before = real.model.commands();
  const StatusCode want = real.model.Start(client, command, kCount, waits);
  Note(waits ? "run detached, waits" : "run detached");
  v1::RunRequest request = StartOf(client, command, kCount);
  request.mutable_start()->set_detach(true);
  if (waits) request.mutable_start()->mutable_wait()->set_seconds(36000);
  FakeBroker::ClientCall call = OpenRun(id, client, request);
  const bool queued = want == StatusCode::kOk &&
                      real.model.commands().at(command).state == State::kQueued;
  if (!queued) {
    Over(call, want);
    return want == StatusCode::kOk ? Settle(id, real, before) : void();
  }
  // It is told that it waits, and goes away.
  auto event = call.Next();
  while (event.has_value() && !event->has_queued()) event = call.Next();
  EXPECT_TRUE(event.has_value());
  Leave(call);
}

void Walk::RunForever(const std::string& id, Real& real) {
  const std::string client = Client();
  const std::string command = NewUuid();
  const StatusCode want = real.model.Start(client, command, kForever, false);
  Note("run forever");
  FakeBroker::ClientCall call =
      OpenRun(id, client, StartOf(client, command, kForever));
  if (want != StatusCode::kOk) return Over(call, want);
  auto event = call.Next();
  while (event.has_value() && !event->has_output()) event = call.Next();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->output().data(), "on\n");
  real.tenure = real.model.OpenCall(client);
  real.call.emplace(call);
}

// A start that is sent again attaches.
void Walk::RunAgain(const std::string& id, Real& real) {
  const bool running = real.model.running() != nullptr && !real.call;
  const std::string command =
      running ? *real.model.running() : AnyCommand(real, State::kEnded);
  if (command.empty()) return;
  const std::string client = Client();
  const WalkSession::Command& known = real.model.commands().at(command);
  const StatusCode want =
      real.model.Start(client, command, known.script, false);
  Note(running ? "attach" : "run what has ended");
  FakeBroker::ClientCall call =
      OpenRun(id, client, StartOf(client, command, known.script));
  if (want != StatusCode::kOk) return Over(call, want);
  if (!running) {
    ShowsEnd(id, call, known);
    if (!::testing::Test::HasFailure()) call.HalfClose();
    return Over(call, StatusCode::kOk);
  }
  auto event = call.Next();
  while (event.has_value() && !event->has_started()) event = call.Next();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->started().attached());
  real.tenure = real.model.OpenCall(client);
  real.call.emplace(call);
}

void Walk::RunOtherText(const std::string& id, Real& real) {
  const std::string command = AnyCommand(real, State::kEnded);
  if (command.empty()) return;
  const std::string client = Client();
  const StatusCode want =
      real.model.Start(client, command, "echo another", false);
  Note("run another text");
  FakeBroker::ClientCall call =
      OpenRun(id, client, StartOf(client, command, "echo another"));
  Over(call, want);
}

// Whoever holds it, all that a command printed can be read.
void Walk::Receive(const std::string& id, Real& real) {
  const std::string command = AnyCommand(real, State::kEnded);
  if (command.empty()) return;
  Note("receive", command);
  const WalkSession::Command& known = real.model.commands().at(command);
  if (known.how == v1::CommandEnded::NOT_STARTED) return;
  ReadAgain(id, command, known);
}

void Walk::ReadAgain(const std::string& id, const std::string& command,
                     const WalkSession::Command& known) {
  v1::ReceiveRequest request;
  request.mutable_open()->set_command_id(command);
  request.mutable_open()->set_from_offset(0);
  FakeBroker::ClientCall call =
      broker_.Open(link::v1::OpenCall::RECEIVE, "ann", id, request);
  ShowsEnd(id, call, known);
  if (!::testing::Test::HasFailure()) call.HalfClose();
  Over(call, StatusCode::kOk);
}

void Walk::Interrupt(const std::string& id, Real& real) {
  if (!real.call.has_value()) return;
  Note("interrupt", id);
  const std::string command = *real.model.running();
  const auto before = real.model.commands();
  v1::RunRequest request;
  request.mutable_interrupt();
  real.call->Send(request);
  real.model.Interrupt();
  FakeBroker::ClientCall call = *real.call;
  real.call.reset();
  // From here it is the rest of what it prints.
  const auto result = call.Finish();
  ASSERT_TRUE(result.ended.has_value());
  EXPECT_EQ(result.ended->how(), v1::CommandEnded::INTERRUPTED);
  EXPECT_EQ(result.ended->exit_code(), 130);
  call.HalfClose();
  Over(call, StatusCode::kOk);
  real.model.CloseCall(real.tenure);
  Settle(id, real, before);
}

void Walk::KillClient(Real& real) {
  if (!real.call.has_value()) return;
  Note("kill client");
  Leave(*real.call);
  real.call.reset();
  real.model.CloseCall(real.tenure);
}

void Walk::KillShell(const std::string& id, Real& real) {
  if (real.model.ended()) return;
  Note("kill shell", id);
  const auto before = real.model.commands();
  kill(static_cast<pid_t>(real.shell_pid), SIGKILL);
  real.model.EndShell(128 + SIGKILL);
  if (real.call.has_value()) {
    const auto result = real.call->Finish();
    ASSERT_TRUE(result.ended.has_value());
    EXPECT_EQ(result.ended->how(), v1::CommandEnded::SHELL_ENDED);
    Leave(*real.call);
    real.call.reset();
    real.model.CloseCall(real.tenure);
  }
  Settle(id, real, before);
}

void Walk::Settle(const std::string& id, Real& real,
                  const std::map<std::string, WalkSession::Command>& before) {
  if (real.model.ended()) {
    EXPECT_TRUE(broker_.WaitMessage([&](const link::v1::AgentMessage& said) {
      return said.session().session().instance_id() == id &&
             said.session().session().has_end();
    })) << "its end is not reported";
    return;
  }
  // Those that waited have run since.
  for (const auto& [command, now] : real.model.commands()) {
    const auto then = before.find(command);
    const bool ended =
        now.state == State::kEnded &&
        (then == before.end() || then->second.state != now.state);
    if (!ended || now.script == kForever) continue;
    ReadAgain(id, command, now);
  }
}

// Whatever ran or was held for good, still does and is.
void Walk::RestartAgent() {
  Note("restart the agent");
  for (auto& [id, real] : sessions_) KillClient(real);
  const link::v1::Hello hello = restart_();
  EXPECT_EQ(static_cast<size_t>(hello.sessions_size()), sessions_.size());
  for (const link::v1::SessionReport& report : hello.sessions()) {
    const v1::Session& session = report.session();
    const auto it = sessions_.find(session.instance_id());
    ASSERT_NE(it, sessions_.end()) << "a ghost";
    it->second.model.CutCalls();
    EXPECT_EQ(session.has_end(), it->second.model.ended());
    EXPECT_EQ(session.holder().client().id(), it->second.model.holder());
  }
}

}  // namespace berth::model

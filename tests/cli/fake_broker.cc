#include "tests/cli/fake_broker.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/selector.h"
#include "base/tls/credentials.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

// So small that the end of a test's input needs several grants.
constexpr uint64_t kWindow = 128 << 10;
constexpr size_t kChunk = 64 << 10;

v1::Session MakeSession(uint32_t id) {
  v1::Session session;
  session.set_id(id);
  session.set_name(absl::StrCat("Session", id));
  session.set_computer(id < 3 ? "web01" : "web02");
  session.set_instance_id(absl::StrFormat("9f0c11aa-0000-4000-8000-%012d", id));
  session.set_configuration("default");
  session.set_state(v1::SESSION_STATE_OPENED);
  session.set_availability(v1::SESSION_AVAILABILITY_AVAILABLE);
  return session;
}

// What a script does at once; what it does with input comes later.
void Begin(FakeBroker::Command& command) {
  std::string script = command.script;
  if (absl::StartsWith(script, "cut ")) {
    const std::vector<std::string> parts =
        absl::StrSplit(script, absl::MaxSplits(' ', 2));
    EXPECT_TRUE(absl::SimpleAtoi(parts[1], &command.cut_at));
    script = parts[2];
  }
  command.ended = true;
  absl::string_view argument = script;
  if (absl::ConsumePrefix(&argument, "exit ")) {
    EXPECT_TRUE(absl::SimpleAtoi(argument, &command.exit_code));
  } else if (absl::ConsumePrefix(&argument, "echo ")) {
    command.output = absl::StrCat(argument, "\n");
  } else if (absl::ConsumePrefix(&argument, "pattern ")) {
    size_t size = 0;
    EXPECT_TRUE(absl::SimpleAtoi(argument, &size));
    command.output = FakeBroker::Pattern(size);
  } else if (script == "both") {
    command.output = "out\nerr\nmore\nno newline";
    command.streams = "1111222211111" + std::string(10, '2');
  } else {
    command.ended = script == "true";
    if (script == "hang" || script == "stubborn") command.output = "on\n";
  }
}

}  // namespace

// Shows one command on one stream.
template <typename Request>
class FakeBroker::Show {
 public:
  using Stream = grpc::ServerReaderWriter<v1::CommandEvent, Request>;

  Show(FakeBroker& broker, grpc::ServerContext& context, Stream& stream,
       std::shared_ptr<Command> command, uint64_t offset)
      : broker_(broker),
        context_(context),
        stream_(stream),
        command_(std::move(command)),
        offset_(offset) {}

  grpc::Status Run(const std::string& id, const v1::Session& session) {
    v1::CommandEvent event;
    *event.mutable_opened()->mutable_session() = session;
    stream_.Write(event);
    event.mutable_started()->set_command_id(id);
    event.mutable_started()->set_sequence(command_->sequence);
    event.mutable_started()->set_from_offset(offset_);
    stream_.Write(event);
    credit_ = command_->input.size() + kWindow;
    event.mutable_stdin_credit()->set_limit(credit_);
    if constexpr (!std::is_same_v<Request, v1::RunRequest>) {
      const grpc::Status status = WriteAll();
      ReadAcks();
      return status;
    }
    stream_.Write(event);
    std::thread reader([this] { ReadAll(); });
    const grpc::Status status = WriteAll();
    if (!status.ok()) context_.TryCancel();
    reader.join();
    return status;
  }

 private:
  void ReadAll() {
    Request request;
    while (stream_.Read(&request)) {
      MutexLock lock(broker_.mu_);
      Take(request);
      broker_.changed_.NotifyAll();
    }
    MutexLock lock(broker_.mu_);
    half_closed_ = true;
    broker_.changed_.NotifyAll();
  }

  // A Receive ends once its end was acknowledged.
  void ReadAcks() {
    Request request;
    for (;;) {
      {
        MutexLock lock(broker_.mu_);
        if (command_->acked_end) return;
      }
      if (!stream_.Read(&request)) return;
      MutexLock lock(broker_.mu_);
      Take(request);
    }
  }

  void Take(const Request& request) {
    Command& command = *command_;
    if (request.has_ack()) {
      command.acked = std::max(command.acked, request.ack().offset());
      if (command.ended && command.acked == command.output.size()) {
        command.acked_end = true;
      }
    }
    if constexpr (std::is_same_v<Request, v1::RunRequest>) {
      if (request.has_stdin()) TakeInput(request.stdin());
      if (request.has_interrupt() &&
          !absl::StrContains(command.script, "stubborn")) {
        command.ended = true;
        command.how = v1::CommandEnded::INTERRUPTED;
        command.exit_code = 130;
      }
    }
  }

  void TakeInput(const v1::StdinChunk& chunk) {
    Command& command = *command_;
    const uint64_t have = command.input.size();
    const uint64_t end = chunk.offset() + chunk.data().size();
    if (chunk.offset() > have) command.error = "a gap in the input";
    if (end > credit_) command.error = "more input than was granted";
    if (chunk.data().size() > 256 << 10) command.error = "a chunk too large";
    if (end > have) command.input += chunk.data().substr(have - chunk.offset());
    // The link breaks before this reached the command.
    if (!command.cut && command.cut_at > 0 &&
        command.input.size() >= command.cut_at) {
      command.input.resize(have);
      command.cut = true;
      breaking_ = true;
      return;
    }
    if (absl::StrContains(command.script, "cat")) {
      command.output = command.input;
    }
    if (chunk.eof()) {
      command.got_eof = true;
      if (absl::StrContains(command.script, "cat")) command.ended = true;
    }
  }

  grpc::Status WriteAll() {
    for (;;) {
      std::vector<v1::CommandEvent> events;
      {
        MutexLock lock(broker_.mu_);
        while (!HasWork()) {
          if (context_.IsCancelled() || (half_closed_ && done_)) {
            return grpc::Status::OK;
          }
          broker_.changed_.WaitFor(broker_.mu_, absl::Milliseconds(20));
        }
        if (breaking_) {
          return {grpc::StatusCode::UNAVAILABLE, "the broker goes down"};
        }
        events = NextLocked();
      }
      for (const v1::CommandEvent& event : events) {
        if (!stream_.Write(event)) return grpc::Status::OK;
      }
      if constexpr (!std::is_same_v<Request, v1::RunRequest>) {
        if (done_) return grpc::Status::OK;
      }
    }
  }

  bool HasWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(broker_.mu_) {
    if (breaking_) return true;
    if (done_) return false;
    return command_->ended || offset_ < command_->output.size() || GrantDue();
  }

  bool GrantDue() { return command_->input.size() + kWindow / 2 > credit_; }

  std::vector<v1::CommandEvent> NextLocked()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(broker_.mu_) {
    std::vector<v1::CommandEvent> events;
    if (GrantDue()) {
      credit_ = command_->input.size() + kWindow;
      events.emplace_back().mutable_stdin_credit()->set_limit(credit_);
    }
    if (offset_ < command_->output.size()) {
      events.push_back(NextOutput());
      if (!command_->cut && command_->cut_at > 0 &&
          offset_ >= command_->cut_at) {
        command_->cut = true;
        breaking_ = true;
      }
    } else if (command_->ended) {
      v1::CommandEnded& ended = *events.emplace_back().mutable_ended();
      ended.set_how(command_->how);
      ended.set_exit_code(command_->exit_code);
      ended.set_sequence(command_->sequence);
      ended.set_end_offset(offset_);
      done_ = true;
    }
    return events;
  }

  v1::CommandEvent NextOutput() {
    const std::string& streams = command_->streams;
    size_t end = std::min(offset_ + kChunk, command_->output.size());
    char stream = '1';
    if (!streams.empty()) {
      stream = streams[offset_];
      const size_t other = streams.find_first_not_of(stream, offset_);
      end = std::min(end, other);
    }
    v1::CommandEvent event;
    v1::Output& output = *event.mutable_output();
    output.set_offset(offset_);
    output.set_stream(static_cast<v1::OutputStream>(stream - '0'));
    output.mutable_at()->set_seconds(1700000000);
    output.set_data(command_->output.substr(offset_, end - offset_));
    offset_ = end;
    return event;
  }

  FakeBroker& broker_;
  grpc::ServerContext& context_;
  Stream& stream_;
  const std::shared_ptr<Command> command_;
  uint64_t offset_;
  uint64_t credit_ = 0;
  bool half_closed_ = false;
  bool breaking_ = false;
  bool done_ = false;
};

FakeBroker::FakeBroker(const std::string& directory)
    : ca_(*CertificateAuthority::Create("test")) {
  key_ = *NewPrivateKeyPem();
  certificate_ =
      *ca_.Issue(*NewCsrPem(key_), {Purpose::kBroker, "main"}, absl::Hours(1));
  const std::string user_key = *NewPrivateKeyPem();
  const std::string user = *ca_.Issue(
      *NewCsrPem(user_key), {Purpose::kUser, "alice"}, absl::Hours(1));
  EXPECT_TRUE(WriteFileAtomically(directory + "/ca.pem", ca_.cert_pem()).ok());
  EXPECT_TRUE(WriteFileAtomically(directory + "/user.pem", user).ok());
  EXPECT_TRUE(WriteFileAtomically(directory + "/user.key", user_key).ok());
  Start();
}

void FakeBroker::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      absl::StrCat("127.0.0.1:", port_),
      MakeServerCredentials(ca_.cert_pem(), certificate_, key_), &port_);
  builder.RegisterService(this);
  builder.RegisterService(&computers_);
  server_ = builder.BuildAndStart();
  ASSERT_NE(server_, nullptr);
}

void FakeBroker::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

FakeBroker::Command FakeBroker::Last() const {
  MutexLock lock(mu_);
  return latest_ == nullptr ? Command() : *latest_;
}

bool FakeBroker::WaitFor(const std::function<bool(const Command&)>& done) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  MutexLock lock(mu_);
  while (latest_ == nullptr || !done(*latest_)) {
    if (absl::Now() > deadline) return false;
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
  return true;
}

int FakeBroker::present() const {
  MutexLock lock(mu_);
  return present_;
}

size_t FakeBroker::commands() const {
  MutexLock lock(mu_);
  return commands_.size();
}

std::string FakeBroker::Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 256 + i / 65536);
  }
  return bytes;
}

grpc::Status FakeBroker::ListSessions(
    grpc::ServerContext*, const v1::ListSessionsRequest* request,
    grpc::ServerWriter<v1::ListSessionsResponse>* writer) {
  v1::ListSessionsResponse page;
  std::string missing;
  for (const std::string& text : request->selectors()) {
    const Selector selector = *ParseSelector(text);
    bool found = false;
    for (uint32_t id = 1; id <= 3; ++id) {
      const v1::Session session = MakeSession(id);
      if (!selector.Matches(id, session.name(), session.instance_id())) {
        continue;
      }
      found = true;
      *page.add_sessions() = session;
    }
    if (!found && selector.is_literal()) missing = text;
  }
  if (request->selectors().empty()) {
    for (uint32_t id = 1; id <= 3; ++id) *page.add_sessions() = MakeSession(id);
  }
  writer->Write(page);
  if (missing.empty()) return grpc::Status::OK;
  return {grpc::StatusCode::NOT_FOUND,
          absl::StrCat("session '", missing, "': not found; see 'berth ls'")};
}

grpc::Status FakeBroker::Computers::ListComputers(
    grpc::ServerContext*, const v1::ListComputersRequest*,
    v1::ListComputersResponse* response) {
  for (const char* name : {"web01", "web02", "web03", "web04", "web90"}) {
    response->add_computers()->set_name(name);
  }
  return grpc::Status::OK;
}

std::vector<v1::CreateSessionRequest> FakeBroker::created() const {
  MutexLock lock(mu_);
  return created_;
}

size_t FakeBroker::removed() const {
  MutexLock lock(mu_);
  return removed_;
}

void FakeBroker::set_ends_temporary(bool ends) {
  MutexLock lock(mu_);
  ends_temporary_ = ends;
}

grpc::Status FakeBroker::CreateSession(grpc::ServerContext*,
                                       const v1::CreateSessionRequest* request,
                                       v1::CreateSessionResponse* response) {
  if (absl::StartsWith(request->computer(), "web9")) {
    return {grpc::StatusCode::UNAVAILABLE,
            absl::StrCat("computer '", request->computer(), "' is offline")};
  }
  MutexLock lock(mu_);
  created_.push_back(*request);
  v1::Session& session = *response->mutable_session();
  session = MakeSession(100 + static_cast<uint32_t>(created_.size()));
  session.set_computer(request->computer());
  session.set_temporary(request->temporary() && ends_temporary_);
  return grpc::Status::OK;
}

grpc::Status FakeBroker::RemoveSession(grpc::ServerContext*,
                                       const v1::RemoveSessionRequest*,
                                       v1::RemoveSessionResponse*) {
  MutexLock lock(mu_);
  ++removed_;
  return grpc::Status::OK;
}

grpc::Status FakeBroker::Hold(
    grpc::ServerContext*,
    grpc::ServerReaderWriter<v1::HoldResponse, v1::HoldRequest>* stream) {
  v1::HoldRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  {
    MutexLock lock(mu_);
    ++present_;
  }
  v1::HoldResponse response;
  response.set_present(true);
  stream->Write(response);
  while (stream->Read(&request)) {
  }
  MutexLock lock(mu_);
  --present_;
  return grpc::Status::OK;
}

std::shared_ptr<FakeBroker::Command> FakeBroker::FindOrStart(
    const v1::StartCommand& start) {
  MutexLock lock(mu_);
  auto& command = commands_[start.command_id()];
  if (command == nullptr) {
    command = std::make_shared<Command>();
    command->script = start.script();
    command->sequence = commands_.size();
    Begin(*command);
  }
  latest_ = command;
  changed_.NotifyAll();
  return command;
}

std::shared_ptr<FakeBroker::Command> FakeBroker::Latest() const {
  MutexLock lock(mu_);
  return latest_;
}

grpc::Status FakeBroker::Run(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::CommandEvent, v1::RunRequest>* stream) {
  v1::RunRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  const v1::SessionRef& ref = request.open().session();
  uint32_t id = ref.id();
  for (uint32_t other = 1; other <= 300; ++other) {
    if (MakeSession(other).instance_id() == ref.instance_id()) id = other;
  }
  if (id == 0 || (id > 3 && id <= 100)) {
    return {grpc::StatusCode::NOT_FOUND,
            absl::StrCat("session '", id, "': not found; see 'berth ls'")};
  }
  return Show<v1::RunRequest>(*this, *context, *stream,
                              FindOrStart(request.start()),
                              request.start().from_offset())
      .Run(request.start().command_id(), MakeSession(id));
}

grpc::Status FakeBroker::Receive(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::CommandEvent, v1::ReceiveRequest>* stream) {
  v1::ReceiveRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  const std::shared_ptr<Command> command = Latest();
  const Command known = Last();
  const v1::OpenReceive& open = request.open();
  if (known.acked_end && !open.has_from_offset()) return grpc::Status::OK;
  return Show<v1::ReceiveRequest>(
             *this, *context, *stream, command,
             open.has_from_offset() ? open.from_offset() : known.acked)
      .Run("command", MakeSession(1));
}

}  // namespace berth::testing

#include "tests/agent/fake_broker.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/link/agent_state.h"
#include "base/tls/credentials.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(20);

}  // namespace

FakeBroker::FakeBroker() {
  InitTls();
  authority_ = *CertificateAuthority::Create("test");
  const std::string key = *NewPrivateKeyPem();
  const std::string certificate = *authority_->Issue(
      *NewCsrPem(key), {Purpose::kBroker, "main"}, absl::Hours(1));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      "127.0.0.1:0",
      MakeServerCredentials(authority_->cert_pem(), certificate, key), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeBroker::~FakeBroker() {
  {
    MutexLock lock(mu_);
    ending_ = true;
    changed_.NotifyAll();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeBroker::WriteAgentState(const std::string& directory,
                                 const std::string& name) {
  AgentState state;
  state.broker = absl::StrCat("127.0.0.1:", port_);
  state.key_pem = *NewPrivateKeyPem();
  state.certificate_pem = *authority_->Issue(
      *NewCsrPem(state.key_pem), {Purpose::kAgent, name}, absl::Hours(1));
  state.ca_pem = authority_->cert_pem();
  const absl::Status saved = SaveAgentState(directory, state);
  ASSERT_TRUE(saved.ok()) << saved;
}

bool FakeBroker::WaitUntil(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + kLimit;
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  return true;
}

grpc::Status FakeBroker::Control(grpc::ServerContext* context,
                                 ControlStream* stream) {
  const auto peer = PeerIdentity(*context->auth_context());
  if (!peer.ok() || peer->purpose != Purpose::kAgent) {
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "no agent");
  }
  link::v1::AgentMessage message;
  while (stream->Read(&message)) {
    if (message.has_hello()) {
      link::v1::BrokerMessage welcome;
      welcome.mutable_welcome();
      stream->Write(welcome);
    }
    MutexLock lock(mu_);
    if (message.has_hello()) {
      control_ = stream;
      hellos_.push_back(message.hello());
    } else if (message.has_reply()) {
      replies_[message.reply().request_id()] = message.reply();
    } else if (message.has_call_ended()) {
      calls_[message.call_ended().call_id()].ended = message.call_ended();
    } else {
      messages_.push_back(message);
    }
    changed_.NotifyAll();
  }
  MutexLock lock(mu_);
  if (control_ == stream) control_ = nullptr;
  return grpc::Status::OK;
}

grpc::Status FakeBroker::Call(grpc::ServerContext* context,
                              CallStream* stream) {
  uint64_t id = 0;
  const auto it = context->client_metadata().find("berth-call-id");
  if (it == context->client_metadata().end() ||
      !absl::SimpleAtoi(absl::string_view(it->second.data(), it->second.size()),
                        &id)) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no call id");
  }
  {
    MutexLock lock(mu_);
    calls_[id].stream = stream;
    calls_[id].context = context;
    if (calls_[id].cancelled) context->TryCancel();
    changed_.NotifyAll();
  }
  link::v1::CallFrame frame;
  while (stream->Read(&frame)) {
    MutexLock lock(mu_);
    // Unknown fields are kept, so this is the message as it was sent.
    calls_[id].frames.push_back(frame.SerializeAsString());
    changed_.NotifyAll();
  }
  MutexLock lock(mu_);
  CallState& call = calls_[id];
  call.writes_done = true;
  changed_.NotifyAll();
  WaitUntil(
      [&] { return ending_ || call.cancelled || call.ended.has_value(); });
  call.stream = nullptr;
  call.context = nullptr;
  changed_.NotifyAll();
  return grpc::Status::OK;
}

void FakeBroker::Write(const link::v1::BrokerMessage& message) {
  MutexLock lock(mu_);
  ASSERT_TRUE(WaitUntil([&] { return control_ != nullptr; }));
  control_->Write(message);
}

link::v1::Hello FakeBroker::WaitHello() {
  MutexLock lock(mu_);
  EXPECT_TRUE(WaitUntil([&] { return !hellos_.empty(); }));
  if (hellos_.empty()) return {};
  link::v1::Hello hello = std::move(hellos_.front());
  hellos_.pop_front();
  return hello;
}

uint64_t FakeBroker::Tell(link::v1::Request request) {
  link::v1::BrokerMessage message;
  {
    MutexLock lock(mu_);
    request.set_request_id(++last_id_);
  }
  *message.mutable_request() = request;
  Write(message);
  return request.request_id();
}

link::v1::Reply FakeBroker::Ask(link::v1::Request request) {
  const uint64_t id = Tell(std::move(request));
  MutexLock lock(mu_);
  EXPECT_TRUE(WaitUntil([&] { return replies_.count(id) > 0; }));
  return replies_[id];
}

FakeBroker::ClientCall FakeBroker::Open(
    link::v1::OpenCall::Method method, const std::string& user,
    const std::string& instance_id,
    const google::protobuf::MessageLite& first) {
  link::v1::OpenCall open;
  open.set_method(method);
  open.set_user(user);
  open.set_instance_id(instance_id);
  open.set_first_message(first.SerializeAsString());
  return Open(std::move(open));
}

FakeBroker::ClientCall FakeBroker::OpenAsGuest(
    link::v1::OpenCall::Method method, const std::string& user,
    const std::string& owner, bool read_only, const std::string& instance_id,
    const google::protobuf::MessageLite& first) {
  link::v1::OpenCall open;
  open.set_method(method);
  open.set_user(user);
  open.set_owner(owner);
  open.set_read_only(read_only);
  open.set_instance_id(instance_id);
  open.set_first_message(first.SerializeAsString());
  return Open(std::move(open));
}

FakeBroker::ClientCall FakeBroker::Open(link::v1::OpenCall open) {
  link::v1::BrokerMessage message;
  {
    MutexLock lock(mu_);
    open.set_call_id(++last_id_);
  }
  const uint64_t id = open.call_id();
  *message.mutable_open_call() = std::move(open);
  Write(message);
  return ClientCall(*this, id);
}

bool FakeBroker::WaitMessage(
    const std::function<bool(const link::v1::AgentMessage&)>& want) {
  MutexLock lock(mu_);
  return WaitUntil([&] {
    while (!messages_.empty()) {
      const link::v1::AgentMessage message = std::move(messages_.front());
      messages_.pop_front();
      if (want(message)) return true;
    }
    return false;
  });
}

std::optional<v1::CommandEvent> FakeBroker::ClientCall::Next() {
  const std::optional<std::string> frame = NextFrame();
  if (!frame.has_value()) return std::nullopt;
  v1::CommandEvent event;
  EXPECT_TRUE(event.ParseFromString(*frame));
  return event;
}

std::optional<std::string> FakeBroker::ClientCall::NextFrame() {
  MutexLock lock(broker_.mu_);
  CallState& call = broker_.calls_[id_];
  EXPECT_TRUE(broker_.WaitUntil([&] {
    return !call.frames.empty() || call.writes_done ||
           (call.ended.has_value() && call.ended->code() != 0 &&
            call.stream == nullptr);
  }));
  if (call.frames.empty()) return std::nullopt;
  std::string frame = std::move(call.frames.front());
  call.frames.pop_front();
  return frame;
}

FakeBroker::ClientCall::Result FakeBroker::ClientCall::Finish() {
  Result result;
  while (auto event = Next()) {
    if (event->has_output()) {
      std::string& to = event->output().stream() == v1::OUTPUT_STREAM_STDERR
                            ? result.err
                            : result.out;
      to += event->output().data();
    }
    if (event->has_ended()) {
      result.ended = event->ended();
      break;
    }
  }
  return result;
}

void FakeBroker::ClientCall::Send(
    const google::protobuf::MessageLite& request) {
  link::v1::CallFrame frame;
  ASSERT_TRUE(frame.ParseFromString(request.SerializeAsString()));
  MutexLock lock(broker_.mu_);
  CallState& call = broker_.calls_[id_];
  ASSERT_TRUE(broker_.WaitUntil([&] { return call.stream != nullptr; }));
  call.stream->Write(frame);
}

void FakeBroker::ClientCall::Cancel() {
  MutexLock lock(broker_.mu_);
  CallState& call = broker_.calls_[id_];
  call.cancelled = true;
  if (call.context != nullptr) call.context->TryCancel();
  broker_.changed_.NotifyAll();
}

void FakeBroker::ClientCall::Forget() {
  MutexLock lock(broker_.mu_);
  const auto it = broker_.calls_.find(id_);
  broker_.WaitUntil([&] { return it->second.context == nullptr; });
  broker_.calls_.erase(id_);
}

void FakeBroker::DropMessages() {
  MutexLock lock(mu_);
  messages_.clear();
  replies_.clear();
}

void FakeBroker::ClientCall::HalfClose() { Send(link::v1::CallFrame()); }

link::v1::CallEnded FakeBroker::ClientCall::WaitEnded() {
  MutexLock lock(broker_.mu_);
  CallState& call = broker_.calls_[id_];
  EXPECT_TRUE(broker_.WaitUntil([&] { return call.ended.has_value(); }));
  return call.ended.value_or(link::v1::CallEnded());
}

}  // namespace berth::agent

#include "tests/broker/fake_agent.h"

#include <utility>

#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

FakeAgent::FakeAgent(std::shared_ptr<grpc::Channel> channel,
                     std::vector<v1::Session> sessions, CallHandler handler)
    : stub_(link::v1::Link::NewStub(channel)),
      handler_(handler ? std::move(handler) : Echo) {
  control_ = stub_->Control(&context_);
  link::v1::AgentMessage message;
  link::v1::Hello& hello = *message.mutable_hello();
  hello.set_agent_version("0.1.0");
  hello.set_os("Test");
  v1::Configuration& configuration = *hello.add_configurations();
  configuration.set_name("default");
  configuration.set_is_default(true);
  configuration.set_enabled(true);
  configuration.mutable_max_idle_timeout()->set_seconds(86400);
  for (const v1::Session& session : sessions) {
    *hello.add_sessions()->mutable_session() = session;
    MutexLock lock(mu_);
    sessions_[session.instance_id()] = session;
  }
  Send(message);
  reader_ = std::thread([this] { ReadControl(); });
}

FakeAgent::~FakeAgent() {
  context_.TryCancel();
  reader_.join();
  JoinCalls();
}

void FakeAgent::JoinCalls() {
  std::vector<std::thread> calls;
  {
    MutexLock lock(mu_);
    calls.swap(calls_);
  }
  for (std::thread& call : calls) call.join();
}

void FakeAgent::Send(const link::v1::AgentMessage& message) {
  MutexLock lock(write_mu_);
  control_->Write(message);
}

void FakeAgent::EndCall(uint64_t call_id, const grpc::Status& status,
                        std::optional<uint64_t> frames) {
  link::v1::AgentMessage message;
  link::v1::CallEnded& ended = *message.mutable_call_ended();
  ended.set_call_id(call_id);
  ended.set_code(status.error_code());
  ended.set_message(status.error_message());
  if (frames.has_value()) ended.set_frames(*frames);
  Send(message);
}

std::unique_ptr<FakeAgent::CallStream> FakeAgent::OpenStream(
    grpc::ClientContext* context, uint64_t call_id) {
  context->AddMetadata("berth-call-id", std::to_string(call_id));
  SetDeadline(context);
  return stub_->Call(context);
}

void FakeAgent::Echo(FakeAgent& agent, const link::v1::OpenCall& open) {
  grpc::ClientContext context;
  auto stream = agent.OpenStream(&context, open.call_id());
  link::v1::CallFrame frame;
  frame.ParseFromString(open.first_message());
  uint64_t frames = 0;
  do {
    if (stream->Write(frame)) ++frames;
  } while (stream->Read(&frame) && frame.ByteSizeLong() > 0);
  stream->WritesDone();
  agent.EndCall(open.call_id(), grpc::Status::OK, frames);
  stream->Finish();
}

void FakeAgent::ReadControl() {
  link::v1::BrokerMessage message;
  while (control_->Read(&message)) {
    if (message.has_request()) OnRequest(message.request());
    MutexLock lock(mu_);
    if (message.has_welcome()) welcome_ = true;
    if (message.has_cancel_call()) ++cancelled_;
    if (message.has_open_call()) {
      calls_.emplace_back(
          [this, open = message.open_call()] { handler_(*this, open); });
    }
    changed_.NotifyAll();
  }
  grpc::Status status = control_->Finish();
  MutexLock lock(mu_);
  status_ = status;
  ended_ = true;
  changed_.NotifyAll();
}

void FakeAgent::OnRequest(const link::v1::Request& request) {
  link::v1::AgentMessage message;
  link::v1::Reply& reply = *message.mutable_reply();
  reply.set_request_id(request.request_id());
  {
    MutexLock lock(mu_);
    if (silent_) return;
    if (request.has_create()) {
      v1::Session& session = sessions_[request.create().instance_id()];
      session.set_instance_id(request.create().instance_id());
      session.set_id(request.create().id());
      session.set_name(request.create().name());
      session.set_owner(request.create().owner());
      session.set_temporary(request.create().temporary());
      session.set_never_idles(request.create().never_idles());
      session.set_buffering(request.create().buffering());
      session.set_cwd(request.create().cwd());
      session.mutable_activity()->set_kind(v1::Activity::IDLE);
      if (request.create().has_holder()) {
        *session.mutable_holder()->mutable_client() = request.create().holder();
      }
      *reply.mutable_session()->mutable_session() = session;
    } else if (request.has_remove()) {
      if (sessions_.erase(request.remove().instance_id()) == 0) {
        reply.set_code(grpc::StatusCode::NOT_FOUND);
      }
    } else if (request.has_set_holder()) {
      const auto& set = request.set_holder();
      v1::Session& session = sessions_[set.instance_id()];
      const std::string holder = session.holder().client().id();
      const std::string wanted =
          set.has_holder() ? set.holder().id() : set.expected_client_id();
      if (!holder.empty() && holder != wanted && !set.take()) {
        reply.set_code(grpc::StatusCode::FAILED_PRECONDITION);
        reply.set_message("held by " + holder);
      } else if (set.has_holder()) {
        *session.mutable_holder()->mutable_client() = set.holder();
      } else {
        session.clear_holder();
        session.set_temporary(false);
      }
      if (set.buffering() != v1::BUFFERING_MODE_UNSPECIFIED) {
        session.set_buffering(set.buffering());
      }
      session.set_never_idles(set.never_idles());
      if (set.has_idle_timeout()) {
        *session.mutable_idle_timeout() = set.idle_timeout();
      }
      *reply.mutable_session()->mutable_session() = session;
    }
    changed_.NotifyAll();
  }
  Send(message);
}

void FakeAgent::AddSession(const v1::Session& session) {
  {
    MutexLock lock(mu_);
    sessions_[session.instance_id()] = session;
  }
  link::v1::AgentMessage message;
  *message.mutable_session()->mutable_session() = session;
  Send(message);
}

bool FakeAgent::WaitForWelcome() {
  const absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(mu_);
  while (!welcome_ && absl::Now() < deadline) {
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  return welcome_;
}

bool FakeAgent::WaitForCancelled(size_t count) {
  const absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(mu_);
  while (cancelled_ < count && absl::Now() < deadline) {
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  return cancelled_ >= count;
}

grpc::Status FakeAgent::WaitForEnd() {
  const absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(mu_);
  while (!ended_ && absl::Now() < deadline) {
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  return ended_ ? status_ : grpc::Status(grpc::StatusCode::UNKNOWN, "goes on");
}

std::vector<v1::Session> FakeAgent::sessions() const {
  MutexLock lock(mu_);
  std::vector<v1::Session> sessions;
  for (const auto& [id, session] : sessions_) sessions.push_back(session);
  return sessions;
}

void FakeAgent::set_silent() {
  MutexLock lock(mu_);
  silent_ = true;
}

}  // namespace berth::testing

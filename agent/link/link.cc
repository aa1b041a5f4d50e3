#include "agent/link/link.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/link/channel.h"
#include "agent/link/enrollment.h"
#include "agent/link/os_name.h"
#include "agent/link/pushback.h"
#include "base/escape.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/tls/certificates.h"
#include "base/tls/expiry.h"
#include "base/version.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

constexpr absl::Duration kRenewalCheck = absl::Hours(1);

}  // namespace

Link::Link(std::string directory, AgentState state, ControlWriter& writer,
           SessionService& sessions, WorkerPool& workers)
    : directory_(std::move(directory)),
      writer_(writer),
      sessions_(sessions),
      workers_(workers),
      state_(std::move(state)) {}

Link::~Link() { Stop(absl::ZeroDuration()); }

void Link::Start() {
  thread_ = std::thread([this] { Run(); });
  sessions_.After(kRenewalCheck, [this] { CheckRenewal(); });
}

void Link::Stop(absl::Duration grace) {
  if (!thread_.joinable()) return;
  const absl::Time deadline = MonotonicNow() + grace;
  std::vector<std::shared_ptr<Call>> calls;
  {
    MutexLock lock(mu_);
    draining_ = true;
    while (!calls_.empty() && MonotonicNow() < deadline) {
      changed_.WaitFor(mu_, deadline - MonotonicNow());
    }
    for (const auto& [id, call] : calls_) calls.push_back(call);
  }
  for (const auto& call : calls) call->Cancel();
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
  workers_.WaitIdle(absl::Seconds(5));
}

bool Link::Sleep(absl::Duration time) {
  const absl::Time deadline = MonotonicNow() + time;
  MutexLock lock(mu_);
  while (!stopping_ && MonotonicNow() < deadline) {
    changed_.WaitFor(mu_, deadline - MonotonicNow());
  }
  return !stopping_;
}

void Link::Run() {
  absl::Duration wait;
  do {
    absl::Duration pushback;
    if (RunOnce(pushback)) backoff_.Reset();
    wait = backoff_.Next(random_, pushback);
  } while (Sleep(wait));
}

void Link::TakeNewCertificate() {
  AgentState state;
  {
    MutexLock lock(mu_);
    state = state_;
  }
  const absl::Status expired = CheckNotExpired(
      directory_ + "/certificate.pem", state.certificate_pem, absl::Now(),
      "sessions live on, but no broker lets this agent in: make a join token "
      "and run 'berth-agent join' again");
  if (expired.ok()) return;
  // Perhaps somebody has joined again meanwhile.
  if (auto joined = LoadAgentState(directory_);
      joined.ok() && joined->certificate_pem != state.certificate_pem) {
    MutexLock lock(mu_);
    state_ = *std::move(joined);
  } else {
    SPDLOG_ERROR("{}", EscapeForTerminal(expired.message()));
  }
}

bool Link::RunOnce(absl::Duration& pushback) {
  TakeNewCertificate();
  grpc::ClientContext context;
  std::unique_ptr<link::v1::Link::Stub> stub;
  std::shared_ptr<grpc::Channel> stub_channel;
  {
    MutexLock lock(mu_);
    if (stopping_) return false;
    channel_ = stub_channel = DialBroker(state_);
    stub = link::v1::Link::NewStub(channel_);
    context_ = &context;
  }
  const auto stream = stub->Control(&context);
  bool welcome = false;
  link::v1::BrokerMessage message;
  if (writer_.Attach(stream.get(), [this] { return MakeHello(); })) {
    link_ = writer_.link();
    while (stream->Read(&message)) {
      if (message.has_welcome() && !welcome) {
        welcome = true;
        SPDLOG_INFO("linked to the broker");
        if (on_channel_) on_channel_(stub_channel);
        TakeTrust(message.welcome().ca_pem());
        RenewIfDue();  // It may have been switched off for long.
      }
      OnMessage(message);
    }
  }
  writer_.Detach();
  const absl::Status status = FromGrpcStatus(stream->Finish());
  {
    MutexLock lock(mu_);
    context_ = nullptr;
    if (stopping_) return welcome;
  }
  pushback = Pushback(context);
  if (welcome || !absl::IsUnavailable(status)) {
    SPDLOG_WARN("the link to the broker ended: {}",
                EscapeForTerminal(status.ToString()));
  } else {
    SPDLOG_DEBUG("the broker can't be reached: {}",
                 EscapeForTerminal(status.ToString()));
  }
  return welcome;
}

link::v1::AgentMessage Link::MakeHello() const {
  link::v1::AgentMessage message;
  link::v1::Hello& hello = *message.mutable_hello();
  hello.set_agent_version(kVersion);
  hello.set_os(OsName());
  hello.set_frozen(sessions_.Frozen());
  for (const auto& session : sessions_.table().All()) {
    session->TakeReport();  // This is one.
    *hello.add_sessions()->mutable_session() = session->Snapshot();
  }
  for (v1::Configuration& info : sessions_.DescribeConfigurations()) {
    *hello.add_configurations() = std::move(info);
  }
  return message;
}

void Link::OnMessage(const link::v1::BrokerMessage& message) {
  if (message.has_open_call()) {
    OnOpenCall(message.open_call());
  } else if (message.has_cancel_call()) {
    OnCancelCall(message.cancel_call().call_id());
  } else if (message.has_request()) {
    OnRequest(message.request());
  }
}

void Link::OnOpenCall(const link::v1::OpenCall& open) {
  const uint64_t id = open.call_id();
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(mu_);
    channel = channel_;
  }
  CallContext context{channel, sessions_, workers_,
                      [this, link = link_](uint64_t call_id, uint64_t frames,
                                           const absl::Status& status) {
                        writer_.CallEnded(link, call_id, frames, status);
                      },
                      [this, link = link_](const link::v1::OpenCall& call,
                                           const v1::StartCommand& start) {
                        writer_.CommandStarted(link, call, start);
                      }};
  absl::StatusOr<std::shared_ptr<Call>> call =
      MakeCall(std::move(context), open);
  if (!call.ok()) return writer_.CallEnded(link_, id, 0, call.status());
  {
    MutexLock lock(mu_);
    if (draining_) {
      call = absl::UnavailableError("this computer's agent is restarting");
    } else if (calls_.size() >= kMaxCalls) {
      call = absl::ResourceExhaustedError(absl::StrCat(
          "this computer has ", kMaxCalls,
          " calls open, its limit: try again when some have ended"));
    } else {
      calls_[id] = *call;
    }
  }
  if (!call.ok()) return writer_.CallEnded(link_, id, 0, call.status());
  const bool runs = workers_.Run([this, id, call = *call] {
    call->Run();
    MutexLock lock(mu_);
    const auto it = calls_.find(id);
    if (it != calls_.end() && it->second == call) calls_.erase(it);
    changed_.NotifyAll();
  });
  if (runs) return;
  {
    MutexLock lock(mu_);
    calls_.erase(id);
  }
  writer_.CallEnded(link_, id, 0,
                    absl::ResourceExhaustedError(
                        "this computer has no thread left for a call"));
}

void Link::OnCancelCall(uint64_t call_id) {
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mu_);
    const auto it = calls_.find(call_id);
    if (it == calls_.end()) return;
    call = it->second;
  }
  call->Cancel();
}

void Link::OnRequest(const link::v1::Request& request) {
  const uint64_t link = link_;
  if (workers_.Run([this, link, request] { Answer(link, request); })) return;
  writer_.Reply(link, request.request_id(),
                absl::ResourceExhaustedError(
                    "this computer has no thread left for a request"),
                nullptr);
}

void Link::Answer(uint64_t link, const link::v1::Request& request) {
  absl::StatusOr<SessionService::Session> session = nullptr;
  const std::string& owner =
      request.owner().empty() ? request.user() : request.owner();
  if (request.has_create()) {
    session = sessions_.Create(request.create());
  } else if (request.has_remove()) {
    const absl::Status removed = sessions_.Remove(owner, request.remove());
    if (!removed.ok()) session = removed;
  } else if (request.has_set_holder()) {
    session = sessions_.SetHolder(owner, request.set_holder());
  } else {
    session = absl::UnimplementedError(
        "this agent is too old for what was asked of it");
  }
  writer_.Reply(link, request.request_id(), session.status(),
                session.ok() ? *session : nullptr);
}

void Link::TakeTrust(const std::string& ca_pem) {
  // Of a broker of before there was another CA; or of one that sends anything.
  if (!CaKeyId(ca_pem).ok()) return;
  AgentState state;
  {
    MutexLock lock(mu_);
    if (state_.ca_pem == ca_pem) return;
    state_.ca_pem = ca_pem;
    state = state_;
  }
  const absl::Status saved = SaveAgentState(directory_, state);
  if (saved.ok()) {
    SPDLOG_INFO("other CAs are trusted now");
  } else {
    SPDLOG_ERROR("the CAs that are trusted can't be kept: {}",
                 EscapeForTerminal(saved.ToString()));
  }
}

void Link::CheckRenewal() {
  sessions_.After(kRenewalCheck, [this] { CheckRenewal(); });
  RenewIfDue();
}

void Link::RenewIfDue() {
  AgentState state;
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(mu_);
    state = state_;
    channel = channel_;
  }
  if (channel == nullptr || !IsRenewalDue(state, absl::Now())) return;
  // If no thread is free now, one will be in an hour.
  workers_.Run([this, channel, state] { RenewNow(channel, state); });
}

void Link::RenewNow(std::shared_ptr<grpc::Channel> channel, AgentState state) {
  absl::Status status = Renew(std::move(channel), state);
  if (status.ok()) status = SaveAgentState(directory_, state);
  if (!status.ok()) {
    SPDLOG_ERROR("the certificate can't be renewed: {}",
                 EscapeForTerminal(status.ToString()));
    return;
  }
  SPDLOG_INFO("the certificate was renewed");
  MutexLock lock(mu_);
  state_ = std::move(state);
}

}  // namespace berth::agent

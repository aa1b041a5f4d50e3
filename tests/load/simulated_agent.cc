#include "tests/load/simulated_agent.h"

#include "absl/time/clock.h"
#include "agent/link/channel.h"
#include "agent/link/pushback.h"

namespace berth::testing {

// One link, from dialling to its end. Deleted on the timer's thread, because a
// channel must not be destroyed by one of its own reactions.
class SimulatedAgent::Link final
    : public grpc::ClientBidiReactor<link::v1::AgentMessage,
                                     link::v1::BrokerMessage> {
 public:
  explicit Link(std::shared_ptr<SimulatedAgent> agent)
      : agent_(std::move(agent)),
        channel_(agent::DialBroker(agent_->state_)),
        stub_(link::v1::Link::NewStub(channel_)) {
    out_.ParseFromString(agent_->hello_);
    stub_->async()->Control(&context_, this);
    StartWrite(&out_);
    StartRead(&in_);
  }

  void Begin() { StartCall(); }
  void Cancel() { context_.TryCancel(); }

  void OnWriteDone(bool ok) override {
    if (!ok) return;
    out_.Clear();  // An inventory is large.
    if (std::exchange(refusing_, false)) StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (in_.has_welcome() && !std::exchange(welcomed_, true)) {
      agent_->observer_.OnWelcome();
    }
    if (!in_.has_request()) return StartRead(&in_);
    // The next one is read once this is answered.
    refusing_ = true;
    out_.mutable_reply()->set_request_id(in_.request().request_id());
    out_.mutable_reply()->set_code(grpc::StatusCode::UNIMPLEMENTED);
    out_.mutable_reply()->set_message("a simulated agent does nothing");
    StartWrite(&out_);
  }

  void OnDone(const grpc::Status&) override {
    const absl::Duration pushback = agent::Pushback(context_);
    agent_->timer_.After(absl::ZeroDuration(), [this, pushback] {
      const std::shared_ptr<SimulatedAgent> agent = agent_;
      const bool welcomed = welcomed_;
      agent->OnLinkEnded(welcomed, pushback);
      delete this;
    });
  }

 private:
  const std::shared_ptr<SimulatedAgent> agent_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<link::v1::Link::Stub> stub_;
  grpc::ClientContext context_;
  link::v1::AgentMessage out_;
  link::v1::BrokerMessage in_;
  bool welcomed_ = false;
  bool refusing_ = false;
};

void SimulatedAgent::DialAfter(absl::Duration delay) {
  timer_.After(delay, [self = shared_from_this()] { self->Dial(); });
}

void SimulatedAgent::Dial() {
  bool early;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
    early = absl::Now() < not_before_;
  }
  observer_.OnAttempt(early);
  // Dials happen on the timer's thread alone, so there is one link at a time.
  Link* link = new Link(shared_from_this());
  {
    MutexLock lock(mu_);
    link_ = link;
    if (stopped_) link->Cancel();
  }
  link->Begin();
}

void SimulatedAgent::OnLinkEnded(bool welcomed, absl::Duration pushback) {
  absl::Duration wait;
  bool again;
  {
    MutexLock lock(mu_);
    link_ = nullptr;
    if (welcomed) backoff_.Reset();
    wait = backoff_.Next(random_, pushback);
    // The wall clock and the timer's may differ by a little.
    not_before_ = absl::Now() + pushback - absl::Milliseconds(5);
    again = !stopped_;
  }
  observer_.OnEnd(welcomed, pushback);
  if (again) DialAfter(wait);
}

void SimulatedAgent::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
  // It is deleted only after OnLinkEnded() has forgotten it.
  if (link_ != nullptr) link_->Cancel();
}

}  // namespace berth::testing

#include "tests/load/simulator.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::testing {
namespace {

// What a session of a small fleet looks like: idle, disconnected, with a past.
v1::Session MakeSession(size_t agent, size_t number, uint32_t id,
                        const std::string& owner) {
  v1::Session session;
  session.set_instance_id(
      absl::StrFormat("%08x-0000-4000-8000-%012x", agent, number));
  session.set_id(id);
  session.set_name(absl::StrCat("Session", id));
  session.set_owner(owner);
  session.set_configuration("default");
  session.set_shell(v1::SHELL_KIND_BASH);
  session.set_buffering(v1::BUFFERING_MODE_BLOCK);
  session.set_cwd("/home/" + owner);
  session.set_log_limit(64 << 20);
  session.mutable_idle_timeout()->set_seconds(86400);
  *session.mutable_created_at() = ToProto(absl::Now());
  session.mutable_activity()->set_kind(v1::Activity::IDLE);
  *session.mutable_activity()->mutable_since() = ToProto(absl::Now());
  return session;
}

std::string MakeHello(const Simulator::Options& options, size_t agent) {
  link::v1::AgentMessage message;
  link::v1::Hello& hello = *message.mutable_hello();
  hello.set_agent_version("0.1.0");
  hello.set_os("Debian GNU/Linux 12 (bookworm)");
  v1::Configuration& configuration = *hello.add_configurations();
  configuration.set_name("default");
  configuration.set_is_default(true);
  configuration.set_enabled(true);
  configuration.mutable_max_idle_timeout()->set_seconds(86400);
  for (size_t i = 0; i < options.sessions; ++i) {
    const bool other = i == 0 && agent % 50 == 0;
    const uint32_t id =
        other ? agent / 50 + 1 : agent * options.sessions + i + 1;
    *hello.add_sessions()->mutable_session() =
        MakeSession(agent, i, id, other ? options.other_owner : options.owner);
  }
  return message.SerializeAsString();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Simulator>> Simulator::Create(
    const CertificateAuthority& ca, const Options& options) {
  std::unique_ptr<Simulator> simulator(new Simulator());
  for (size_t i = 0; i < options.agents; ++i) {
    agent::AgentState state;
    state.broker = options.broker;
    state.ca_pem = ca.cert_pem();
    BERTH_ASSIGN_OR_RETURN(state.key_pem, NewPrivateKeyPem());
    BERTH_ASSIGN_OR_RETURN(const std::string csr, NewCsrPem(state.key_pem));
    const Identity who{Purpose::kAgent, absl::StrFormat("sim%05d", i)};
    BERTH_ASSIGN_OR_RETURN(state.certificate_pem,
                           ca.Issue(csr, who, absl::Hours(24)));
    simulator->agents_.push_back(std::make_shared<SimulatedAgent>(
        std::move(state), MakeHello(options, i), simulator->timer_,
        static_cast<SimulatedAgent::Observer&>(*simulator)));
  }
  return simulator;
}

Simulator::~Simulator() {
  for (const auto& agent : agents_) agent->Stop();
  MutexLock lock(mu_);
  // Cancelled links end at once.
  while (links_ > 0) changed_.Wait(mu_);
}

void Simulator::Start(absl::Duration time) {
  for (size_t i = 0; i < agents_.size(); ++i) {
    agents_[i]->DialAfter(time * i / agents_.size());
  }
}

bool Simulator::WaitForLinked(size_t least, size_t most, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  MutexLock lock(mu_);
  while (counts_.linked < least || counts_.linked > most) {
    if (absl::Now() >= deadline) return false;
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  return true;
}

Simulator::Counts Simulator::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

void Simulator::OnAttempt(bool early) {
  MutexLock lock(mu_);
  ++links_;
  ++counts_.attempts;
  if (early) ++counts_.early;
}

void Simulator::OnWelcome() {
  MutexLock lock(mu_);
  ++counts_.linked;
  changed_.NotifyAll();
}

void Simulator::OnEnd(bool welcomed, absl::Duration pushback) {
  MutexLock lock(mu_);
  --links_;
  if (welcomed) --counts_.linked;
  if (pushback > absl::ZeroDuration()) ++counts_.pushed_back;
  counts_.longest_pushback = std::max(counts_.longest_pushback, pushback);
  changed_.NotifyAll();
}

}  // namespace berth::testing

#ifndef BERTH_TESTS_LOAD_SIMULATED_AGENT_H_
#define BERTH_TESTS_LOAD_SIMULATED_AGENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "agent/link/agent_state.h"
#include "agent/link/backoff.h"
#include "base/mutex.h"
#include "broker/timer.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::testing {

// SimulatedAgent is the link of an agent without the agent: it dials as a real
// one does (agent/link/channel.h), tells its inventory, keeps the link alive,
// and comes back with a real agent's backoff. Its sessions do nothing, and what
// it is asked for it refuses. Thread-safe.
class SimulatedAgent : public std::enable_shared_from_this<SimulatedAgent> {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    // A link is begun; `early`: before the time that the broker asked for.
    virtual void OnAttempt(bool early) = 0;
    virtual void OnWelcome() = 0;
    // `pushback`: what the broker asked for, if it did.
    virtual void OnEnd(bool welcomed, absl::Duration pushback) = 0;
  };

  // `timer` and `observer` must outlive it and its links.
  SimulatedAgent(agent::AgentState state, std::string hello,
                 broker::Timer& timer, Observer& observer)
      : state_(std::move(state)),
        hello_(std::move(hello)),
        timer_(timer),
        observer_(observer) {}

  // Dials `delay` from now, and again whenever the link has ended.
  void DialAfter(absl::Duration delay);
  // Cuts the link and dials no more; the end of the link is still told.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class Link;

  void Dial() ABSL_LOCKS_EXCLUDED(mu_);
  void OnLinkEnded(bool welcomed, absl::Duration pushback)
      ABSL_LOCKS_EXCLUDED(mu_);

  const agent::AgentState state_;
  const std::string hello_;  // Serialized: it takes a third of the memory.
  broker::Timer& timer_;
  Observer& observer_;
  Mutex mu_;
  absl::InsecureBitGen random_ ABSL_GUARDED_BY(mu_);
  agent::Backoff backoff_ ABSL_GUARDED_BY(mu_);
  absl::Time not_before_ ABSL_GUARDED_BY(mu_);
  Link* link_ ABSL_GUARDED_BY(mu_) = nullptr;  // Until its end.
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_LOAD_SIMULATED_AGENT_H_

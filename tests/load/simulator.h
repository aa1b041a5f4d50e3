#ifndef BERTH_TESTS_LOAD_SIMULATOR_H_
#define BERTH_TESTS_LOAD_SIMULATOR_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "broker/timer.h"
#include "tests/load/simulated_agent.h"

namespace berth::testing {

// Simulator poses as a fleet: many agents, each with a certificate and a
// connection of its own. Thread-safe.
class Simulator final : private SimulatedAgent::Observer {
 public:
  struct Options {
    std::string broker;  // "host:port"
    size_t agents = 1;
    size_t sessions = 0;  // Of each agent.
    // Owns all sessions but one of every 50th agent, which is `other_owner`'s.
    std::string owner = "alice";
    std::string other_owner = "bob";
  };

  // What happened so far.
  struct Counts {
    size_t linked = 0;       // Now.
    size_t attempts = 0;     // Links begun.
    size_t pushed_back = 0;  // Links that ended with a time to come back.
    // Links that were begun before the time that the last one ended with.
    size_t early = 0;
    absl::Duration longest_pushback;
  };

  // Signs the agents' certificates with `ca`, instead of joining one by one.
  static absl::StatusOr<std::unique_ptr<Simulator>> Create(
      const CertificateAuthority& ca, const Options& options);
  ~Simulator() override;  // Cuts all links.

  // Lets all agents dial, spread over `time`.
  void Start(absl::Duration time);

  // Waits until so many agents are linked. False: not within `limit`.
  bool WaitForLinked(size_t least, size_t most, absl::Duration limit)
      ABSL_LOCKS_EXCLUDED(mu_);

  Counts counts() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Simulator() = default;

  void OnAttempt(bool early) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWelcome() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnEnd(bool welcomed, absl::Duration pushback) override
      ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<std::shared_ptr<SimulatedAgent>> agents_;
  mutable Mutex mu_;
  CondVar changed_;
  Counts counts_ ABSL_GUARDED_BY(mu_);
  size_t links_ ABSL_GUARDED_BY(mu_) = 0;  // Begun and not ended.
  broker::Timer timer_;  // Last: nothing it runs may outlive the others.
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_LOAD_SIMULATOR_H_

#ifndef BERTH_CLI_INSTALL_UPGRADE_H_
#define BERTH_CLI_INSTALL_UPGRADE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/install/fleet_side.h"
#include "cli/install/options.h"
#include "cli/install/payload.h"
#include "cli/install/probe.h"
#include "cli/install/run_all.h"

namespace berth::cli {

// Replaces the programs of one computer's agent over Berth itself, with the
// rights that its user's session has there and no others: whether they reach
// for it is the computer's own rule (run_as, sudoers), and no broker's. The
// agent begins anew; sessions live on, as does the one that this is done in.
// One thread.
class Upgrade {
 public:
  // All are only used as long as this lives.
  Upgrade(FleetSide& fleet, const UpgradeOptions& options,
          const Payload& payload, std::string computer, const Doing& doing);

  // Returns what was done, for people.
  absl::StatusOr<std::string> Run();

 private:
  absl::StatusOr<std::string> InSession();
  absl::Status CheckHost(const HostState& host) const;
  absl::StatusOr<std::string> Replace(const HostState& host,
                                      const std::string& staging);
  std::string ReplaceScript(const std::string& staging, std::string sums) const;
  absl::StatusOr<std::string> RunIn(const std::string& script);
  absl::Duration left() const;

  FleetSide& fleet_;
  const UpgradeOptions& options_;
  const Payload& payload_;
  const std::string computer_;
  const Doing& doing_;
  const absl::Time deadline_;  // Monotonic.
  std::string session_;        // Its instance id.
};

// `berth agent upgrade`. Returns the exit status: 1 if a computer failed.
int RunUpgrade(Invocation& invocation, const UpgradeOptions& options,
               const std::string& context);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_UPGRADE_H_

#ifndef BERTH_CLI_INSTALL_INSTALLER_H_
#define BERTH_CLI_INSTALL_INSTALLER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "cli/install/fleet_side.h"
#include "cli/install/options.h"
#include "cli/install/payload.h"
#include "cli/install/probe.h"
#include "cli/invocation/signals.h"
#include "cli/ssh/jump.h"
#include "cli/ssh/lifeline.h"
#include "cli/ssh/ssh_session.h"
#include "cli/ssh/target.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::cli {

// Names that hosts of one run are about to have: two that both call themselves
// "localhost" must not become one computer. Thread-safe.
class NameClaims {
 public:
  // False: another host has it.
  bool Claim(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return names_.insert(name).second;
  }

 private:
  Mutex mu_;
  std::set<std::string> names_ ABSL_GUARDED_BY(mu_);
};

// What is the same for all hosts. Not owned, but what is thread-safe only read.
struct InstallPlan {
  const InstallOptions& options;
  const Payload& payload;
  const SshRules& rules;
  const std::optional<SshTarget> via;
  const std::string broker;  // How computers reach it.
  const std::string ca_pem;
  const std::map<std::string, v1::Computer> known;  // Computers, by name.
  FleetSide& fleet;
  SignalSource& signals;
  NameClaims& claims;
};

// Installs the agent on one host, or repairs what is missing there. One thread.
class Installer {
 public:
  // `doing` is told what is being done, for people.
  Installer(const InstallPlan& plan, SshTarget target,
            std::function<void(std::string)> doing)
      : plan_(plan), target_(std::move(target)), doing_(std::move(doing)) {}

  // Returns what was done, for people. Whatever fails leaves an installation
  // that was there as it was, or whole.
  absl::StatusOr<std::string> Run();

 private:
  absl::StatusOr<std::string> Work(Lifeline& lifeline);
  absl::Status Connect(Lifeline& lifeline);
  absl::StatusOr<HostState> Probe();
  absl::Status CheckHost(const HostState& host) const;
  // Settles name_, broker_ and joined_.
  absl::Status Identify(const HostState& host);
  absl::Status CheckName(const Membership& membership);
  absl::StatusOr<std::string> InstallFrom(const std::string& staging,
                                          const HostState& host);
  absl::Status Copy(const std::string& staging, const HostState& host);
  absl::StatusOr<std::string> Enable(const std::string& staging);
  std::string EnableCommand(const std::string& staging) const;

  const InstallPlan& plan_;
  const SshTarget target_;
  const std::function<void(std::string)> doing_;
  // The session goes before the way that it takes.
  std::unique_ptr<Jump> jump_;
  std::optional<SshSession> session_;
  std::string name_;
  std::string broker_;
  bool joined_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_INSTALLER_H_

#ifndef BERTH_AGENT_SESSIONS_CONFIGURATIONS_H_
#define BERTH_AGENT_SESSIONS_CONFIGURATIONS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/cgroups.h"
#include "agent/sessions/config.h"
#include "base/mutex.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::agent {

// What an administrator decided about configurations beside their text: the
// file "choices" in the directory of registered ones.
struct ConfigurationChoices {
  std::string default_configuration;    // Empty: as agent.toml says.
  std::map<std::string, bool> enabled;  // Beats the configuration's own.
};
absl::StatusOr<ConfigurationChoices> ParseChoices(absl::string_view text,
                                                  absl::string_view path);
std::string ChoicesText(const ConfigurationChoices& choices);

// Configurations knows what sessions can be made from, and reads it again while
// the agent runs: agent.toml, and one file NAME.toml for each that was
// registered, which beats one of that name in agent.toml. Whoever has a
// snapshot keeps it; sessions go on as they are. Thread-safe.
class Configurations {
 public:
  struct Entry {
    Configuration configuration;
    bool registered = false;  // It has a file of its own.
    std::string problem;      // Of its file now; it is as it was before.
    bool usable = true;       // False: its file could never be read.
  };
  // Everything as it was at one moment.
  struct Snapshot {
    std::map<std::string, Entry> entries;  // By name.
    std::string default_name;
    uint64_t max_sessions = 0;
    std::string cgroup;
    RunAsRules run_as;
    uint64_t recordings_limit = 0;
    absl::Duration recordings_seal_after;

    // As brokers are told. Limits that `controllers` don't keep say so.
    std::vector<berth::v1::Configuration> Describe(
        const CgroupControllers& controllers) const;
  };

  // `config_file` may be missing if it is `optional`.
  Configurations(std::string config_file, bool optional, std::string directory)
      : config_file_(std::move(config_file)),
        optional_(optional),
        directory_(std::move(directory)) {}

  // Reads all of it for the first time. Fails if agent.toml is bad. Of a bad
  // file of the directory there is only its name and its problem.
  absl::Status Load() ABSL_LOCKS_EXCLUDED(mu_);

  // Reads it again. What has become bad stays as it was; returns what is wrong
  // with it, for the log.
  std::vector<std::string> Reload() ABSL_LOCKS_EXCLUDED(mu_);

  std::shared_ptr<const Snapshot> Get() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<Config> ReadConfig() const;
  // `before` may be null.
  std::shared_ptr<const Snapshot> Read(const Config& config,
                                       const std::string& config_problem,
                                       const Snapshot* before) const;
  void ReadDirectory(Snapshot& snapshot, const Snapshot* before) const;
  void ReadChoices(Snapshot& snapshot, const Snapshot* before) const;

  const std::string config_file_;
  const bool optional_;
  const std::string directory_;

  mutable Mutex mu_;
  Config config_ ABSL_GUARDED_BY(mu_);  // The last good agent.toml.
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mu_);
};

// Where an agent keeps what was registered.
inline std::string ConfigurationDirectory(const std::string& state_directory) {
  return state_directory + "/configurations.d";
}

// One configuration, as brokers are told.
berth::v1::Configuration DescribeConfiguration(
    const std::string& name, const Configuration& configuration);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CONFIGURATIONS_H_

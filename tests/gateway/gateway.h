#ifndef BERTH_TESTS_GATEWAY_GATEWAY_H_
#define BERTH_TESTS_GATEWAY_GATEWAY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/fleet.h"
#include "tests/support/process.h"

namespace berth::testing {

// A real berth-gateway before a fleet, and what its clients need: a key of the
// administrator's, known hosts, an ssh_config. Any step that fails fails the
// test.
class Gateway {
 public:
  explicit Gateway(Fleet& fleet);
  ~Gateway();

  void Start();
  // Adds a line to gateway.toml; for the next Start().
  void Configure(const std::string& line);
  void Stop();

  // Runs ssh to its end, as "admin" + `where` ("", "+web01", "+web01/name").
  Process::Finished Ssh(const std::string& where,
                        const std::vector<std::string>& words,
                        const std::string& input = "",
                        absl::Duration limit = absl::Seconds(30));
  // How to start it in some other way.
  std::vector<std::string> SshCommand(const std::string& where,
                                      const std::vector<std::string>& words);
  // A script, with $CONF (an ssh_config with the hosts "gw", which is the
  // gateway, and one for each computer), $PORT, $KEY, $HOSTKEY (its
  // fingerprint) and $DIR set.
  Process::Finished Script(const std::string& script,
                           absl::Duration limit = absl::Seconds(60));

  int port() const { return port_; }
  pid_t pid() const { return gateway_->pid(); }
  const std::string& directory() const { return directory_; }
  std::string Log() const;

 private:
  void WriteSshConfig();

  Fleet& fleet_;
  const std::string directory_;
  int port_ = 0;
  std::optional<Process> gateway_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_GATEWAY_GATEWAY_H_

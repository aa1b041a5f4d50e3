#ifndef BERTH_TESTS_INSTALL_SSH_SERVER_H_
#define BERTH_TESTS_INSTALL_SSH_SERVER_H_

#include <optional>
#include <string>

#include "tests/support/process.h"

namespace berth::testing {

// A real sshd of this test's own, on a port of loopback, with a host key of its
// own, that lets this user in with one key. All its files are in one directory.
class SshServer {
 public:
  // `directory` is made; `authorized` is the public key to let in, `home` what
  // HOME is in its sessions, and `variable` another NAME=VALUE for these.
  SshServer(const std::string& directory, const std::string& authorized,
            const std::string& home, const std::string& variable = "");
  ~SshServer();

  int port() const { return port_; }
  // "NAME=user@127.0.0.1:port"; without "NAME=" if that is empty.
  std::string Target(const std::string& name = "") const;
  // Its line of known_hosts.
  std::string KnownHost() const;
  // What it has logged.
  std::string Log() const;

 private:
  bool Start(const std::string& authorized, const std::string& variables);

  const std::string directory_;
  int port_ = 0;
  std::optional<Process> process_;
};

// Makes a key pair, `path` and `path`.pub. Returns the public key.
std::string MakeSshKey(const std::string& path);

}  // namespace berth::testing

#endif  // BERTH_TESTS_INSTALL_SSH_SERVER_H_

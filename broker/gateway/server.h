#ifndef BERTH_BROKER_GATEWAY_SERVER_H_
#define BERTH_BROKER_GATEWAY_SERVER_H_

#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "broker/gateway/config.h"
#include "broker/gateway/logins.h"
#include "broker/gateway/ssh.h"

namespace berth::gateway {

// A whole gateway: takes connections in, each on a thread of its own, and
// bounds how many there are. Thread-safe.
class Server {
 public:
  // How long connections have to end when the gateway goes down. Sessions that
  // have names go on.
  static constexpr absl::Duration kDrain = absl::Seconds(5);

  // Reads the files of `directory`, and listens. Unavailable: it can't.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const Config& config, const std::string& directory);
  // Stop() must have returned true.
  ~Server() = default;

  int port() const { return port_; }

  // Hangs up, and waits for kDrain. False: some connections have not ended, and
  // still use this; then the process is to end. Call once.
  bool Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Server(const Config& config, std::unique_ptr<Logins> logins, SshBind bind);

  absl::Status Listen();
  void AcceptAll() ABSL_LOCKS_EXCLUDED(mu_);
  void Accept(UniqueFd fd, const std::string& host, const std::string& address)
      ABSL_LOCKS_EXCLUDED(mu_);
  using Sockets = std::list<UniqueFd>;
  void Serve(SshSession session, Sockets::iterator socket,
             const std::string& host, const std::string& address)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Forget(Sockets::iterator socket) ABSL_LOCKS_EXCLUDED(mu_);
  void NoStranger(const std::string& host) ABSL_LOCKS_EXCLUDED(mu_);

  const Config config_;
  const std::unique_ptr<Logins> logins_;
  const SshBind bind_;  // Of the accepting thread.
  UniqueFd listener_;
  UniqueFd stop_;
  int port_ = 0;
  std::thread accepting_;

  Mutex mu_;
  CondVar ended_;
  // Of all connections; our own descriptors, to hang up with.
  Sockets sockets_ ABSL_GUARDED_BY(mu_);
  // Of those that have not logged in, by address.
  std::map<std::string, size_t> strangers_ ABSL_GUARDED_BY(mu_);
  size_t stranger_count_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_SERVER_H_

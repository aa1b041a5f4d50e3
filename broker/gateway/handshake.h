#ifndef BERTH_BROKER_GATEWAY_HANDSHAKE_H_
#define BERTH_BROKER_GATEWAY_HANDSHAKE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/gateway/login_name.h"
#include "broker/gateway/logins.h"
#include "broker/gateway/ssh.h"
#include "broker/gateway/work.h"
#include "cli/client/connection.h"

namespace berth::gateway {

// An SSH connection whose user has proved who they are. Only LetIn() makes one;
// and what can open a channel takes one. So there is no way for a connection
// that is not authenticated to get at anything that has sessions.
class Guest {
 public:
  Guest(Guest&&) = default;

  ssh_session session() const { return session_.get(); }
  const LoginName& name() const { return name_; }
  const std::string& address() const { return address_; }
  // With the user's certificate.
  const std::shared_ptr<cli::Connection>& broker() const { return broker_; }
  // Gets what the user's own client needs, for its CSR. Any thread, as long as
  // the Logins live that let it in.
  const Certifier& certifier() const { return certifier_; }

 private:
  friend class Handshake;
  Guest(SshSession session, LoginName name, std::string address,
        std::shared_ptr<cli::Connection> broker, Certifier certifier)
      : session_(std::move(session)),
        name_(std::move(name)),
        address_(std::move(address)),
        broker_(std::move(broker)),
        certifier_(std::move(certifier)) {}

  SshSession session_;
  LoginName name_;
  std::string address_;
  std::shared_ptr<cli::Connection> broker_;
  Certifier certifier_;
};

struct HandshakeLimits {
  absl::Duration grace;  // For all of it.
  size_t tries;          // Keys.
};

// Exchanges keys and authenticates, over a new connection that `session` has.
// DeadlineExceeded, PermissionDenied or Unavailable say why not. Blocks.
absl::StatusOr<Guest> LetIn(SshSession session, const std::string& address,
                            Logins& logins, const HandshakeLimits& limits);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_HANDSHAKE_H_

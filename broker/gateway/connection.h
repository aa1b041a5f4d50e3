#ifndef BERTH_BROKER_GATEWAY_CONNECTION_H_
#define BERTH_BROKER_GATEWAY_CONNECTION_H_

#include <libssh/callbacks.h>

#include <list>
#include <string>

#include "absl/status/status.h"
#include "base/unique_fd.h"
#include "broker/gateway/channel.h"
#include "broker/gateway/config.h"
#include "broker/gateway/handshake.h"

namespace berth::gateway {

// An SSH connection that has logged in: its channels, until it ends. Used by
// one thread.
class Connection {
 public:
  Connection(Guest guest, const Config& config);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until the client is gone, or its socket was shut down.
  void Serve();

 private:
  static ssh_channel OnOpen(ssh_session, void* self);
  static int OnMessage(ssh_session, ssh_message message, void* self);

  // Null: there are too many.
  ssh_channel NewChannel();
  // 0, or 1: refused.
  int Forward(ssh_message message);
  bool MayForward(const std::string& host, int port) const;
  void Wake();

  const Guest guest_;
  const Config& config_;
  const SshEvent event_;
  const UniqueFd wake_;
  ssh_server_callbacks_struct callbacks_ = {};
  std::list<Channel> channels_;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_CONNECTION_H_

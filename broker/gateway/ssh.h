#ifndef BERTH_BROKER_GATEWAY_SSH_H_
#define BERTH_BROKER_GATEWAY_SSH_H_

#include <libssh/libssh.h>
#include <libssh/server.h>

#include <memory>

namespace berth::gateway {

// libssh's objects, owned.
struct SshDeleter {
  void operator()(ssh_session session) const { ssh_free(session); }
  void operator()(ssh_bind bind) const { ssh_bind_free(bind); }
  void operator()(ssh_key key) const { ssh_key_free(key); }
  void operator()(ssh_event event) const { ssh_event_free(event); }
};
using SshSession = std::unique_ptr<ssh_session_struct, SshDeleter>;
using SshBind = std::unique_ptr<ssh_bind_struct, SshDeleter>;
using SshKey = std::unique_ptr<ssh_key_struct, SshDeleter>;
using SshEvent = std::unique_ptr<ssh_event_struct, SshDeleter>;

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_SSH_H_

#ifndef BERTH_CLI_KEEPER_SOCKET_H_
#define BERTH_CLI_KEEPER_SOCKET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/unique_fd.h"

namespace berth::cli {

// The keeper's Unix socket. Both sides make sure that the other is of the same
// user.

// Listens at `path`, which must not exist. InvalidArgument: the path is too
// long for a socket.
absl::StatusOr<UniqueFd> ListenAt(const std::string& path);

// Connects. NotFound: nobody listens there. PermissionDenied: somebody else
// does.
absl::StatusOr<UniqueFd> ConnectTo(const std::string& path);

// PermissionDenied unless the other end of `socket` is of our own user.
absl::Status CheckPeer(int socket);

// Sends all of `data`, with descriptors on its first byte. Waits at most a few
// seconds for the peer to take it.
absl::Status SendAll(int socket, absl::string_view data,
                     absl::Span<const int> fds = {});

// What came: some bytes, and descriptors with them.
struct Received {
  std::string data;  // Empty: the peer is gone.
  std::vector<UniqueFd> fds;
};

// Receives what is there. Unavailable: nothing yet, on a socket that does not
// block.
absl::StatusOr<Received> Receive(int socket);

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_SOCKET_H_

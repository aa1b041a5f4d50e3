#ifndef BERTH_CLI_KEEPER_PEER_H_
#define BERTH_CLI_KEEPER_PEER_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "cli/keeper/frame.h"
#include "cli/keeper/keeper.pb.h"
#include "cli/keeper/served.h"
#include "cli/keeper/socket.h"

namespace berth::cli {

// A `berth` process at the other end of the keeper's socket. Owned by the
// server's loop, and used by it alone.
class Peer {
 public:
  explicit Peer(UniqueFd socket) : socket_(std::move(socket)) {}

  int socket() const { return socket_.get(); }

  // Receives what is there. False: the process is gone, or sends what nobody
  // can read.
  bool ReceiveSome();

  // The next message, if all of it has come. InvalidArgument: it can't be
  // read.
  absl::StatusOr<std::optional<keeper::ClientMessage>> Next();

  // The descriptors that came.
  std::vector<UniqueFd> TakeFds() { return std::move(fds_); }

  void Send(const keeper::KeeperMessage& message);

  // Its command; null if it has sent none.
  std::unique_ptr<Served> served;
  // Nothing more is expected of it.
  bool gone = false;
  // By when its first message must have come.
  absl::Time deadline = absl::InfiniteFuture();

 private:
  const UniqueFd socket_;
  FrameDecoder decoder_;
  std::vector<UniqueFd> fds_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_PEER_H_

#include "cli/keeper/peer.h"

#include <string>

#include "base/status_macros.h"

namespace berth::cli {

bool Peer::ReceiveSome() {
  for (;;) {
    absl::StatusOr<Received> received = Receive(socket_.get());
    if (absl::IsUnavailable(received.status())) return true;
    if (!received.ok() || received->data.empty()) return false;
    decoder_.Add(received->data);
    for (UniqueFd& fd : received->fds) fds_.push_back(std::move(fd));
    if (fds_.size() > 3) return false;
  }
}

absl::StatusOr<std::optional<keeper::ClientMessage>> Peer::Next() {
  BERTH_ASSIGN_OR_RETURN(const std::optional<std::string> frame,
                         decoder_.Next());
  if (!frame) return std::nullopt;
  keeper::ClientMessage message;
  if (!message.ParseFromString(*frame)) {
    return absl::InvalidArgumentError("a message that can't be parsed");
  }
  return message;
}

void Peer::Send(const keeper::KeeperMessage& message) {
  // If it is gone there is nobody to tell.
  SendAll(socket_.get(), EncodeFrame(message.SerializeAsString()))
      .IgnoreError();
}

}  // namespace berth::cli

// What may come through the keeper's socket, with descriptors at any place.

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <string>

#include "base/unique_fd.h"
#include "cli/keeper/keeper.pb.h"
#include "cli/keeper/peer.h"
#include "cli/keeper/socket.h"
#include "tests/fuzz/packets.h"

using berth::fuzz::Expect;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int ends[2];
  Expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                    ends) == 0);
  berth::UniqueFd client(ends[0]);
  berth::cli::Peer peer{berth::UniqueFd(ends[1])};
  // The answers are cut by the same decoder.
  berth::cli::FrameDecoder answers;
  static const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  berth::fuzz::Packets packets(data, size);
  for (int i = 0; i < 64; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    const std::vector<int> fds(packet->kind % 5, null);
    if (!packet->bytes.empty() &&
        !berth::cli::SendAll(client.get(), packet->bytes, fds).ok()) {
      break;
    }
    const bool alive = peer.ReceiveSome();
    auto message = peer.Next();
    for (; message.ok() && message->has_value(); message = peer.Next()) {
      if ((*message)->has_invoke()) peer.TakeFds();
    }
    if (!alive || !message.ok()) break;
    answers.Add(packet->bytes);
    auto answer = answers.Next();
    for (; answer.ok() && answer->has_value(); answer = answers.Next()) {
      berth::cli::keeper::KeeperMessage parsed;
      (void)parsed.ParseFromString(**answer);
    }
  }
  return 0;
}

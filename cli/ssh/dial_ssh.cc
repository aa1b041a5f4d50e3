#include "cli/ssh/dial_ssh.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/status_macros.h"
#include "cli/doctor/dial.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

absl::StatusOr<UniqueFd> DialSsh(const SshTarget& target, Lifeline& lifeline) {
  BERTH_ASSIGN_OR_RETURN(
      Dialled dialled,
      Dial(Endpoint(target), std::min(kPatience, lifeline.left()),
           "is the SSH server up, and that its port?"));
  lifeline.Guard(dialled.socket.get());
  // What is asked next does not wait until the last was acknowledged.
  const int on = 1;
  setsockopt(dialled.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return std::move(dialled.socket);
}

}  // namespace berth::cli

#include "cli/doctor/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace berth::cli {
namespace {

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

absl::StatusOr<Addresses> Resolve(const std::string& endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos || colon + 1 == endpoint.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", endpoint,
                     "': not HOST:PORT; correct it with 'berth context "
                     "add', or in BERTH_BROKER"));
  }
  std::string host = endpoint.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const std::string port = endpoint.substr(colon + 1);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error == 0) return Addresses(found, freeaddrinfo);
  if (error == EAI_SERVICE) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", port, "': not a port number"));
  }
  return absl::NotFoundError(absl::StrCat(
      "the name '", host, "' can't be resolved: ", gai_strerror(error),
      "; is it spelled right, and does this computer's DNS know it?"));
}

std::string Print(const addrinfo& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an address";
  }
  return address.ai_family == AF_INET6 ? absl::StrCat("[", host, "]:", port)
                                       : absl::StrCat(host, ":", port);
}

// 0, or what went wrong.
int Connect(int socket, const addrinfo& address, absl::Duration timeout) {
  if (connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd writable = {socket, POLLOUT, 0};
  if (poll(&writable, 1, absl::ToInt64Milliseconds(timeout)) == 0) {
    return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

absl::Status Explain(int error, const std::string& address,
                     absl::string_view refused) {
  switch (error) {
    case ECONNREFUSED:
      return absl::UnavailableError(absl::StrCat(
          address, " refuses the connection: nothing listens there; ",
          refused));
    case ETIMEDOUT:
      return absl::DeadlineExceededError(absl::StrCat(
          address,
          " does not answer: it is down, or a firewall drops what is "
          "sent to that port"));
    default:
      return absl::UnavailableError(absl::StrCat(
          address,
          " can't be reached: ", absl::ErrnoToStatus(error, "").message(),
          "; is this computer's network up?"));
  }
}

}  // namespace

absl::StatusOr<Dialled> Dial(const std::string& endpoint,
                             absl::Duration timeout,
                             absl::string_view refused) {
  const absl::StatusOr<Addresses> addresses = Resolve(endpoint);
  if (!addresses.ok()) return addresses.status();
  absl::Status status;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    Dialled dialled;
    dialled.address = Print(*at);
    dialled.socket.reset(
        socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int error = dialled.socket.valid()
                          ? Connect(dialled.socket.get(), *at, timeout)
                          : errno;
    if (error == 0) return dialled;
    // The first says most: others are often the same host once more.
    if (status.ok()) status = Explain(error, dialled.address, refused);
  }
  return status;
}

}  // namespace berth::cli

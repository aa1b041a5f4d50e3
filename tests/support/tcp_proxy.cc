#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace berth::testing {
namespace {

// On its way in one direction: about what a network holds.
constexpr size_t kMostOnItsWay = 1 << 20;
constexpr size_t kReadBytes = 256 << 10;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

TcpProxy::TcpProxy(int target_port)
    : target_port_(target_port),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      buffer_(kReadBytes, '\0') {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      listen(listener_.get(), 64) == 0 &&
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                  &size) == 0) {
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::thread([this] { Loop(); });
}

TcpProxy::~TcpProxy() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void TcpProxy::Wake() { eventfd_write(wake_.get(), 1); }

void TcpProxy::Reset(Connection& connection) {
  for (UniqueFd& end : connection.ends) {
    const linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    end.reset();
  }
}

void TcpProxy::Cut() {
  MutexLock lock(mu_);
  for (Connection& connection : live_) Reset(connection);
  live_.clear();
  Wake();
}

void TcpProxy::Stall(bool stalled) {
  MutexLock lock(mu_);
  stalled_ = stalled;
  Wake();
}

void TcpProxy::Delay(absl::Duration delay) {
  MutexLock lock(mu_);
  delay_ = delay;
  Wake();
}

void TcpProxy::Accept() {
  UniqueFd client(
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client.valid()) return;
  UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(target_port_);
  // On loopback this is refused at once, or there.
  if (connect(server.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    return;
  }
  fcntl(server.get(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  for (const int fd : {client.get(), server.get()}) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ++connections_;
  MutexLock lock(mu_);
  Connection& connection = live_.emplace_back();
  connection.ends[0] = std::move(client);
  connection.ends[1] = std::move(server);
}

void TcpProxy::Take(Connection& connection, int from, absl::Duration delay) {
  Flow& flow = connection.from[from];
  const ssize_t got =
      recv(connection.ends[from].get(), buffer_.data(), buffer_.size(), 0);
  if (got == 0) flow.ended = true;
  if (got < 0 && errno != EAGAIN && errno != EINTR) connection.broken = true;
  if (got <= 0) return;
  flow.bytes += got;
  flow.chunks.push_back({absl::Now() + delay, buffer_.substr(0, got)});
}

void TcpProxy::Give(Connection& connection, int from) {
  Flow& flow = connection.from[from];
  const int to = connection.ends[1 - from].get();
  while (!flow.chunks.empty() && flow.chunks.front().due <= absl::Now()) {
    Flow::Chunk& chunk = flow.chunks.front();
    const ssize_t sent = send(to, chunk.data.data() + chunk.sent,
                              chunk.data.size() - chunk.sent, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) connection.broken = true;
      return;
    }
    chunk.sent += sent;
    flow.bytes -= sent;
    if (chunk.sent < chunk.data.size()) return;
    flow.chunks.pop_front();
  }
  if (flow.ended && flow.chunks.empty() && !std::exchange(flow.closed, true)) {
    shutdown(to, SHUT_WR);
  }
}

void TcpProxy::Loop() {
  for (;;) {
    std::vector<pollfd> fds = {{wake_.get(), POLLIN, 0},
                               {listener_.get(), POLLIN, 0}};
    absl::Time next = absl::InfiniteFuture();
    {
      MutexLock lock(mu_);
      if (stopping_) return;
      for (Connection& connection : live_) {
        for (int side : {0, 1}) {
          const Flow& in = connection.from[side];
          const Flow& out = connection.from[1 - side];
          short events = 0;
          if (!in.ended && in.bytes < kMostOnItsWay) events |= POLLIN;
          if (!out.chunks.empty()) {
            if (out.chunks.front().due <= absl::Now()) {
              events |= POLLOUT;
            } else {
              next = std::min(next, out.chunks.front().due);
            }
          }
          if (stalled_) events = 0;
          // Nothing to ask for: it would tell of hangups again and again.
          fds.push_back(
              {events != 0 ? connection.ends[side].get() : -1, events, 0});
        }
      }
    }
    const int64_t limit = next == absl::InfiniteFuture()
                              ? -1
                              : absl::ToInt64Milliseconds(std::max(
                                    absl::ZeroDuration(), next - absl::Now())) +
                                    1;
    poll(fds.data(), fds.size(), static_cast<int>(limit));
    if (fds[0].revents != 0) {
      eventfd_t count;
      eventfd_read(wake_.get(), &count);
    }
    {
      MutexLock lock(mu_);
      for (Connection& connection : live_) {
        if (stalled_) break;
        for (int side : {0, 1}) {
          const Flow& in = connection.from[side];
          if (!in.ended && in.bytes < kMostOnItsWay) {
            Take(connection, side, delay_);
          }
          Give(connection, side);
        }
      }
      for (auto it = live_.begin(); it != live_.end();) {
        const bool over = it->from[0].closed && it->from[1].closed;
        if (it->broken) Reset(*it);
        it = it->broken || over ? live_.erase(it) : std::next(it);
      }
    }
    if (fds[1].revents != 0) Accept();
  }
}

}  // namespace berth::testing

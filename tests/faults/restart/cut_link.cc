#include "tests/faults/restart/cut_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

// How long a change of mode takes at most.
constexpr int kLookMs = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Passes on what there is. False: an end is closed.
bool Move(int from, int to) {
  char buffer[16 << 10];
  const ssize_t got = recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  return got > 0 &&
         WriteAll(to, absl::string_view(buffer, static_cast<size_t>(got))).ok();
}

}  // namespace

CutLink::CutLink(int port) : broker_port_(port) {
  listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size),
            0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
  EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                        &size),
            0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CutLink::~CutLink() {
  ending_ = true;
  thread_.join();
}

void CutLink::Run() {
  while (!ending_) {
    std::vector<pollfd> fds = {{listener_.get(), POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      const short events = mode_ == Mode::kWhole ? POLLIN : 0;
      fds.push_back({pair.agent.get(), events, 0});
      fds.push_back({pair.broker.get(), events, 0});
    }
    poll(fds.data(), fds.size(), kLookMs);
    const auto over = [this](Pair& pair) { return !Pass(pair); };
    pairs_.erase(std::remove_if(pairs_.begin(), pairs_.end(), over),
                 pairs_.end());
    if (fds[0].revents != 0) Accept();
  }
}

void CutLink::Accept() {
  Pair pair;
  pair.agent.reset(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.agent.valid() || mode_ == Mode::kCut) return;
  pair.broker.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(broker_port_);
  if (connect(pair.broker.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    pairs_.push_back(std::move(pair));
  }
}

bool CutLink::Pass(Pair& pair) {
  switch (mode_) {
    case Mode::kCut:
      return false;
    case Mode::kSilent:
      pair.silenced = true;
      return true;
    case Mode::kWhole:
      return !pair.silenced && Move(pair.agent.get(), pair.broker.get()) &&
             Move(pair.broker.get(), pair.agent.get());
  }
  return false;
}

}  // namespace berth::testing

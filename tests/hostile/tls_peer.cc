#include "tests/hostile/tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>

#include "base/monotonic.h"

namespace berth::testing {
namespace {

sockaddr_in AddressOf(const std::string& host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

// How long one call may take, whatever the other side does.
void SetTimeout(int fd, int option, absl::Duration limit) {
  const timeval value = absl::ToTimeval(limit);
  setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

bool WaitReadable(int fd, absl::Duration limit) {
  pollfd entry = {fd, POLLIN, 0};
  const int64_t ms = absl::ToInt64Milliseconds(
      absl::Ceil(std::max(limit, absl::ZeroDuration()), absl::Milliseconds(1)));
  return poll(&entry, 1, static_cast<int>(ms)) > 0;
}

}  // namespace

TcpPeer::TcpPeer(int port, const std::string& from)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in source = AddressOf(from, 0);
  const sockaddr_in target = AddressOf("127.0.0.1", port);
  SetTimeout(fd_.get(), SO_RCVTIMEO, absl::Seconds(20));
  SetTimeout(fd_.get(), SO_SNDTIMEO, absl::Seconds(20));
  // Ports are chosen for the pair of addresses, so that there are enough.
  const int one = 1;
  setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&source),
           sizeof source) != 0 ||
      connect(fd_.get(), reinterpret_cast<const sockaddr*>(&target),
              sizeof target) != 0) {
    fd_.reset();
  }
}

void TcpPeer::Send(absl::string_view bytes) {
  if (send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
}

bool TcpPeer::WaitForClose(absl::Duration limit) {
  const absl::Time until = MonotonicNow() + limit;
  char buffer[4096];
  while (fd_.valid()) {
    const absl::Duration left = until - MonotonicNow();
    if (left <= absl::ZeroDuration()) return false;
    if (!WaitReadable(fd_.get(), left)) continue;
    if (recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT) <= 0) return true;
  }
  return true;
}

void TlsPeer::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void TlsPeer::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsPeer::TlsPeer(int port, const Options& options)
    : tcp_(port, options.from), context_(SSL_CTX_new(TLS_client_method())) {
  if (!tcp_.connected()) return;
  if (!options.alpn.empty()) {
    const std::string wire =
        std::string(1, static_cast<char>(options.alpn.size())) + options.alpn;
    SSL_CTX_set_alpn_protos(context_.get(),
                            reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  }
  if (!options.certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(context_.get(),
                                       options.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(),
                                SSL_FILETYPE_PEM);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), tcp_.fd());
  established_ = SSL_connect(ssl_.get()) == 1;
  SetTimeout(tcp_.fd(), SO_SNDTIMEO, absl::Milliseconds(500));
  ERR_clear_error();
}

bool TlsPeer::Send(absl::string_view bytes) {
  const bool sent =
      established_ &&
      SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  ERR_clear_error();
  return sent;
}

std::string TlsPeer::Receive(absl::Duration limit) {
  std::string bytes;
  if (!established_ || closed_) return bytes;
  if (SSL_pending(ssl_.get()) == 0 && !WaitReadable(tcp_.fd(), limit)) {
    return bytes;
  }
  bytes.resize(16 << 10);
  SetTimeout(tcp_.fd(), SO_RCVTIMEO, std::max(limit, absl::Milliseconds(1)));
  const int got =
      SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  const int error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), got);
  closed_ = got <= 0 && error != SSL_ERROR_WANT_READ;
  bytes.resize(static_cast<size_t>(std::max(got, 0)));
  ERR_clear_error();
  return bytes;
}

bool TlsPeer::WaitForClose(absl::Duration limit) {
  return closed_ || tcp_.WaitForClose(limit);
}

}  // namespace berth::testing

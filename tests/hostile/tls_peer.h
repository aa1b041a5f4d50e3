#ifndef BERTH_TESTS_HOSTILE_TLS_PEER_H_
#define BERTH_TESTS_HOSTILE_TLS_PEER_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

struct ssl_st;
struct ssl_ctx_st;

namespace berth::testing {

// A TCP connection to loopback, from an address of one's own choice there, for
// those who do not speak as they should. Nothing fails the test.
class TcpPeer {
 public:
  explicit TcpPeer(int port, const std::string& from = "127.0.0.2");

  bool connected() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }
  // What the other side does not take is dropped.
  void Send(absl::string_view bytes);
  // Waits until the other side has closed the connection.
  bool WaitForClose(absl::Duration limit);

 private:
  UniqueFd fd_;
};

// The same with TLS, which verifies nobody.
class TlsPeer {
 public:
  struct Options {
    // The one protocol that is offered; empty: none.
    std::string alpn = "h2";
    std::string from = "127.0.0.2";
    // Files of the certificate that is shown and its key; empty: none is.
    std::string certificate = "";
    std::string key = "";
  };

  TlsPeer(int port, const Options& options);

  // Whether this side is done with its handshake. It is so before the other
  // side has looked at its certificate.
  bool established() const { return established_; }
  // False: the connection is over, or took nothing for half a second.
  bool Send(absl::string_view bytes);
  // Takes what has come and comes until `limit`; empty: nothing.
  std::string Receive(absl::Duration limit);
  // Whether Receive() has seen the end.
  bool closed() const { return closed_; }
  bool WaitForClose(absl::Duration limit);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };
  TcpPeer tcp_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  bool established_ = false;
  bool closed_ = false;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_HOSTILE_TLS_PEER_H_

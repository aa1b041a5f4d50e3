#ifndef BERTH_TESTS_SUPPORT_TCP_PROXY_H_
#define BERTH_TESTS_SUPPORT_TCP_PROXY_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace berth::testing {

// A network that a test can break: listens on a port of loopback, and passes
// every connection on to another. Thread-safe.
class TcpProxy {
 public:
  // Passes connections on to `target_port` of loopback.
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }

  // Resets every connection; what was on its way is lost. New ones are passed
  // on. Has happened when it returns.
  void Cut() ABSL_LOCKS_EXCLUDED(mu_);
  // From now on nothing passes, in either direction, or everything does again.
  // Nobody is told: it is as if a cable were pulled.
  void Stall(bool stalled) ABSL_LOCKS_EXCLUDED(mu_);
  // From now on everything takes this long in each direction.
  void Delay(absl::Duration delay) ABSL_LOCKS_EXCLUDED(mu_);

  // Connections that were passed on so far.
  int connections() const { return connections_; }

 private:
  // One direction of a connection.
  struct Flow {
    struct Chunk {
      absl::Time due;
      std::string data;
      size_t sent = 0;
    };
    std::deque<Chunk> chunks;
    size_t bytes = 0;
    bool ended = false;   // Nothing more comes.
    bool closed = false;  // Its end was passed on.
  };
  struct Connection {
    UniqueFd ends[2];
    Flow from[2];
    bool broken = false;
  };

  void Loop();
  void Accept();
  void Take(Connection& connection, int from, absl::Duration delay);
  void Give(Connection& connection, int from);
  static void Reset(Connection& connection);
  void Wake();

  const int target_port_;
  UniqueFd listener_;
  UniqueFd wake_;
  std::string buffer_;  // Of the thread alone.
  int port_ = 0;
  std::atomic<int> connections_ = 0;

  Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool stalled_ ABSL_GUARDED_BY(mu_) = false;
  absl::Duration delay_ ABSL_GUARDED_BY(mu_);
  std::list<Connection> live_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_TCP_PROXY_H_

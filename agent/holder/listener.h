#ifndef BERTH_AGENT_HOLDER_LISTENER_H_
#define BERTH_AGENT_HOLDER_LISTENER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/holder/event_loop.h"
#include "base/unique_fd.h"

namespace berth::holder {

// The socket in the session's directory. Peers of other users than root and
// the one who started this process are turned away. One thread.
class Listener {
 public:
  // Takes the place of a socket that is left from before. `on_accept` gets each
  // new connection.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(
      EventLoop& loop, const std::string& directory,
      std::function<void(UniqueFd)> on_accept);
  // Removes the socket.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  Listener(EventLoop& loop, UniqueFd directory, UniqueFd socket,
           std::function<void(UniqueFd)> on_accept)
      : loop_(loop),
        directory_(std::move(directory)),
        socket_(std::move(socket)),
        on_accept_(std::move(on_accept)) {}
  void Accept();

  EventLoop& loop_;
  UniqueFd directory_;
  UniqueFd socket_;
  const std::function<void(UniqueFd)> on_accept_;
  std::optional<EventLoop::TimerId> pause_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_LISTENER_H_

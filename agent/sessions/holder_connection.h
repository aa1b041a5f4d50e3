#ifndef BERTH_AGENT_SESSIONS_HOLDER_CONNECTION_H_
#define BERTH_AGENT_SESSIONS_HOLDER_CONNECTION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::agent {

// One connection to a holder's socket. One thread may send while another
// receives.
class HolderConnection {
 public:
  // Connects to the holder of the session in `directory`. UNAVAILABLE: nobody
  // listens there. PERMISSION_DENIED: a process of another user does.
  // FAILED_PRECONDITION: it speaks a version that this agent does not.
  static absl::StatusOr<HolderConnection> Connect(const std::string& directory);

  // Sends one request, with the descriptor `fd` unless that is -1. Waits while
  // the holder is busy, up to 10 s. UNAVAILABLE: the holder is gone, or does
  // not take requests.
  absl::Status Send(const holder::v1::Request& request, int fd = -1);

  // The next event if there is one now. UNAVAILABLE: the holder closed the
  // connection. DATA_LOSS: that was no event.
  absl::StatusOr<std::optional<holder::v1::Event>> TryReceive();

  // Waits for the next event. DEADLINE_EXCEEDED: there was none.
  absl::StatusOr<holder::v1::Event> Receive(absl::Duration limit);

  // Receives events up to this many bytes, as a watched terminal's are. To be
  // called before the first is received.
  void set_max_event(size_t bytes) { max_event_ = bytes; }

  // Readable when there is something to receive.
  int fd() const { return fd_.get(); }

 private:
  explicit HolderConnection(UniqueFd fd) : fd_(std::move(fd)) {}

  // Longer than any event but a watched terminal's: texts in them are cut, and
  // a path has at most 4 KiB, twice in a `queued`.
  size_t max_event_ = 32 << 10;
  UniqueFd fd_;
  std::string buffer_;  // The receiver's.
};

// A memfd with `script`, as Start carries it.
absl::StatusOr<UniqueFd> ScriptFile(absl::string_view script);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLDER_CONNECTION_H_

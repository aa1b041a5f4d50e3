#ifndef BERTH_TESTS_SUPPORT_HOLDER_CLIENT_H_
#define BERTH_TESTS_SUPPORT_HOLDER_CLIENT_H_

#include <deque>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::testing {

// HolderClient is one connection to a holder's socket, as an agent makes it.
// Not thread-safe.
class HolderClient {
 public:
  // Connects to a Unix SOCK_SEQPACKET socket.
  static absl::StatusOr<HolderClient> Connect(const std::string& path);

  // Sends one packet, with the descriptor `fd` unless that is -1. Packets that
  // come meanwhile are kept for Next(). Unavailable if the holder closed the
  // connection.
  absl::Status Send(const holder::v1::Request& request, int fd = -1);
  absl::Status SendRaw(absl::string_view packet, int fd = -1);

  // Takes the next event. DeadlineExceeded if there is none within `limit`;
  // Unavailable if the holder closed the connection; DataLoss for a packet that
  // is no event.
  absl::StatusOr<holder::v1::Event> Next(
      absl::Duration limit = absl::Seconds(10));

  // Reads until the holder closes the connection.
  absl::Status WaitClosed(absl::Duration limit = absl::Seconds(10));

  bool connected() const { return fd_.valid(); }
  void Close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

 private:
  explicit HolderClient(UniqueFd fd) : fd_(std::move(fd)) {}
  absl::Status Receive(absl::Duration limit);

  UniqueFd fd_;
  std::deque<std::string> inbox_;
};

// A request to run `script`, which is sent with it as MemoryFile(script).
// Waits for nothing: refused if the session is busy.
holder::v1::Request StartRequest(const std::string& command_id,
                                 const std::string& script);

// A memfd that holds `content`, as scripts are passed.
absl::StatusOr<UniqueFd> MemoryFile(absl::string_view content);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_HOLDER_CLIENT_H_

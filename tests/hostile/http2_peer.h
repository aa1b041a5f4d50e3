#ifndef BERTH_TESTS_HOSTILE_HTTP2_PEER_H_
#define BERTH_TESTS_HOSTILE_HTTP2_PEER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/hostile/tls_peer.h"

namespace berth::testing {

// RFC 9113, section 6.
enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr int kEndStream = 1;
inline constexpr int kAck = 1;
inline constexpr int kEndHeaders = 4;

struct Http2Frame {
  FrameType type = FrameType::kData;
  int flags = 0;
  uint32_t stream = 0;
  std::string payload;
};

// As bytes; `payload` is taken as it is.
std::string Frame(FrameType type, int flags, uint32_t stream,
                  absl::string_view payload = "");
// A 32 bit number, as frames have it.
std::string Word(uint32_t value);
// One field of a header block, neither indexed nor compressed.
std::string Field(absl::string_view name, absl::string_view value);
// The header block of a call of this method.
std::string CallHeaders(absl::string_view method);
// The frame that begins a call, and leaves it open.
std::string Call(uint32_t stream, absl::string_view method);

// An HTTP/2 client that says what it is told to, byte by byte.
class Http2Peer {
 public:
  // Connects, and says what clients say first.
  Http2Peer(int port, const TlsPeer::Options& options,
            absl::Duration limit = absl::Seconds(20));

  // Whether the server has let it in: its first frame came.
  bool accepted() const { return accepted_; }
  bool Send(absl::string_view bytes) { return tls_.Send(bytes); }
  // Drops what has come. False: the server has closed the connection.
  bool Drain();
  // The next frame. Not set: none comes, or the connection is closed.
  std::optional<Http2Frame> Next(absl::Duration limit);
  // Waits, dropping what comes, until the server has closed it.
  bool WaitForClose(absl::Duration limit);

 private:
  TlsPeer tls_;
  std::string received_;
  bool accepted_ = false;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_HOSTILE_HTTP2_PEER_H_

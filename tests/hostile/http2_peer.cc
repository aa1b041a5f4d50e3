#include "tests/hostile/http2_peer.h"

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"

namespace berth::testing {
namespace {

constexpr size_t kFrameHeader = 9;

// A length of HPACK: seven bits, and then seven of each byte.
std::string Length(size_t length) {
  if (length < 127) return std::string(1, static_cast<char>(length));
  std::string bytes(1, 127);
  for (length -= 127; length >= 128; length /= 128) {
    bytes.push_back(static_cast<char>(length % 128 + 128));
  }
  bytes.push_back(static_cast<char>(length));
  return bytes;
}

size_t Byte(absl::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}

}  // namespace

std::string Word(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

std::string Frame(FrameType type, int flags, uint32_t stream,
                  absl::string_view payload) {
  return absl::StrCat(Word(static_cast<uint32_t>(payload.size())).substr(1),
                      std::string(1, static_cast<char>(type)),
                      std::string(1, static_cast<char>(flags)), Word(stream),
                      payload);
}

std::string Field(absl::string_view name, absl::string_view value) {
  return absl::StrCat(std::string(1, 0), Length(name.size()), name,
                      Length(value.size()), value);
}

std::string CallHeaders(absl::string_view method) {
  return absl::StrCat(
      Field(":method", "POST"), Field(":scheme", "https"),
      Field(":path", method), Field(":authority", "berth-broker"),
      Field("te", "trailers"), Field("content-type", "application/grpc"));
}

std::string Call(uint32_t stream, absl::string_view method) {
  return Frame(FrameType::kHeaders, kEndHeaders, stream, CallHeaders(method));
}

Http2Peer::Http2Peer(int port, const TlsPeer::Options& options,
                     absl::Duration limit)
    : tls_(port, options) {
  if (!Send(absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                         Frame(FrameType::kSettings, 0, 0)))) {
    return;
  }
  const auto first = Next(limit);
  accepted_ = first.has_value() && first->type == FrameType::kSettings;
  if (accepted_) Send(Frame(FrameType::kSettings, kAck, 0));
}

bool Http2Peer::Drain() {
  received_.clear();
  while (!tls_.Receive(absl::ZeroDuration()).empty()) {
  }
  return !tls_.closed();
}

std::optional<Http2Frame> Http2Peer::Next(absl::Duration limit) {
  const absl::Time until = MonotonicNow() + limit;
  for (;;) {
    if (received_.size() >= kFrameHeader) {
      const size_t size = Byte(received_, 0) << 16 | Byte(received_, 1) << 8 |
                          Byte(received_, 2);
      if (received_.size() >= kFrameHeader + size) {
        Http2Frame frame;
        frame.type = static_cast<FrameType>(received_[3]);
        frame.flags = static_cast<int>(Byte(received_, 4));
        for (size_t i = 5; i < kFrameHeader; ++i) {
          frame.stream =
              frame.stream << 8 | static_cast<uint32_t>(Byte(received_, i));
        }
        frame.payload = received_.substr(kFrameHeader, size);
        received_.erase(0, kFrameHeader + size);
        return frame;
      }
    }
    const absl::Duration left = until - MonotonicNow();
    if (left <= absl::ZeroDuration() || tls_.closed()) return std::nullopt;
    received_ += tls_.Receive(left);
  }
}

bool Http2Peer::WaitForClose(absl::Duration limit) {
  return tls_.WaitForClose(limit);
}

}  // namespace berth::testing

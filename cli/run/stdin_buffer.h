#ifndef BERTH_CLI_RUN_STDIN_BUFFER_H_
#define BERTH_CLI_RUN_STDIN_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace berth::cli {

// A command's standard input on its way: what was read here and may not have
// reached the command yet, kept so that it can be sent again after a link was
// lost. The peer grants credit ahead of what the command has taken; the
// distance is the window, so credit also tells what is safe to forget. Not
// thread-safe.
class StdinBuffer {
 public:
  // At most this much is kept, whatever window the peer grants.
  static constexpr uint64_t kMaxKept = 4 << 20;
  // As much as one frame may carry.
  static constexpr size_t kChunk = 256 << 10;

  // A new stream: everything that is kept is to be sent again, as far as the
  // credit goes that it will grant.
  void Restart();

  // Input may be sent up to `limit`.
  void Grant(uint64_t limit);

  // How much may be read and added now.
  size_t room() const;

  // Adds what was read: at most room() and kChunk bytes.
  void Add(grpc::Slice data);

  // Nothing follows.
  void AddEof() { eof_ = true; }
  bool eof() const { return eof_; }

  // The next frame to send, as a RunRequest; nothing if there is none now.
  std::optional<grpc::ByteBuffer> Next();

 private:
  struct Chunk {
    uint64_t offset;
    grpc::Slice data;
  };

  void Forget(uint64_t before);

  std::deque<Chunk> kept_;
  uint64_t begin_ = 0;  // Of what is kept.
  uint64_t end_ = 0;    // Where what is read next stands.
  uint64_t limit_ = 0;  // Credit on this stream.
  // The first credit ever: nothing was taken yet, so it is the window.
  std::optional<uint64_t> window_;
  uint64_t sent_ = 0;  // On this stream.
  bool eof_ = false;
  bool eof_sent_ = false;
};

// A RunRequest that carries a piece of standard input, without copying it.
grpc::ByteBuffer StdinFrame(uint64_t offset, const grpc::Slice& data);

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_STDIN_BUFFER_H_

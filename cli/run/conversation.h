#ifndef BERTH_CLI_RUN_CONVERSATION_H_
#define BERTH_CLI_RUN_CONVERSATION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/run/command_view.h"
#include "grpcpp/support/byte_buffer.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What Run and Receive have in their own way. Thread-safe: constant.
class Conversation {
 public:
  virtual ~Conversation() = default;

  virtual const grpc::internal::RpcMethod& Method(
      const Connection& connection) const = 0;

  // The first frame of a stream: it goes on where `view` is.
  virtual grpc::ByteBuffer First(const CommandView& view) const = 0;

  virtual grpc::ByteBuffer AckFrame(const v1::Ack& ack) const = 0;

  // The last frame of a client that leaves: the server need not go on.
  virtual grpc::ByteBuffer LeaveFrame() const = 0;

  // Whether nothing is written after the first frame: then the stream is
  // half-closed at once, and cancelled when all has come.
  virtual bool OnlyReads() const { return false; }

  // Whether to half-close now, since all that was wanted has come.
  virtual bool IsComplete(const CommandView& view) const = 0;

  // Whether a stream that the server ended with OK has brought everything.
  virtual bool MayEnd(const CommandView& view) const = 0;
};

// Runs one command.
class RunConversation : public Conversation {
 public:
  // `open` and `start` are what the first stream begins with.
  RunConversation(v1::OpenSession open, v1::StartCommand start);

  const grpc::internal::RpcMethod& Method(
      const Connection& connection) const override {
    return connection.run_method();
  }
  grpc::ByteBuffer First(const CommandView& view) const override;
  grpc::ByteBuffer AckFrame(const v1::Ack& ack) const override;
  grpc::ByteBuffer LeaveFrame() const override;
  bool IsComplete(const CommandView& view) const override;
  bool MayEnd(const CommandView& view) const override;

 private:
  v1::RunRequest first_;
};

// Receives what commands printed.
class ReceiveConversation : public Conversation {
 public:
  // `only_reads`: acknowledges nothing.
  explicit ReceiveConversation(v1::OpenReceive open, bool only_reads = false);

  const grpc::internal::RpcMethod& Method(
      const Connection& connection) const override {
    return connection.receive_method();
  }
  grpc::ByteBuffer First(const CommandView& view) const override;
  grpc::ByteBuffer AckFrame(const v1::Ack& ack) const override;
  grpc::ByteBuffer LeaveFrame() const override;
  // The server ends it.
  bool IsComplete(const CommandView&) const override { return false; }
  bool MayEnd(const CommandView&) const override { return true; }
  bool OnlyReads() const override { return only_reads_; }

 private:
  const bool only_reads_;
  v1::ReceiveRequest first_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_CONVERSATION_H_

#ifndef BERTH_AGENT_LINK_CALL_STREAM_H_
#define BERTH_AGENT_LINK_CALL_STREAM_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/link/frame_writer.h"
#include "agent/sessions/worker_pool.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace berth::agent {

// The agent's side of one Call stream. Its owner's thread writes; a thread of
// the pool reads, and hands the frames to the owner's handler.
class CallStream final : public FrameWriter {
 public:
  // One frame from the client. An error ends the call with it.
  using FrameHandler = std::function<absl::Status(const grpc::ByteBuffer&)>;

  CallStream(std::shared_ptr<grpc::ChannelInterface> channel, uint64_t call_id);
  ~CallStream() override { Finish(); }

  // Opens the stream and begins to read. `first` runs on the reader's thread,
  // before anything is read. RESOURCE_EXHAUSTED: no thread is left.
  absl::Status Open(WorkerPool& workers, std::function<absl::Status()> first,
                    FrameHandler frame);

  bool Write(const grpc::ByteBuffer& frame, bool more) override;

  // Frames that Write() took. Only the writing thread may ask.
  uint64_t frames_written() const { return frames_written_; }

  // Says that there is nothing more to write.
  void WritesDone();

  // Waits until the broker has ended the stream, or cancels it after a while;
  // then nothing reads any more. Call it before what the handler uses goes.
  void Finish() ABSL_LOCKS_EXCLUDED(mu_);

  // Makes reading and writing fail. Any thread, also before Open.
  void Cancel();

  // What the reader knows. `error`: what ends the call, from a frame or
  // because the stream broke.
  struct State {
    bool half_closed = false;
    absl::Status error;
  };
  State state() const ABSL_LOCKS_EXCLUDED(mu_);

  // Readable after state() has changed, or Wake() was called.
  int wake_fd() const { return wake_.get(); }
  void Wake();
  void ClearWake();

 private:
  using Stream = grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  void ReadAll(const std::function<absl::Status()>& first,
               const FrameHandler& frame) ABSL_LOCKS_EXCLUDED(mu_);
  void SetError(absl::Status error) ABSL_LOCKS_EXCLUDED(mu_);

  const std::shared_ptr<grpc::ChannelInterface> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  uint64_t frames_written_ = 0;
  UniqueFd wake_;

  mutable Mutex mu_;
  CondVar done_;
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  State state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_CALL_STREAM_H_

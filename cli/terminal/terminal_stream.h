#ifndef BERTH_CLI_TERMINAL_TERMINAL_STREAM_H_
#define BERTH_CLI_TERMINAL_TERMINAL_STREAM_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "cli/client/connection.h"
#include "grpcpp/grpcpp.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// One Enter stream. One thread opens, reads and finishes it; any may write and
// cancel.
class TerminalStream {
 public:
  explicit TerminalStream(Connection& connection);

  // False: the stream is broken; Finish() will say why.
  bool Open(const v1::TerminalRequest& first) ABSL_LOCKS_EXCLUDED(mu_);
  bool Read(v1::TerminalEvent& event) { return stream_->Read(&event); }
  // Nothing is written any more once the stream has ended.
  void Write(const v1::TerminalRequest& request) ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel() { context_.TryCancel(); }

  // How the stream ended; call after Read() said false.
  absl::Status Finish() ABSL_LOCKS_EXCLUDED(mu_);
  // Whether Finish() told what the broker said, not that it is out of reach.
  bool from_broker() const { return from_broker_; }

 private:
  Connection& connection_;
  grpc::ClientContext context_;
  // Held while writing: it is what keeps the writers in order.
  Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::TerminalRequest, v1::TerminalEvent>>
      stream_;
  bool from_broker_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_TERMINAL_STREAM_H_

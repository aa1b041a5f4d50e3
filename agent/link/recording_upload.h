#ifndef BERTH_AGENT_LINK_RECORDING_UPLOAD_H_
#define BERTH_AGENT_LINK_RECORDING_UPLOAD_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "agent/recording/spool.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "proto/berth/link/v1/recorder.grpc.pb.h"

namespace berth::agent {

// Brings sealed segments to the broker's archive, one at a time and in order,
// on one thread. A segment goes when the broker says that it has it.
// Thread-safe.
class RecordingUpload {
 public:
  // `spool` must outlive this.
  explicit RecordingUpload(Spool& spool) : spool_(spool) {}
  ~RecordingUpload();

  void Start();
  // Also stops the spool's waiting.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // The channel of the present link.
  void SetChannel(std::shared_ptr<grpc::Channel> channel)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Upload(const Spool::Sealed& sealed) ABSL_LOCKS_EXCLUDED(mu_);
  // Null: stopping.
  std::shared_ptr<grpc::Channel> WaitChannel() ABSL_LOCKS_EXCLUDED(mu_);

  Spool& spool_;
  std::thread thread_;
  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_RECORDING_UPLOAD_H_

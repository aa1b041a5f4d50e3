#ifndef BERTH_AGENT_LINK_COPY_CALL_H_
#define BERTH_AGENT_LINK_COPY_CALL_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/link/call.h"
#include "agent/link/call_stream.h"
#include "agent/sessions/run_as.h"
#include "base/cond_var.h"
#include "base/copy/place.h"
#include "base/copy/quota.h"
#include "base/copy/receiver.h"
#include "base/copy/sender.h"
#include "base/mutex.h"

namespace berth::agent {

// One Copy, on the agent's side. It has nothing to do with the session's shell.
// Receiving, the stream's reader stores the files, and the owner's thread sends
// the reports; sending, the owner's thread reads the files.
class CopyCall final : public Call {
 public:
  CopyCall(CallContext context, link::v1::OpenCall open);

  void Run() override;
  void Cancel() override;

 private:
  absl::Status Prepare();
  absl::Status FindAccountOf(const v1::Session& session);
  absl::Status FindPlace(const v1::Session& session);
  uint64_t CopyLimit() const;
  absl::Status Store();
  absl::Status MakeReceiver(v1::CopyOpened& opened);
  absl::Status OnStoredFrame(const grpc::ByteBuffer& buffer)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status SendReports() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Fetch();
  absl::Status OnReportFrame(const grpc::ByteBuffer& buffer);
  absl::Status Open(v1::CopyOpened opened, CallStream::FrameHandler handler);

  const CallContext context_;
  const link::v1::OpenCall open_;
  CallStream stream_;
  std::atomic<bool> cancelled_ = false;

  // Set before there is a reader.
  v1::OpenCopy what_;
  SessionService::Session session_;
  std::optional<Hold::Tenure> tenure_;
  Account account_;  // Whose rights the files are used with.
  std::optional<copy::Place> place_;
  std::optional<copy::Quota> quota_;
  std::optional<copy::Receiver> receiver_;  // Then the reader's alone.
  std::optional<copy::Sender> sender_;

  Mutex mu_;
  CondVar changed_;
  v1::CopyReport report_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_COPY_CALL_H_

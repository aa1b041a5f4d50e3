#ifndef BERTH_BROKER_SERVICES_AUDIT_SERVICE_H_
#define BERTH_BROKER_SERVICES_AUDIT_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "broker/audit/audit_log.h"
#include "proto/berth/v1/audit.grpc.pb.h"

namespace berth::broker {

// What administrators may ask of the audit log (berth.v1.Audit). Reading files
// blocks, so each call has a thread, and there are few at a time. Thread-safe.
class AuditService final : public v1::Audit::CallbackService {
 public:
  // Calls at a time.
  static constexpr int kMaxReaders = 8;

  // `keys_path`: the file with the public keys. `log` must outlive the service.
  AuditService(AuditLog& log, std::string keys_path)
      : log_(log), keys_path_(std::move(keys_path)) {}
  // Waits for the threads; their calls must be over.
  ~AuditService() override;

  grpc::ServerWriteReactor<v1::SearchAuditResponse>* SearchAudit(
      grpc::CallbackServerContext* context,
      const v1::SearchAuditRequest* request) override;
  grpc::ServerWriteReactor<v1::TailAuditResponse>* TailAudit(
      grpc::CallbackServerContext* context,
      const v1::TailAuditRequest* request) override;
  grpc::ServerUnaryReactor* GetAuditStatus(
      grpc::CallbackServerContext* context,
      const v1::GetAuditStatusRequest* request,
      v1::GetAuditStatusResponse* response) override;
  grpc::ServerUnaryReactor* VerifyAudit(
      grpc::CallbackServerContext* context,
      const v1::VerifyAuditRequest* request,
      v1::VerifyAuditResponse* response) override;

 private:
  // Runs `work` on a thread of its own. ResourceExhausted: there are too many.
  absl::Status Start(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Verify(v1::VerifyAuditResponse& response);

  AuditLog& log_;
  const std::string keys_path_;
  Mutex mu_;
  CondVar done_;
  int readers_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_SERVICE_H_

#ifndef BERTH_BROKER_SERVICES_LIST_STREAM_H_
#define BERTH_BROKER_SERVICES_LIST_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <optional>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/services/session_query.h"
#include "broker/users/revocable_call.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Streams what a query of sessions finds, page by page, as its reader takes
// them. Deletes itself.
class ListStream final
    : public grpc::ServerWriteReactor<v1::ListSessionsResponse> {
 public:
  // A short one first: who waits for it sees something at once.
  static constexpr int kFirstPage = 50;
  static constexpr int kPage = 500;

  ListStream(grpc::CallbackServerContext* context, OpenCalls& calls,
             absl::StatusOr<SessionScan> scan);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // Writes the next page, and with the last one the status.
  void Next(int size);

  // Why it must not go on; OK: it may.
  absl::Status Refused() ABSL_LOCKS_EXCLUDED(mu_);

  std::optional<SessionScan> scan_;
  v1::ListSessionsResponse page_;
  Mutex mu_;
  absl::Status refused_ ABSL_GUARDED_BY(mu_);
  const RevocableCall revocable_;  // The last: it calls back.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_LIST_STREAM_H_

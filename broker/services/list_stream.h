#ifndef BERTH_BROKER_SERVICES_LIST_STREAM_H_
#define BERTH_BROKER_SERVICES_LIST_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <vector>

#include "absl/status/statusor.h"
#include "broker/services/session_query.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Streams what a query of sessions found, page by page. Deletes itself.
class ListStream final
    : public grpc::ServerWriteReactor<v1::ListSessionsResponse> {
 public:
  static constexpr size_t kPage = 500;

  explicit ListStream(absl::StatusOr<SessionQueryResult> result);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // Writes the next page, and with the last one the status.
  void Next();

  SessionQueryResult result_;
  size_t sent_ = 0;
  v1::ListSessionsResponse page_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_LIST_STREAM_H_

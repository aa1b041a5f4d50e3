#include "broker/services/list_stream.h"

#include <utility>

#include "base/grpc_status.h"

namespace berth::broker {

ListStream::ListStream(grpc::CallbackServerContext* context, OpenCalls& calls,
                       absl::StatusOr<SessionScan> scan)
    : revocable_(calls, context, [this](const absl::Status& status) {
        MutexLock lock(mu_);  // It ends with the page that is on its way.
        refused_ = status;
      }) {
  if (scan.ok()) {
    scan_.emplace(*std::move(scan));
    Next(kFirstPage);
  } else {
    Finish(ToGrpcStatus(scan.status()));
  }
}

void ListStream::Next(int size) {
  page_.Clear();
  if (const absl::Status refused = Refused(); !refused.ok()) {
    return Finish(ToGrpcStatus(refused));
  }
  if (scan_->Next(size, page_.mutable_sessions())) {
    StartWrite(&page_);
  } else if (page_.sessions().empty()) {
    Finish(ToGrpcStatus(scan_->status()));
  } else {
    StartWriteAndFinish(&page_, grpc::WriteOptions(),
                        ToGrpcStatus(scan_->status()));
  }
}

absl::Status ListStream::Refused() {
  MutexLock lock(mu_);
  return refused_;
}

void ListStream::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status::CANCELLED);
  Next(kPage);
}

}  // namespace berth::broker

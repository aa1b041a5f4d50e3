#include "broker/services/list_stream.h"

#include <utility>

#include "base/grpc_status.h"

namespace berth::broker {

ListStream::ListStream(absl::StatusOr<SessionScan> scan) {
  if (scan.ok()) {
    scan_.emplace(*std::move(scan));
    Next(kFirstPage);
  } else {
    Finish(ToGrpcStatus(scan.status()));
  }
}

void ListStream::Next(int size) {
  page_.Clear();
  if (scan_->Next(size, page_.mutable_sessions())) {
    StartWrite(&page_);
  } else if (page_.sessions().empty()) {
    Finish(ToGrpcStatus(scan_->status()));
  } else {
    StartWriteAndFinish(&page_, grpc::WriteOptions(),
                        ToGrpcStatus(scan_->status()));
  }
}

void ListStream::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status::CANCELLED);
  Next(kPage);
}

}  // namespace berth::broker

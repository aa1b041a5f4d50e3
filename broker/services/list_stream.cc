#include "broker/services/list_stream.h"

#include <algorithm>
#include <utility>

#include "base/grpc_status.h"

namespace berth::broker {

ListStream::ListStream(absl::StatusOr<SessionQueryResult> result) {
  if (result.ok()) {
    result_ = *std::move(result);
  } else {
    result_.status = result.status();
  }
  Next();
}

void ListStream::Next() {
  const size_t end = std::min(sent_ + kPage, result_.sessions.size());
  if (sent_ == end) return Finish(ToGrpcStatus(result_.status));
  page_.Clear();
  for (; sent_ < end; ++sent_) {
    *page_.add_sessions() = std::move(result_.sessions[sent_]);
  }
  if (end == result_.sessions.size()) {
    StartWriteAndFinish(&page_, grpc::WriteOptions(),
                        ToGrpcStatus(result_.status));
  } else {
    StartWrite(&page_);
  }
}

void ListStream::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status::CANCELLED);
  Next();
}

}  // namespace berth::broker

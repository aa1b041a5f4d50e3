#include "cli/run/conversation.h"

#include <utility>

#include "cli/client/event_stream.h"

namespace berth::cli {

RunConversation::RunConversation(v1::OpenSession open, v1::StartCommand start) {
  *first_.mutable_open() = std::move(open);
  *first_.mutable_start() = std::move(start);
  first_.mutable_open()->set_paced(true);
}

grpc::ByteBuffer RunConversation::First(const CommandView& view) const {
  if (!view.started()) return Serialize(first_);
  v1::RunRequest request = first_;
  request.mutable_start()->set_from_offset(view.next_offset());
  return Serialize(request);
}

grpc::ByteBuffer RunConversation::AckFrame(const v1::Ack& ack) const {
  v1::RunRequest request;
  *request.mutable_ack() = ack;
  return Serialize(request);
}

grpc::ByteBuffer RunConversation::LeaveFrame() const {
  v1::RunRequest request;
  request.set_leave(true);
  return Serialize(request);
}

bool RunConversation::IsComplete(const CommandView& view) const {
  return view.ended().has_value();
}

bool RunConversation::MayEnd(const CommandView& view) const {
  return view.ended() || (first_.start().detach() && view.started());
}

ReceiveConversation::ReceiveConversation(v1::OpenReceive open, bool only_reads)
    : only_reads_(only_reads) {
  *first_.mutable_open() = std::move(open);
  first_.mutable_open()->set_paced(
      !only_reads && first_.open().stream() == v1::OUTPUT_STREAM_UNSPECIFIED);
}

grpc::ByteBuffer ReceiveConversation::First(const CommandView& view) const {
  v1::ReceiveRequest request = first_;
  // One command at an offset goes on there. All that was not received begins
  // where it was not acknowledged, and the view drops what it has seen.
  const v1::OpenReceive& open = first_.open();
  if (view.started() && (open.has_from_offset() || open.has_tail_lines() ||
                         open.follow_session())) {
    request.mutable_open()->clear_tail_lines();
    request.mutable_open()->set_command_id(view.started()->command_id());
    request.mutable_open()->set_from_offset(view.next_offset());
  }
  return Serialize(request);
}

grpc::ByteBuffer ReceiveConversation::AckFrame(const v1::Ack& ack) const {
  v1::ReceiveRequest request;
  *request.mutable_ack() = ack;
  return Serialize(request);
}

grpc::ByteBuffer ReceiveConversation::LeaveFrame() const {
  v1::ReceiveRequest request;
  request.set_leave(true);
  return Serialize(request);
}

}  // namespace berth::cli

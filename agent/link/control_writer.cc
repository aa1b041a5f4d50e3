#include "agent/link/control_writer.h"

#include <optional>
#include <utility>

#include "agent/holder/text.h"

namespace berth::agent {
namespace {

// Names of files are in it, which can be any bytes; but a message with such
// text would end the link.
std::string MessageOf(const absl::Status& status) {
  return holder::ValidText(status.message(), ControlWriter::kMaxStatusMessage);
}

}  // namespace

bool ControlWriter::Attach(
    Stream* stream, const std::function<link::v1::AgentMessage()>& hello) {
  MutexLock lock(mu_);
  ++link_;
  if (!stream->Write(hello())) return false;
  stream_ = stream;
  return true;
}

void ControlWriter::Detach() {
  MutexLock lock(mu_);
  stream_ = nullptr;
}

void ControlWriter::WriteLocked(const link::v1::AgentMessage& message) {
  // A broken stream is noticed by the one who reads it.
  if (stream_ != nullptr) stream_->Write(message);
}

void ControlWriter::Report(const std::shared_ptr<ManagedSession>& session,
                           bool details) {
  MutexLock lock(mu_);
  if (stream_ == nullptr) return;
  std::optional<v1::Session> report = session->TakeReport(details);
  if (!report.has_value()) return;
  link::v1::AgentMessage message;
  *message.mutable_session()->mutable_session() = *std::move(report);
  WriteLocked(message);
}

void ControlWriter::ConfigurationsChanged(
    const std::vector<v1::Configuration>& all, const std::string& frozen) {
  link::v1::AgentMessage message;
  auto& configurations =
      *message.mutable_configurations_changed()->mutable_configurations();
  configurations.Assign(all.begin(), all.end());
  message.mutable_configurations_changed()->set_frozen(frozen);
  MutexLock lock(mu_);
  WriteLocked(message);
}

void ControlWriter::Gone(const std::string& instance_id) {
  link::v1::AgentMessage message;
  message.mutable_gone()->set_instance_id(instance_id);
  MutexLock lock(mu_);
  WriteLocked(message);
}

void ControlWriter::Reply(uint64_t link, uint64_t request_id,
                          const absl::Status& status,
                          const std::shared_ptr<ManagedSession>& session) {
  link::v1::AgentMessage message;
  link::v1::Reply& reply = *message.mutable_reply();
  reply.set_request_id(request_id);
  reply.set_code(static_cast<int>(status.code()));
  reply.set_message(MessageOf(status));
  MutexLock lock(mu_);
  // What it says of a session is reported on this link by itself.
  if (link != link_) return;
  if (session != nullptr) {
    session->TakeReport();  // This is one.
    *reply.mutable_session()->mutable_session() = session->Snapshot();
  }
  WriteLocked(message);
}

void ControlWriter::CommandStarted(uint64_t link,
                                   const link::v1::OpenCall& call,
                                   const v1::StartCommand& start) {
  link::v1::AgentMessage message;
  link::v1::CommandStarted& started = *message.mutable_command_started();
  started.set_call_id(call.call_id());
  started.set_user(call.user());
  started.set_instance_id(call.instance_id());
  started.set_command_id(start.command_id());
  started.set_text(start.script().substr(0, kMaxStartText));
  MutexLock lock(mu_);
  if (link != link_) return;
  WriteLocked(message);
}

void ControlWriter::CallEnded(uint64_t link, uint64_t call_id, uint64_t frames,
                              const absl::Status& status) {
  link::v1::AgentMessage message;
  link::v1::CallEnded& ended = *message.mutable_call_ended();
  ended.set_call_id(call_id);
  ended.set_frames(frames);
  ended.set_code(static_cast<int>(status.code()));
  ended.set_message(MessageOf(status));
  MutexLock lock(mu_);
  if (link != link_) return;
  WriteLocked(message);
}

}  // namespace berth::agent

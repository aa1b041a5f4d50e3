#include "broker/services/control_stream.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/grpc_status.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "broker/services/audit_actor.h"
#include "broker/services/audit_session.h"

namespace berth::broker {
ControlStream::ControlStream(grpc::CallbackServerContext* context, Fleet& fleet,
                             const std::string& computer,
                             const std::string& trusted_pem)
    : context_(context),
      fleet_(fleet),
      trusted_pem_(trusted_pem),
      outbox_(std::make_shared<ControlOutbox>(this)),
      connection_(
          std::make_shared<AgentConnection>(computer, outbox_, fleet.timer())),
      hello_timer_(fleet.timer().After(kHelloTimeout, [outbox = outbox_] {
        outbox->Close(absl::DeadlineExceededError("no hello came within 20 s"));
      })) {
  // Until it is its turn, nothing is read: what it has to tell stays with it.
  absl::Status status = fleet_.admission().Enter(this);
  if (!status.ok()) Close(status);
  revocable_.emplace(fleet.calls(), context,
                     [this](const absl::Status& refused) {
                       SPDLOG_WARN("agent '{}': {}", connection_->computer(),
                                   EscapeForTerminal(refused.message()));
                       Close(refused);
                     });
}

void ControlStream::OnReadDone(bool ok) {
  if (!ok) return Close(absl::OkStatus());
  absl::Status status = Handle();
  if (!status.ok()) {
    SPDLOG_WARN("agent '{}': {}", connection_->computer(),
                EscapeForTerminal(status.message()));
    return Close(status);
  }
  message_.Clear();  // An inventory is large, and the next message far off.
  StartRead(&message_);
}

absl::Status ControlStream::Handle() {
  using Message = link::v1::AgentMessage;
  if (message_.message_case() == Message::kHello) {
    return OnHello(message_.hello());
  }
  if (!greeted_) {
    return absl::FailedPreconditionError(
        "message out of order: the first one must be `hello`");
  }
  switch (message_.message_case()) {
    case Message::kSession: {
      absl::Status status =
          fleet_.Put(*connection_, message_.session().session());
      if (!status.ok()) {  // Of this session alone.
        SPDLOG_WARN("agent '{}': {}", connection_->computer(),
                    EscapeForTerminal(status.message()));
      }
      break;
    }
    case Message::kGone:
      fleet_.Remove(*connection_, message_.gone().instance_id());
      break;
    case Message::kReply:
      connection_->OnReply(std::move(*message_.mutable_reply()));
      break;
    case Message::kCallEnded:
      connection_->OnCallEnded(message_.call_ended());
      break;
    case Message::kCommandStarted:
      OnCommandStarted(message_.command_started());
      break;
    case Message::kConfigurationsChanged:
      fleet_.SetConfigurations(*connection_, message_.configurations_changed());
      break;
    default:
      break;  // Of a later version: skipped.
  }
  return absl::OkStatus();
}

absl::Status ControlStream::OnHello(const link::v1::Hello& hello) {
  if (std::exchange(greeted_, true)) {
    return absl::FailedPreconditionError(
        "message out of order: a second `hello`");
  }
  fleet_.timer().Cancel(hello_timer_);
  link::v1::BrokerMessage welcome;
  welcome.mutable_welcome()->set_broker_version(kVersion);
  welcome.mutable_welcome()->set_ca_pem(trusted_pem_);
  BERTH_RETURN_IF_ERROR(connection_->Send(std::move(welcome)));
  fleet_.LinkUp(connection_, hello);
  fleet_.admission().Leave(this);
  AuditLink("link.up",
            absl::StrCat(hello.sessions_size(), " sessions, version ",
                         hello.agent_version()));
  SPDLOG_INFO("agent '{}' is online: version {}, {} sessions",
              connection_->computer(), EscapeForTerminal(hello.agent_version()),
              hello.sessions_size());
  return absl::OkStatus();
}

void ControlStream::OnCommandStarted(const link::v1::CommandStarted& started) {
  if (connection_->OnCommandStarted(started)) return;
  // Its client has left; the command may run all the same.
  const SessionRecord session = fleet_.registry().Find(started.instance_id());
  if (session == nullptr || session->computer() != connection_->computer()) {
    return;
  }
  AuditEvent event;
  event.verb = "run";
  event.outcome = "allowed";
  event.user = started.user();
  event.purpose = "user";
  event.command = started.command_id();
  event.text = FirstLine(started.text());
  event.detail = "on a stream that its client has left, as its agent says";
  SetSession(*session, event);
  fleet_.audit().Record(std::move(event));
}

void ControlStream::AuditLink(absl::string_view verb, std::string detail) {
  AuditEvent event =
      AuditEventOf(*context_, verb, "/berth.link.v1.Link/Control");
  event.outcome = "done";
  event.computer = connection_->computer();
  event.detail = std::move(detail);
  fleet_.audit().Record(std::move(event));
}

void ControlStream::OnCancel() {
  Close(absl::CancelledError("the agent went away"));
}

void ControlStream::Close(const absl::Status& status) {
  fleet_.LinkDown(*connection_);
  connection_->Close(status,
                     absl::UnavailableError(absl::StrCat(
                         "the link to computer '", connection_->computer(),
                         "' was lost; the session lives on there, try again")));
}

void ControlStream::End(const absl::Status& status) {
  fleet_.admission().Leave(this);  // From here on it may not read.
  if (absl::IsUnavailable(status)) {
    const absl::Duration wait = fleet_.admission().RetryAfter(absl::Now());
    context_->AddTrailingMetadata(
        "retry-pushback", absl::StrCat(absl::ToInt64Milliseconds(wait)));
  }
  Finish(ToGrpcStatus(status));
}

void ControlStream::OnDone() {
  fleet_.timer().Cancel(hello_timer_);
  // Whoever ended the stream, it speaks for its computer no longer.
  Close(absl::OkStatus());
  if (greeted_) {
    SPDLOG_INFO("agent '{}': link ended", connection_->computer());
    AuditLink("link.down",
              absl::StrCat(
                  fleet_.registry().SessionsOn(connection_->computer()).size(),
                  " sessions are Broken until it is back"));
  }
  delete this;
}

}  // namespace berth::broker

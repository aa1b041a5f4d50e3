#include "broker/services/audit_interceptor.h"

#include <google/protobuf/message.h>

#include <string>
#include <utility>

#include "base/grpc_status.h"
#include "broker/services/audit_actor.h"
#include "broker/services/audit_message.h"
#include "broker/services/audit_verbs.h"

namespace berth::broker {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// Of one call. gRPC runs one hook at a time.
class AuditInterceptor final : public grpc::experimental::Interceptor {
 public:
  AuditInterceptor(AuditLog& audit, ServerRpcInfo& info)
      : audit_(audit),
        context_(*info.server_context()),
        method_(info.method()),
        unary_(info.type() == ServerRpcInfo::Type::UNARY) {}
  // Not every handler asks.
  ~AuditInterceptor() override { audit_.TakeRefusal(&context_).IgnoreError(); }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE) &&
        !std::exchange(asked_, true)) {
      event_ = AuditEventOf(context_, AuditVerb(method_), method_);
      Read(methods->GetRecvMessage());
      return Ask(methods);
    }
    if (unary_ && asked_) {
      if (methods->QueryInterceptionHookPoint(
              InterceptionHookPoints::PRE_SEND_MESSAGE)) {
        Read(methods->GetSendMessage());
      }
      if (methods->QueryInterceptionHookPoint(
              InterceptionHookPoints::PRE_SEND_STATUS)) {
        SetOutcome(FromGrpcStatus(methods->GetSendStatus()), event_);
        audit_.Record(std::move(event_));
      }
    }
    methods->Proceed();
  }

 private:
  // Requests and responses are all generated messages, whose first base is
  // Message.
  void Read(const void* message) {
    if (message == nullptr) return;
    SetFromMessage(*static_cast<const google::protobuf::Message*>(message),
                   event_);
  }

  // Goes on when the log has that the call was asked for, if it must.
  void Ask(InterceptorBatchMethods* methods) {
    if (unary_ && audit_.mode() == AuditLog::Mode::kBestEffort) {
      return methods->Proceed();
    }
    AuditEvent asked = event_;
    asked.outcome = unary_ ? "asked" : "allowed";
    audit_.Require(std::move(asked), [this, methods](const absl::Status& kept) {
      if (!kept.ok()) audit_.Refuse(&context_, kept);
      methods->Proceed();
    });
  }

  AuditLog& audit_;
  const grpc::ServerContextBase& context_;
  const std::string method_;
  const bool unary_;
  AuditEvent event_;
  bool asked_ = false;
};

// Of one call that lists. A stream counts when it is asked for, as it may be
// open for long.
class ListInterceptor final : public grpc::experimental::Interceptor {
 public:
  ListInterceptor(ListTally& lists, ServerRpcInfo& info)
      : lists_(lists),
        context_(*info.server_context()),
        method_(info.method()),
        unary_(info.type() == ServerRpcInfo::Type::UNARY) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE) &&
        !std::exchange(asked_, true)) {
      event_ = AuditEventOf(context_, AuditVerb(method_), method_);
      if (const void* message = methods->GetRecvMessage()) {
        SetFromMessage(*static_cast<const google::protobuf::Message*>(message),
                       event_);
      }
      if (!unary_) Note(absl::OkStatus());
    }
    if (unary_ && asked_ &&
        methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      Note(FromGrpcStatus(methods->GetSendStatus()));
    }
    methods->Proceed();
  }

 private:
  void Note(const absl::Status& status) {
    SetOutcome(status, event_);
    lists_.Note(std::move(event_));
  }

  ListTally& lists_;
  const grpc::ServerContextBase& context_;
  const std::string method_;
  const bool unary_;
  AuditEvent event_;
  bool asked_ = false;
};

}  // namespace

grpc::experimental::Interceptor*
AuditInterceptorFactory::CreateServerInterceptor(ServerRpcInfo* info) {
  const bool streams_in =
      info->type() == ServerRpcInfo::Type::CLIENT_STREAMING ||
      info->type() == ServerRpcInfo::Type::BIDI_STREAMING;
  if (IsListed(info->method())) return new ListInterceptor(lists_, *info);
  if (streams_in || !IsAudited(info->method())) return nullptr;
  return new AuditInterceptor(audit_, *info);
}

}  // namespace berth::broker

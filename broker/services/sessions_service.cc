#include "broker/services/sessions_service.h"

#include <memory>
#include <utility>

#include "base/grpc_status.h"
#include "broker/relay/relayed_call.h"
#include "broker/services/audit_actor.h"
#include "broker/services/call_openers.h"
#include "broker/services/caller.h"
#include "broker/services/hold_stream.h"
#include "broker/services/list_stream.h"
#include "broker/services/session_query.h"
#include "broker/services/watch_stream.h"

namespace berth::broker {
namespace {

// Answers a unary rpc, whose response is one session.
template <typename Response>
auto AnswerWith(grpc::ServerUnaryReactor* reactor, Response* response) {
  return [reactor, response](absl::StatusOr<v1::Session> session) {
    if (session.ok()) *response->mutable_session() = *std::move(session);
    reactor->Finish(ToGrpcStatus(session.status()));
  };
}

// Ends a call that may not be done for want of its event.
bool Refused(Fleet& fleet, const grpc::CallbackServerContext& context,
             grpc::ServerUnaryReactor* reactor) {
  const absl::Status kept = CheckKept(fleet, context);
  if (!kept.ok()) reactor->Finish(ToGrpcStatus(kept));
  return !kept.ok();
}

}  // namespace

grpc::ServerUnaryReactor* SessionsService::CreateSession(
    grpc::CallbackServerContext* context,
    const v1::CreateSessionRequest* request,
    v1::CreateSessionResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (Refused(fleet_, *context, reactor)) return reactor;
  creator_.Create(CallerName(*context), *request,
                  AnswerWith(reactor, response));
  return reactor;
}

grpc::ServerWriteReactor<v1::ListSessionsResponse>*
SessionsService::ListSessions(grpc::CallbackServerContext* context,
                              const v1::ListSessionsRequest* request) {
  return new ListStream(
      context, fleet_.calls(),
      SessionScan::Begin(fleet_.access().ViewerFor(CallerName(*context)),
                         *request));
}

grpc::ServerUnaryReactor* SessionsService::ConnectSession(
    grpc::CallbackServerContext* context,
    const v1::ConnectSessionRequest* request,
    v1::ConnectSessionResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (Refused(fleet_, *context, reactor)) return reactor;
  changer_.Connect(CallerName(*context), *request,
                   AnswerWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* SessionsService::DisconnectSession(
    grpc::CallbackServerContext* context,
    const v1::DisconnectSessionRequest* request,
    v1::DisconnectSessionResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (Refused(fleet_, *context, reactor)) return reactor;
  changer_.Disconnect(CallerName(*context), *request,
                      AnswerWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* SessionsService::RemoveSession(
    grpc::CallbackServerContext* context,
    const v1::RemoveSessionRequest* request,
    v1::RemoveSessionResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (Refused(fleet_, *context, reactor)) return reactor;
  changer_.Remove(CallerName(*context), *request,
                  AnswerWith(reactor, response));
  return reactor;
}

grpc::ServerBidiReactor<v1::HoldRequest, v1::HoldResponse>*
SessionsService::Hold(grpc::CallbackServerContext* context) {
  return new HoldStream(context, fleet_, CallerName(*context));
}

grpc::ServerWriteReactor<v1::WatchSessionsResponse>*
SessionsService::WatchSessions(grpc::CallbackServerContext* context,
                               const v1::WatchSessionsRequest* request) {
  return new WatchStream(context, fleet_, CallerName(*context), *request);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
SessionsService::Run(grpc::CallbackServerContext* context) {
  return new ClientLeg(
      context, fleet_.timer(), fleet_.calls(),
      std::make_unique<CallOpener>(
          fleet_, link::v1::OpenCall::RUN, CallerName(*context),
          AuditEventOf(*context, "run", "/berth.v1.Sessions/Run")));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
SessionsService::Receive(grpc::CallbackServerContext* context) {
  return new ClientLeg(
      context, fleet_.timer(), fleet_.calls(),
      std::make_unique<CallOpener>(
          fleet_, link::v1::OpenCall::RECEIVE, CallerName(*context),
          AuditEventOf(*context, "receive", "/berth.v1.Sessions/Receive")));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
SessionsService::Enter(grpc::CallbackServerContext* context) {
  return new ClientLeg(
      context, fleet_.timer(), fleet_.calls(),
      std::make_unique<CallOpener>(
          fleet_, link::v1::OpenCall::ENTER, CallerName(*context),
          AuditEventOf(*context, "enter", "/berth.v1.Sessions/Enter")));
}

}  // namespace berth::broker

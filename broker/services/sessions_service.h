#ifndef BERTH_BROKER_SERVICES_SESSIONS_SERVICE_H_
#define BERTH_BROKER_SERVICES_SESSIONS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "broker/services/fleet.h"
#include "broker/services/session_changer.h"
#include "broker/services/session_creator.h"
#include "proto/berth/v1/sessions.grpc.pb.h"

namespace berth::broker {

// Run, Receive and Enter are raw: their messages pass without being parsed.
using SessionsServiceBase = v1::Sessions::WithRawCallbackMethod_Run<
    v1::Sessions::WithRawCallbackMethod_Receive<
        v1::Sessions::WithRawCallbackMethod_Enter<
            v1::Sessions::WithCallbackMethod_Hold<
                v1::Sessions::WithCallbackMethod_WatchSessions<
                    v1::Sessions::WithCallbackMethod_CreateSession<
                        v1::Sessions::WithCallbackMethod_ListSessions<
                            v1::Sessions::WithCallbackMethod_ConnectSession<
                                v1::Sessions::
                                    WithCallbackMethod_DisconnectSession<
                                        v1::Sessions::
                                            WithCallbackMethod_RemoveSession<
                                                v1::Sessions::Service>>>>>>>>>>;

// What clients may ask about sessions (berth.v1.Sessions). Turns rpcs into
// calls of the classes that do the work, and their answers back. Thread-safe.
class SessionsService final : public SessionsServiceBase {
 public:
  // `fleet` must outlive the service.
  explicit SessionsService(Fleet& fleet)
      : fleet_(fleet), creator_(fleet), changer_(fleet) {}

  grpc::ServerUnaryReactor* CreateSession(
      grpc::CallbackServerContext* context,
      const v1::CreateSessionRequest* request,
      v1::CreateSessionResponse* response) override;
  grpc::ServerWriteReactor<v1::ListSessionsResponse>* ListSessions(
      grpc::CallbackServerContext* context,
      const v1::ListSessionsRequest* request) override;
  grpc::ServerUnaryReactor* ConnectSession(
      grpc::CallbackServerContext* context,
      const v1::ConnectSessionRequest* request,
      v1::ConnectSessionResponse* response) override;
  grpc::ServerUnaryReactor* DisconnectSession(
      grpc::CallbackServerContext* context,
      const v1::DisconnectSessionRequest* request,
      v1::DisconnectSessionResponse* response) override;
  grpc::ServerUnaryReactor* RemoveSession(
      grpc::CallbackServerContext* context,
      const v1::RemoveSessionRequest* request,
      v1::RemoveSessionResponse* response) override;
  grpc::ServerBidiReactor<v1::HoldRequest, v1::HoldResponse>* Hold(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<v1::WatchSessionsResponse>* WatchSessions(
      grpc::CallbackServerContext* context,
      const v1::WatchSessionsRequest* request) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Run(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Receive(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Enter(
      grpc::CallbackServerContext* context) override;

 private:
  Fleet& fleet_;
  SessionCreator creator_;
  SessionChanger changer_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSIONS_SERVICE_H_

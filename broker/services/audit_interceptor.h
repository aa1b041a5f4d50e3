#ifndef BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_
#define BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_

#include <grpcpp/support/server_interceptor.h>

#include "broker/audit/audit_log.h"
#include "broker/services/list_tally.h"

namespace berth::broker {

// Puts every call that has one request into the audit log, whichever service
// it is of (see IsAudited()): so no service can forget it.
//
// A unary call becomes one event, when it is answered. With a strict log, an
// event "asked" before it goes ahead, and is on the disk before anything is
// done; if that can't be, AuditLog::TakeRefusal() of the call's context tells
// its handler. Calls with many responses have one event, before they begin.
// Calls that only list go to the tally of lists, and never wait. Raw streams
// are audited where they are opened.
class AuditInterceptorFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // Both must outlive the server.
  AuditInterceptorFactory(AuditLog& audit, ListTally& lists)
      : audit_(audit), lists_(lists) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  AuditLog& audit_;
  ListTally& lists_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_

#ifndef BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_
#define BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_

#include <grpcpp/support/server_interceptor.h>

#include "broker/audit/audit_log.h"

namespace berth::broker {

// Puts every call that has one request into the audit log, whichever service
// it is of (see IsAudited()): so no service can forget it.
//
// A unary call becomes one event, when it is answered. With a strict log, an
// event "asked" before it goes ahead, and is on the disk before anything is
// done; if that can't be, AuditLog::TakeRefusal() of the call's context tells
// its handler. Calls with many responses have one event, before they begin.
// Raw streams are audited where they are opened.
class AuditInterceptorFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `audit` must outlive the server.
  explicit AuditInterceptorFactory(AuditLog& audit) : audit_(audit) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  AuditLog& audit_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_INTERCEPTOR_H_

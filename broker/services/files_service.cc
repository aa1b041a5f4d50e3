#include "broker/services/files_service.h"

#include <memory>

#include "broker/relay/relayed_call.h"
#include "broker/services/audit_actor.h"
#include "broker/services/call_openers.h"
#include "broker/services/caller.h"

namespace berth::broker {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* FilesService::Copy(
    grpc::CallbackServerContext* context) {
  return new ClientLeg(
      context, fleet_.timer(), fleet_.calls(),
      std::make_unique<CallOpener>(
          fleet_, link::v1::OpenCall::COPY, CallerName(*context),
          AuditEventOf(*context, "copy", "/berth.v1.Files/Copy")));
}

}  // namespace berth::broker

#ifndef BERTH_CLI_CLIENT_CALL_H_
#define BERTH_CLI_CLIENT_CALL_H_

#include <chrono>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/signals.h"
#include "grpcpp/grpcpp.h"

namespace berth::cli {

// How long a call that only asks for something may take.
inline constexpr absl::Duration kCallTimeout = absl::Seconds(30);

// Whether a status is the broker's own word, rather than that of this side's
// transport, which could not reach it.
bool IsFromBroker(const grpc::ClientContext& context);

// Whether the broker had passed the stream on before it ended with a status of
// its own. To be called after Finish().
bool WasForwarded(const grpc::ClientContext& context);

// The status for people: names the broker if it could not be reached.
absl::Status ToStatus(const Connection& connection,
                      const grpc::ClientContext& context,
                      const grpc::Status& status);

// Calls a unary rpc, such as &v1::Sessions::Stub::RemoveSession, until it
// answers, `timeout` passes or the invocation is left.
template <typename Stub, typename Request, typename Response>
absl::Status Call(Connection& connection, SignalSource& signals, Stub& stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*,
                                               const Request&, Response*),
                  const Request& request, Response& response,
                  absl::Duration timeout = kCallTimeout) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(timeout));
  SignalSource::Watch watch(signals, [&](bool) { context.TryCancel(); });
  return ToStatus(connection, context,
                  (stub.*method)(&context, request, &response));
}

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_CALL_H_

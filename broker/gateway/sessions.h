#ifndef BERTH_BROKER_GATEWAY_SESSIONS_H_
#define BERTH_BROKER_GATEWAY_SESSIONS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "broker/gateway/login_name.h"
#include "cli/client/connection.h"
#include "cli/invocation/signals.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::gateway {

// The session that a channel works in: the one that is named, made if there is
// none; or one of its own, which ends with this. Used by one thread.
class WorkSession {
 public:
  // Errors as CreateSession and ListSessions.
  static absl::StatusOr<WorkSession> Open(
      cli::Connection& connection, cli::SignalSource& signals,
      const LoginName& where,
      const std::map<std::string, std::string>& environment = {});

  WorkSession(WorkSession&& other) noexcept;
  ~WorkSession();

  const v1::Session& session() const { return session_; }
  v1::SessionRef ref() const;
  bool temporary() const { return session_.temporary(); }
  // It has ended by itself.
  void Ended() { ended_ = true; }

 private:
  WorkSession(cli::Connection& connection, v1::Session session)
      : connection_(&connection), session_(std::move(session)) {}

  cli::Connection* connection_;
  v1::Session session_;
  bool ended_ = false;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_SESSIONS_H_

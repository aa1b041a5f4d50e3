#include "broker/gateway/sessions.h"

#include <utility>

#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/client/sessions.h"

namespace berth::gateway {
namespace {

absl::StatusOr<v1::Session> Create(
    cli::Connection& connection, cli::SignalSource& signals,
    const LoginName& where,
    const std::map<std::string, std::string>& environment) {
  v1::CreateSessionRequest request;
  request.set_computer(where.computer);
  request.set_name(where.session);
  request.set_instance_id(NewUuid());
  request.set_temporary(where.session.empty());
  *request.mutable_client() = connection.client();
  for (const auto& [name, value] : environment) {
    (*request.mutable_environment())[name] = value;
  }
  v1::CreateSessionResponse response;
  BERTH_RETURN_IF_ERROR(cli::Call(connection, signals, connection.sessions(),
                                  &v1::Sessions::Stub::CreateSession, request,
                                  response));
  return std::move(*response.mutable_session());
}

// The oldest of that name that has not ended; NotFound.
absl::StatusOr<v1::Session> Find(cli::Connection& connection,
                                 cli::SignalSource& signals,
                                 const LoginName& where) {
  cli::SessionQuery query;
  query.selectors.push_back(where.session);
  query.computers.push_back(where.computer);
  cli::SessionList list = cli::ListSessions(connection, signals, query);
  for (v1::Session& session : list.sessions) {
    if (session.state() != v1::SESSION_STATE_CLOSED) return std::move(session);
  }
  if (list.status.ok()) return absl::NotFoundError("all of them have ended");
  return list.status;
}

}  // namespace

absl::StatusOr<WorkSession> WorkSession::Open(
    cli::Connection& connection, cli::SignalSource& signals,
    const LoginName& where,
    const std::map<std::string, std::string>& environment) {
  if (!where.session.empty()) {
    auto found = Find(connection, signals, where);
    if (found.ok()) return WorkSession(connection, *std::move(found));
    if (!absl::IsNotFound(found.status())) return found.status();
  }
  BERTH_ASSIGN_OR_RETURN(v1::Session made,
                         Create(connection, signals, where, environment));
  return WorkSession(connection, std::move(made));
}

WorkSession::WorkSession(WorkSession&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      session_(std::move(other.session_)),
      ended_(other.ended_) {}

// What was left in it ends as what sshd started does when its client is gone.
WorkSession::~WorkSession() {
  if (connection_ == nullptr || !temporary() || ended_) return;
  v1::RemoveSessionRequest request;
  *request.mutable_session() = ref();
  *request.mutable_client() = connection_->client();
  v1::RemoveSessionResponse response;
  cli::SignalSource nobody_leaves;
  cli::Call(*connection_, nobody_leaves, connection_->sessions(),
            &v1::Sessions::Stub::RemoveSession, request, response)
      .IgnoreError();
}

v1::SessionRef WorkSession::ref() const { return cli::RefOf(session_); }

}  // namespace berth::gateway

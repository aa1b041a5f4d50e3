#include "broker/services/session_changer.h"

#include <utility>

#include "base/foreign_client.h"
#include "broker/services/session_requests.h"

namespace berth::broker {

namespace {

// What a request to connect or disconnect wants changed beside the holder.
template <typename RequestType>
absl::Status TakeSettings(const RequestType& request,
                          link::v1::SetHolderRequest& to) {
  if (request.has_idle_timeout()) {
    if (request.never_idles()) {
      return absl::InvalidArgumentError(
          "the request carries an idle timeout, and asks for none");
    }
    const absl::Status good = CheckIdleTimeout(request.idle_timeout());
    if (!good.ok()) return good;
    *to.mutable_idle_timeout() = request.idle_timeout();
  }
  to.set_never_idles(request.never_idles());
  to.set_buffering(request.buffering());
  return absl::OkStatus();
}

// `client` of `user`, as it goes in a session.
v1::Client ClientIn(const v1::Session& session, const std::string& user,
                    const Viewer& viewer, const v1::Client& client) {
  v1::Client result = client;
  if (session.owner() == user) return result;
  result.set_id(viewer.ClientIdIn(session, client.id()));
  result.set_name(ForeignClientName(user, client.name()));
  return result;
}

}  // namespace

void SessionChanger::Connect(const std::string& user,
                             const v1::ConnectSessionRequest& request,
                             Done done) {
  link::v1::SetHolderRequest set_holder;
  absl::Status status = CheckClient(request.client(), /*required=*/true);
  if (status.ok()) status = TakeSettings(request, set_holder);
  if (!status.ok()) return done(status);
  Viewer viewer = fleet_.access().ViewerFor(user);
  auto session = viewer.FindSession(request.session(), {Verb::kTake});
  if (!session.ok()) return done(session.status());
  status = CheckLives(**session);
  if (!status.ok()) return done(status);
  *set_holder.mutable_holder() =
      ClientIn(**session, user, viewer, request.client());
  set_holder.set_take(request.take());
  // A client without a Hold stream counts as present for the grace after this.
  Presence::Client client{user, request.client().id()};
  fleet_.presence().Join(client);
  fleet_.NoteHolder(**session, user);
  SetHolder(user, **session, std::move(set_holder),
            viewer.ClientIdIn(**session, client.second),
            [this, client,
             done = std::move(done)](absl::StatusOr<v1::Session> result) {
              fleet_.presence().Leave(client);
              done(std::move(result));
            });
}

void SessionChanger::Disconnect(const std::string& user,
                                const v1::DisconnectSessionRequest& request,
                                Done done) {
  link::v1::SetHolderRequest set_holder;
  absl::Status status = CheckClient(request.client(), /*required=*/false);
  if (status.ok()) status = TakeSettings(request, set_holder);
  if (!status.ok()) return done(status);
  Viewer viewer = fleet_.access().ViewerFor(user);
  auto session = viewer.FindSession(request.session(), {Verb::kTake});
  if (!session.ok()) return done(session.status());
  status = CheckLives(**session);
  // Only an owner may let go for whichever client holds it.
  if (status.ok() && (*session)->owner() != user) {
    status = CheckClient(request.client(), /*required=*/true);
  }
  if (!status.ok()) return done(status);
  const std::string client_id =
      viewer.ClientIdIn(**session, request.client().id());
  set_holder.set_expected_client_id(client_id);
  SetHolder(user, **session, std::move(set_holder), client_id, std::move(done));
}

void SessionChanger::SetHolder(const std::string& user,
                               const v1::Session& session,
                               link::v1::SetHolderRequest set_holder,
                               const std::string& client_id, Done done) {
  auto connection = fleet_.LinkTo(session.computer());
  if (!connection.ok()) return done(connection.status());
  const std::string instance_id = session.instance_id();
  link::v1::Request request;
  request.set_user(user);
  if (session.owner() != user) request.set_owner(session.owner());
  set_holder.set_instance_id(instance_id);
  *request.mutable_set_holder() = std::move(set_holder);
  (*connection)
      ->Ask(std::move(request), AgentConnection::kRequestTimeout,
            [this, connection = *connection, instance_id, client_id,
             done = std::move(done)](absl::StatusOr<link::v1::Reply> reply) {
              if (!reply.ok()) return done(reply.status());
              if (reply->has_session()) {
                absl::Status status =
                    fleet_.Put(*connection, reply->session().session());
                if (!status.ok()) return done(status);
              }
              SessionRecord now = fleet_.registry().Find(instance_id);
              if (now == nullptr) {
                return done(absl::NotFoundError(
                    "the session was removed meanwhile; see `berth ls`"));
              }
              done(fleet_.registry().View(client_id, *now));
            });
}

void SessionChanger::Remove(const std::string& user,
                            const v1::RemoveSessionRequest& request,
                            Done done) {
  absl::Status status = CheckClient(request.client(), /*required=*/false);
  if (!status.ok()) return done(status);
  Viewer viewer = fleet_.access().ViewerFor(user);
  auto session = viewer.FindSession(request.session(), {Verb::kRemove});
  if (!session.ok()) return done(session.status());
  auto connection = fleet_.LinkTo((*session)->computer());
  if (!connection.ok()) return done(connection.status());
  v1::Session last = fleet_.registry().View(
      viewer.ClientIdIn(**session, request.client().id()), **session);
  link::v1::Request ask;
  ask.set_user(user);
  if (last.owner() != user) ask.set_owner(last.owner());
  ask.mutable_remove()->set_instance_id(last.instance_id());
  (*connection)
      ->Ask(std::move(ask), AgentConnection::kRequestTimeout,
            [this, connection = *connection, last = std::move(last),
             done = std::move(done)](absl::StatusOr<link::v1::Reply> reply) {
              // An agent that does not know it has nothing left to remove.
              if (!reply.ok() && !absl::IsNotFound(reply.status())) {
                return done(reply.status());
              }
              fleet_.Remove(*connection, last.instance_id());
              done(last);
            });
}

}  // namespace berth::broker

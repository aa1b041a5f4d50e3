#include "broker/services/session_creator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "broker/services/session_requests.h"

namespace berth::broker {
namespace {

absl::Status InUse(const std::string& instance_id) {
  return absl::AlreadyExistsError(
      absl::StrCat("instance id ", instance_id,
                   " is in use by another session; make a new UUID"));
}

// Of an agent that did not know what it was asked.
absl::Status TakeBack(AgentConnection& connection, const v1::Session& session) {
  link::v1::Request remove;
  remove.set_user(session.owner());
  remove.mutable_remove()->set_instance_id(session.instance_id());
  connection.Ask(std::move(remove), AgentConnection::kRequestTimeout,
                 [](const absl::StatusOr<link::v1::Reply>&) {});
  return absl::FailedPreconditionError(
      absl::StrCat("the agent of computer '", connection.computer(),
                   "' can't run sessions as another account: it is of an older "
                   "version; upgrade it"));
}

link::v1::Request CreateRequestFor(const std::string& user,
                                   const v1::CreateSessionRequest& request,
                                   const std::string& instance_id, uint32_t id,
                                   bool hold) {
  link::v1::Request result;
  result.set_user(user);
  link::v1::CreateRequest& create = *result.mutable_create();
  create.set_instance_id(instance_id);
  create.set_id(id);
  create.set_name(request.name().empty() ? absl::StrCat("Session", id)
                                         : request.name());
  create.set_owner(user);
  create.set_configuration(request.configuration());
  if (request.has_idle_timeout()) {
    *create.mutable_idle_timeout() = request.idle_timeout();
  }
  // What is temporary is for that client, present or not.
  if (hold || request.temporary()) *create.mutable_holder() = request.client();
  *create.mutable_environment() = request.environment();
  create.set_temporary(request.temporary());
  create.set_buffering(request.buffering());
  create.set_never_idles(request.never_idles());
  create.set_cwd(request.cwd());
  create.set_run_as(request.run_as());
  return result;
}

}  // namespace

void SessionCreator::Create(const std::string& user,
                            const v1::CreateSessionRequest& request,
                            Done done) {
  absl::Status status = CheckCreate(request);
  if (!status.ok()) return done(status);
  Viewer viewer = fleet_.access().ViewerFor(user);
  const absl::StatusOr<NodeSet::Node> node =
      viewer.FindComputer(request.computer());
  if (!node.ok()) return done(node.status());
  status = viewer.CheckCreate(*node, request);
  if (!status.ok()) return done(status);
  const std::string& computer = node->name;
  if (request.temporary()) {
    // A client without a Hold stream counts as present for the grace after
    // this; if it is lost before it opens a call, the session becomes an
    // ordinary one.
    const Presence::Client client{user, request.client().id()};
    fleet_.presence().Join(client);
    done = [this, client,
            done = std::move(done)](absl::StatusOr<v1::Session> result) {
      done(std::move(result));
      fleet_.presence().Leave(client);
    };
  }
  v1::CreateSessionRequest named = request;
  if (named.instance_id().empty()) named.set_instance_id(NewUuid());
  if (Joined(user, computer, named, &done)) return;

  // From here on, Finish() answers.
  const std::string& instance_id = named.instance_id();
  auto connection = fleet_.LinkTo(computer);
  if (!connection.ok()) return Finish(instance_id, connection.status());
  status = fleet_.registry().CheckConfiguration(computer, request);
  if (!status.ok()) return Finish(instance_id, status);
  const std::string& client_id = request.client().id();
  const Presence::Client client{user, client_id};
  const bool hold = !client_id.empty() && fleet_.presence().IsPresent(client);
  Start(*std::move(connection),
        CreateRequestFor(user, request, instance_id,
                         fleet_.registry().TakeNextId(user), hold),
        client_id);
}

bool SessionCreator::Joined(const std::string& user,
                            const std::string& computer,
                            const v1::CreateSessionRequest& request,
                            Done* done) {
  const std::string& id = request.instance_id();
  absl::StatusOr<v1::Session> answer;
  {
    MutexLock lock(mu_);
    // Looked up under the lock: when a session is no longer pending, it is
    // registered.
    SessionRecord existing = fleet_.registry().Find(id);
    auto pending = pending_.find(id);
    if (existing != nullptr) {
      if (existing->owner() == user && existing->computer() == computer) {
        answer = fleet_.registry().View(request.client().id(), *existing);
      } else {
        answer = InUse(id);
      }
    } else if (pending == pending_.end()) {
      Pending& mine = pending_[id];
      mine.user = user;
      mine.computer = computer;
      mine.waiting.push_back(std::move(*done));
      return false;
    } else if (pending->second.user == user &&
               pending->second.computer == computer) {
      pending->second.waiting.push_back(std::move(*done));
      return true;
    } else {
      answer = InUse(id);
    }
  }
  (*done)(std::move(answer));
  return true;
}

void SessionCreator::Start(std::shared_ptr<AgentConnection> connection,
                           link::v1::Request request,
                           const std::string& client_id) {
  // Before the agent hears of it: a broker that dies now must not give the id
  // out again before that agent has told of the session. And while the store
  // can't be written, nothing new is made.
  fleet_.store().Do(
      [owner = request.create().owner(), next = request.create().id() + 1](
          Store& store) { return store.RaiseNextId(owner, next); },
      [this, connection, request, client_id](absl::Status status) {
        if (status.ok()) return Ask(connection, request, client_id);
        Finish(request.create().instance_id(),
               absl::ResourceExhaustedError(absl::StrCat(
                   "the broker can't keep new sessions: ", status.message())));
      });
}

void SessionCreator::Ask(std::shared_ptr<AgentConnection> connection,
                         link::v1::Request request,
                         const std::string& client_id) {
  AgentConnection& link = *connection;
  const std::string instance_id = request.create().instance_id();
  const std::string run_as = request.create().run_as();
  link.Ask(std::move(request), AgentConnection::kCreateTimeout,
           [this, connection = std::move(connection), instance_id, client_id,
            run_as](absl::StatusOr<link::v1::Reply> reply) {
             if (reply.ok() && !run_as.empty() &&
                 reply->session().session().run_as() != run_as) {
               reply = TakeBack(*connection, reply->session().session());
             }
             OnReply(*connection, instance_id, client_id, reply);
           });
}

void SessionCreator::OnReply(const AgentConnection& connection,
                             const std::string& instance_id,
                             const std::string& client_id,
                             const absl::StatusOr<link::v1::Reply>& reply) {
  if (!reply.ok()) return Finish(instance_id, reply.status());
  if (reply->has_session()) {
    absl::Status status = fleet_.Put(connection, reply->session().session());
    if (!status.ok()) return Finish(instance_id, status);
  }
  SessionRecord session = fleet_.registry().Find(instance_id);
  if (session == nullptr) {
    return Finish(instance_id, absl::UnavailableError(absl::StrCat(
                                   "computer '", connection.computer(),
                                   "' made the session, but was lost before "
                                   "it told of it; see `berth ls`")));
  }
  Finish(instance_id, fleet_.registry().View(client_id, *session));
}

void SessionCreator::Finish(const std::string& instance_id,
                            const absl::StatusOr<v1::Session>& result) {
  std::vector<Done> waiting;
  {
    MutexLock lock(mu_);
    auto pending = pending_.find(instance_id);
    if (pending == pending_.end()) return;
    waiting = std::move(pending->second.waiting);
    pending_.erase(pending);
  }
  for (Done& done : waiting) done(result);
}

}  // namespace berth::broker

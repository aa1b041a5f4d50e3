#ifndef BERTH_BROKER_SERVICES_SESSION_CREATOR_H_
#define BERTH_BROKER_SERVICES_SESSION_CREATOR_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// SessionCreator makes sessions. A request that was sent again because its
// answer got lost finds the session of the first one, or waits for it.
// Thread-safe; knows nothing of gRPC.
class SessionCreator {
 public:
  // Runs once, on any thread. The errors are those of CreateSession.
  using Done = std::function<void(absl::StatusOr<v1::Session>)>;

  explicit SessionCreator(Fleet& fleet) : fleet_(fleet) {}

  // Makes a session for `user`.
  void Create(const std::string& user, const v1::CreateSessionRequest& request,
              Done done) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Those who wait for a session that is being made.
  struct Pending {
    std::string user;
    std::string computer;
    std::vector<Done> waiting;
  };

  // Whether somebody makes this session already, or has: then `*done` is taken
  // care of.
  bool Joined(const std::string& user, const std::string& computer,
              const v1::CreateSessionRequest& request, Done* done)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Asks the agent, once the registry can keep the session.
  void Start(std::shared_ptr<AgentConnection> connection,
             link::v1::Request request, const std::string& client_id);
  void Ask(std::shared_ptr<AgentConnection> connection,
           link::v1::Request request, const std::string& client_id);
  void OnReply(const AgentConnection& connection,
               const std::string& instance_id, const std::string& client_id,
               const absl::StatusOr<link::v1::Reply>& reply);
  void Finish(const std::string& instance_id,
              const absl::StatusOr<v1::Session>& result)
      ABSL_LOCKS_EXCLUDED(mu_);

  Fleet& fleet_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Pending> pending_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_CREATOR_H_

#ifndef BERTH_BROKER_SERVICES_SESSION_CHANGER_H_
#define BERTH_BROKER_SERVICES_SESSION_CHANGER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// SessionChanger connects, disconnects and removes sessions: it finds the one
// that is meant, asks its agent, and takes over what the agent answers.
// Thread-safe; knows nothing of gRPC.
class SessionChanger {
 public:
  // Runs once, on any thread, with the session as the caller now sees it. The
  // errors are those of the rpc.
  using Done = std::function<void(absl::StatusOr<v1::Session>)>;

  explicit SessionChanger(Fleet& fleet) : fleet_(fleet) {}

  void Connect(const std::string& user,
               const v1::ConnectSessionRequest& request, Done done);
  void Disconnect(const std::string& user,
                  const v1::DisconnectSessionRequest& request, Done done);
  void Remove(const std::string& user, const v1::RemoveSessionRequest& request,
              Done done);

 private:
  // Sends `set_holder` for `session`, and answers with what comes of it.
  void SetHolder(const std::string& user, const v1::Session& session,
                 link::v1::SetHolderRequest set_holder,
                 const std::string& client_id, Done done);

  Fleet& fleet_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_CHANGER_H_

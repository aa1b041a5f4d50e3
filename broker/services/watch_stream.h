#ifndef BERTH_BROKER_SERVICES_WATCH_STREAM_H_
#define BERTH_BROKER_SERVICES_WATCH_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "broker/services/fleet.h"
#include "broker/services/session_feed.h"
#include "broker/services/session_watch.h"
#include "broker/users/revocable_call.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// A client's WatchSessions stream: writes one event after another, as fast as
// its reader takes them. Deletes itself.
class WatchStream final
    : public grpc::ServerWriteReactor<v1::WatchSessionsResponse>,
      public SessionFeed::Watcher {
 public:
  WatchStream(grpc::CallbackServerContext* context, Fleet& fleet,
              std::string user, const v1::WatchSessionsRequest& request);

  void Touch(const std::string& instance_id) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(absl::CancelledError("the client left")); }
  void OnDone() override;

 private:
  // Outlives the stream: OnDone() may run while another thread still holds it.
  struct State {
    Mutex mu;
    std::optional<SessionWatch> watch ABSL_GUARDED_BY(mu);
    // Touched before there was a watch.
    absl::flat_hash_set<std::string> early ABSL_GUARDED_BY(mu);
    v1::WatchSessionsResponse response ABSL_GUARDED_BY(mu);
    bool writing ABSL_GUARDED_BY(mu) = false;
    bool finished ABSL_GUARDED_BY(mu) = false;
    std::optional<absl::Status> closing ABSL_GUARDED_BY(mu);
  };

  absl::Status Begin(const v1::WatchSessionsRequest& request);
  void End(const absl::Status& status);
  // Writes the next event, or finishes, unless a write is under way.
  void Pump(State& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);

  Fleet& fleet_;
  const std::string user_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  const RevocableCall revocable_;  // The last: it calls back.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_WATCH_STREAM_H_

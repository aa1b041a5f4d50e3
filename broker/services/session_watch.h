#ifndef BERTH_BROKER_SERVICES_SESSION_WATCH_H_
#define BERTH_BROKER_SERVICES_SESSION_WATCH_H_

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/selector.h"
#include "base/session_events.h"
#include "broker/access/viewer.h"
#include "broker/registry/registry.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// SessionWatch turns what happens to the sessions of one owner, or of all, into
// the events of one watcher, as far as they may list them at each moment. It is
// told which sessions were touched, and works out what happened only when it is
// asked for the next event: however slow its reader is, it keeps no more than
// one moment of each session. Thread-compatible; knows nothing of gRPC.
class SessionWatch {
 public:
  // InvalidArgument: a selector can't be read. NotFound: a literal matches
  // nothing. The sessions that match now come first, as KNOWN.
  static absl::StatusOr<SessionWatch> Begin(
      Viewer viewer, const v1::WatchSessionsRequest& request);

  // Something may have happened to a session.
  void Touch(const std::string& instance_id, absl::Time now);

  // What to tell next. Nothing: all is told. `viewer`: how the watcher sees the
  // fleet now; asked for only when there is something to look at.
  std::optional<v1::WatchSessionsResponse> Next(
      const std::function<Viewer()>& viewer, absl::Time now);

  // The sessions that it starts with.
  const std::deque<std::string>& initial() const { return initial_; }

 private:
  explicit SessionWatch(std::string client_id)
      : client_id_(std::move(client_id)) {}

  // Puts what happened to a session into events_.
  void Derive(Viewer viewer, const std::string& instance_id, bool known,
              absl::Time at, absl::Time now);
  SessionMoment Look(Viewer& viewer, const std::string& instance_id,
                     absl::Time now) const;
  bool Matches(const v1::Session& session) const;

  std::optional<std::string> owner_;  // Not set: all.
  std::string client_id_;
  std::vector<Selector> selectors_;
  std::vector<std::string> computers_;

  std::deque<std::string> initial_;  // Not told yet.
  bool synced_ = false;
  std::deque<std::string> touched_;
  absl::flat_hash_map<std::string, absl::Time> touched_at_;
  // Of the session that was looked at last: at most a handful.
  std::deque<v1::WatchSessionsResponse> events_;
  // What was told of each session.
  absl::flat_hash_map<std::string, SessionMoment> told_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_WATCH_H_

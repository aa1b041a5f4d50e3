#ifndef BERTH_CLI_CLIENT_SESSION_WATCHER_H_
#define BERTH_CLI_CLIENT_SESSION_WATCHER_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/backoff.h"
#include "cli/client/connection.h"
#include "cli/client/sessions.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// Follows the events of sessions, over as many streams as it takes: what
// happened while the broker was out of reach is told when it is back. Used by
// one thread.
class SessionWatcher {
 public:
  // What it tells. False: that was all that was wanted.
  using OnEvent = std::function<bool(const v1::SessionEvent&)>;

  SessionWatcher(Connection& connection, Invocation& invocation,
                 SessionQuery query)
      : connection_(connection),
        invocation_(invocation),
        query_(std::move(query)) {}

  // OK: `on_event` said false. CANCELLED: the invocation was left. Else the
  // broker's word; or UNAVAILABLE, if it could not be reached at first.
  absl::Status Run(const OnEvent& on_event);

 private:
  // One stream. `*done`: on_event said false.
  absl::Status Attempt(const OnEvent& on_event, bool* done);
  bool Take(const v1::WatchSessionsResponse& response, const OnEvent& on_event);
  // Tells what became of a session that was known before.
  bool TellSince(const v1::SessionEvent& now, const OnEvent& on_event);
  // Tells that sessions went which the broker no longer knows.
  bool TellGone(const OnEvent& on_event);
  void Remember(const v1::SessionEvent& event);
  bool MayRetry(const absl::Status& status) const;

  Connection& connection_;
  Invocation& invocation_;
  const SessionQuery query_;

  Backoff backoff_;
  bool from_broker_ = false;  // Where the last attempt's status came from.
  bool lost_ = false;         // And people were told.
  int syncs_ = 0;
  // By instance id, as they were told last.
  std::map<std::string, std::shared_ptr<const v1::Session>> known_;
  std::set<std::string> seen_;  // On this stream.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_SESSION_WATCHER_H_

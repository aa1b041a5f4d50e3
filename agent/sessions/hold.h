#ifndef BERTH_AGENT_SESSIONS_HOLD_H_
#define BERTH_AGENT_SESSIONS_HOLD_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// Who holds a session: the rules, and nothing else. A client holds it because
// it said so (Set), or for as long as calls of it are open (Enter, Leave).
// Thread-compatible.
class Hold {
 public:
  // For messages: how people call the session, such as "3".
  explicit Hold(std::string session) : session_(std::move(session)) {}

  // Applies a request. FAILED_PRECONDITION: another client holds the session;
  // the message names it.
  absl::Status Set(const link::v1::SetHolderRequest& request, absl::Time now);

  // A call of `client` begins or ends. While nobody else holds the session
  // `client` does. FAILED_PRECONDITION as for Set.
  absl::Status Enter(const v1::Client& client, absl::Time now);
  void Leave(const v1::Client& client);

  // As it was before a restart.
  void Restore(const v1::SessionHolder& holder);

  bool held() const { return held_; }
  // Holds it beyond any call: what has to be remembered.
  bool lasting() const { return held_ && lasting_; }
  const v1::SessionHolder& holder() const { return holder_; }

 private:
  absl::Status CheckOther(absl::string_view client_id) const;
  void Give(const v1::Client& client, bool lasting, absl::Time now);

  const std::string session_;
  bool held_ = false;
  bool lasting_ = false;
  int calls_ = 0;  // Open calls of the holder.
  v1::SessionHolder holder_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLD_H_

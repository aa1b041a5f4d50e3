#ifndef BERTH_AGENT_SESSIONS_HOLD_H_
#define BERTH_AGENT_SESSIONS_HOLD_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/state/tables.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// Who holds a session: the rules, and nothing else. A client holds it because
// it said so (Set), or for as long as calls of it are open (Enter, Leave).
// Thread-compatible.
class Hold {
 public:
  // For messages: how people call the session, such as "3".
  // `rows` must outlive this.
  explicit Hold(std::string session,
                const state::HoldRows& rows = state::HoldTable())
      : session_(std::move(session)), rows_(&rows) {}

  // Applies a request. FAILED_PRECONDITION: another client holds the session;
  // the message names it.
  absl::Status Set(const link::v1::SetHolderRequest& request, absl::Time now);

  // A call of `client` begins or ends. While nobody else holds the session
  // `client` does. FAILED_PRECONDITION as for Set.
  absl::Status Enter(const v1::Client& client, absl::Time now);
  void Leave(const v1::Client& client);

  // As it was before a restart.
  void Restore(const v1::SessionHolder& holder);

  bool held() const { return state_ != state::Hold::kFree; }
  // Holds it beyond any call: what has to be remembered.
  bool lasting() const { return state_ == state::Hold::kLasting; }
  const v1::SessionHolder& holder() const { return holder_; }

 private:
  // From now on the holder's open calls don't count: whoever lets go means it.
  void DiscountCalls();
  // Makes a step of the table; without one, the error names the holder.
  absl::Status Apply(state::HoldEvent event, const v1::Client& client,
                     absl::Time now);
  state::From WhoIs(absl::string_view client_id) const;
  absl::Status HeldByOther() const;

  std::string session_;
  const state::HoldRows* rows_;
  state::Hold state_ = state::Hold::kFree;
  int calls_ = 0;  // Open calls of the holder.
  // By client: open calls that don't count. They must not be taken for later
  // ones when they end.
  std::map<std::string, int> discounted_;
  v1::SessionHolder holder_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLD_H_

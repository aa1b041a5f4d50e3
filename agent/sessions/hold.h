#ifndef BERTH_AGENT_SESSIONS_HOLD_H_
#define BERTH_AGENT_SESSIONS_HOLD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
  // For messages: whose session it is, and its id, such as "3".
  // `rows` must outlive this.
  Hold(std::string owner, std::string session,
       const state::HoldRows& rows = state::HoldTable())
      : owner_(std::move(owner)), session_(std::move(session)), rows_(&rows) {}

  // Applies a request. FAILED_PRECONDITION: another client holds the session;
  // the message names it.
  absl::Status Set(const link::v1::SetHolderRequest& request, absl::Time now);

  // From when a client begins to hold the session until it lets go.
  using Tenure = uint64_t;

  // A call of `client` begins. While nobody else holds the session `client`
  // does. FAILED_PRECONDITION as for Set.
  absl::StatusOr<Tenure> Enter(const v1::Client& client, absl::Time now);
  // A call that began in `tenure` ends. It counts only as long as that lasts:
  // whoever lets go means it, whatever is open.
  void Leave(Tenure tenure);

  // As it was before a restart.
  void Restore(const v1::SessionHolder& holder);

  bool held() const { return state_ != state::Hold::kFree; }
  // Holds it beyond any call: what has to be remembered.
  bool lasting() const { return state_ == state::Hold::kLasting; }
  const v1::SessionHolder& holder() const { return holder_; }

 private:
  // Makes a step of the table; without one, the error names the holder.
  absl::Status Apply(state::HoldEvent event, const v1::Client& client,
                     absl::Time now);
  state::From WhoIs(absl::string_view client_id) const;
  // `asker_id`: the client that is told.
  absl::Status HeldByOther(absl::string_view asker_id) const;

  std::string owner_;
  std::string session_;
  const state::HoldRows* rows_;
  state::Hold state_ = state::Hold::kFree;
  Tenure tenure_ = 0;
  int calls_ = 0;  // That are open, of this tenure.
  v1::SessionHolder holder_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLD_H_

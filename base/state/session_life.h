#ifndef BERTH_BASE_STATE_SESSION_LIFE_H_
#define BERTH_BASE_STATE_SESSION_LIFE_H_

#include <cstdint>

#include "base/state/tables.h"

namespace berth::state {

// Where one session is in its life, and why it ended: by the table of sessions.
// Pure; thread-compatible.
class SessionLife {
 public:
  // `rows` must outlive this.
  explicit SessionLife(Session state = Session::kStarting,
                       const SessionRows& rows = SessionTable())
      : rows_(&rows), state_(state) {}

  // What came of an event.
  enum class Step : uint8_t {
    kRefused,     // The table has no row for it; nothing has changed.
    kTaken,       // The reason was not kept, if there was one.
    kGaveReason,  // And the reason that came with it is why the session ended.
  };

  // `reason`: an EndReason of berth.v1; 0 if the event has none.
  Step Apply(SessionEvent event, uint32_t reason = 0) {
    const SessionRow* row = Find(*rows_, state_, event);
    if (row == nullptr) return Step::kRefused;
    state_ = row->to;
    const bool keeps =
        reason != 0 && (row->reason == Reason::kAlways ||
                        (row->reason == Reason::kFirst && reason_ == 0));
    if (!keeps) return Step::kTaken;
    reason_ = reason;
    return Step::kGaveReason;
  }

  Session state() const { return state_; }
  uint32_t reason() const { return reason_; }
  bool ended() const {
    return state_ == Session::kEnded || state_ == Session::kForgotten;
  }

 private:
  const SessionRows* rows_;
  Session state_;
  uint32_t reason_ = 0;
};

}  // namespace berth::state

#endif  // BERTH_BASE_STATE_SESSION_LIFE_H_

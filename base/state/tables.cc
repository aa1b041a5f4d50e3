#include "base/state/tables.h"

namespace berth::state {

const CommandRows& CommandTable() {
  using C = Command;
  using E = CommandEvent;
  static const CommandRows* const rows = new CommandRows{
      {C::kNew, E::kReserve, C::kQueued, Slot::kKeep},
      {C::kQueued, E::kHandOver, C::kSent, Slot::kTake},
      {C::kQueued, E::kTakeBack, C::kEnded, Slot::kKeep},
      {C::kSent, E::kBegin, C::kStarted, Slot::kKeep},
      {C::kSent, E::kTakeBack, C::kEnded, Slot::kFree},
      {C::kStarted, E::kFinish, C::kEnding, Slot::kFree},
      {C::kEnding, E::kDrain, C::kEnded, Slot::kKeep},
  };
  return *rows;
}

const SessionRows& SessionTable() {
  using S = Session;
  using E = SessionEvent;
  static const SessionRows* const rows = new SessionRows{
      {S::kStarting, E::kReady, S::kLive, Reason::kNone},
      {S::kStarting, E::kFail, S::kEnding, Reason::kFirst},
      {S::kStarting, E::kAsk, S::kEnding, Reason::kFirst},
      {S::kLive, E::kAsk, S::kEnding, Reason::kFirst},
      {S::kLive, E::kShellExit, S::kEnding, Reason::kFirst},
      // An agent learns of it only then.
      {S::kLive, E::kGone, S::kEnded, Reason::kFirst},
      {S::kEnding, E::kFail, S::kEnding, Reason::kFirst},
      {S::kEnding, E::kAsk, S::kEnding, Reason::kFirst},
      {S::kEnding, E::kShellExit, S::kEnding, Reason::kFirst},
      {S::kEnding, E::kGone, S::kEnded, Reason::kFirst},
      {S::kEnded, E::kForget, S::kForgotten, Reason::kNone},
  };
  return *rows;
}

bool TakesCommands(Session session) {
  return session == Session::kStarting || session == Session::kLive;
}

const HoldRows& HoldTable() {
  using H = Hold;
  using E = HoldEvent;
  constexpr From kMe = From::kHolder;
  constexpr From kOther = From::kOther;
  static const HoldRows* const rows = new HoldRows{
      {H::kFree, kMe, E::kConnect, H::kLasting, true},
      {H::kFree, kMe, E::kTake, H::kLasting, true},
      {H::kFree, kMe, E::kLetGo, H::kFree, false},
      {H::kFree, kMe, E::kFree, H::kFree, false},
      {H::kFree, kMe, E::kEnter, H::kByCalls, true},
      {H::kByCalls, kMe, E::kConnect, H::kLasting, false},
      {H::kByCalls, kMe, E::kTake, H::kLasting, false},
      {H::kByCalls, kMe, E::kLetGo, H::kFree, false},
      {H::kByCalls, kMe, E::kFree, H::kFree, false},
      {H::kByCalls, kMe, E::kEnter, H::kByCalls, false},
      {H::kByCalls, kMe, E::kLeave, H::kFree, false},
      {H::kByCalls, kOther, E::kTake, H::kLasting, true},
      {H::kByCalls, kOther, E::kFree, H::kFree, false},
      {H::kLasting, kMe, E::kConnect, H::kLasting, false},
      {H::kLasting, kMe, E::kTake, H::kLasting, false},
      {H::kLasting, kMe, E::kLetGo, H::kFree, false},
      {H::kLasting, kMe, E::kFree, H::kFree, false},
      {H::kLasting, kMe, E::kEnter, H::kLasting, false},
      {H::kLasting, kMe, E::kLeave, H::kLasting, false},
      {H::kLasting, kOther, E::kTake, H::kLasting, true},
      {H::kLasting, kOther, E::kFree, H::kFree, false},
  };
  return *rows;
}

const ViewRows& ViewTable() {
  using V = View;
  using E = ViewEvent;
  static const ViewRows* const rows = new ViewRows{
      {V::kWaits, E::kQueued, V::kWaits},
      {V::kWaits, E::kStarted, V::kRuns},
      {V::kWaits, E::kRefused, V::kOver},
      {V::kRuns, E::kOutput, V::kRuns},
      {V::kRuns, E::kEnded, V::kDrains},
      // Of something asked while it runs, such as input that it doesn't take.
      {V::kRuns, E::kRefused, V::kOver},
      {V::kDrains, E::kOutput, V::kDrains},
      {V::kDrains, E::kRefused, V::kOver},
      {V::kDrains, E::kShown, V::kOver},
  };
  return *rows;
}

Look LookAt(const Facts& facts) {
  if (facts.ended) return {Seen::kClosed, Availability::kNone};
  if (!facts.reachable) return {Seen::kBroken, Availability::kNone};
  const Seen seen =
      facts.held_by_me && facts.held ? Seen::kOpened : Seen::kDisconnected;
  if (facts.runs) return {seen, Availability::kBusy};
  if (seen == Seen::kOpened) return {seen, Availability::kAvailable};
  return {seen, facts.held ? Availability::kBusy : Availability::kNone};
}

const CommandRow* Find(const CommandRows& rows, Command from,
                       CommandEvent event) {
  for (const CommandRow& row : rows) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

const SessionRow* Find(const SessionRows& rows, Session from,
                       SessionEvent event) {
  for (const SessionRow& row : rows) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

const HoldRow* Find(const HoldRows& rows, Hold from, From who,
                    HoldEvent event) {
  for (const HoldRow& row : rows) {
    if (row.from == from && row.who == who && row.event == event) return &row;
  }
  return nullptr;
}

const ViewRow* Find(const ViewRows& rows, View from, ViewEvent event) {
  for (const ViewRow& row : rows) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

const char* ToString(Command state) {
  static constexpr const char* kNames[] = {"new",     "queued", "sent",
                                           "started", "ending", "ended"};
  return kNames[static_cast<int>(state)];
}

const char* ToString(CommandEvent event) {
  static constexpr const char* kNames[] = {"reserve",   "hand over", "begin",
                                           "take back", "finish",    "drain"};
  return kNames[static_cast<int>(event)];
}

const char* ToString(Session state) {
  static constexpr const char* kNames[] = {"starting", "live", "ending",
                                           "ended", "forgotten"};
  return kNames[static_cast<int>(state)];
}

const char* ToString(SessionEvent event) {
  static constexpr const char* kNames[] = {"ready",      "fail", "ask",
                                           "shell exit", "gone", "forget"};
  return kNames[static_cast<int>(event)];
}

}  // namespace berth::state

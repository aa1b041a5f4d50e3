#ifndef BERTH_BASE_STATE_TABLES_H_
#define BERTH_BASE_STATE_TABLES_H_

// The states of sessions and commands, and all that may happen to them: one
// table each. Holder, agent and broker make no step that is not here; what a
// table has no row for is refused. Nothing here knows of processes or time.
// tests/model/model_test.cc tries all orders of events against what has to
// hold.

#include <cstdint>
#include <vector>

namespace berth::state {

// ---- Commands ----

enum class Command : uint8_t {
  kNew,      // Not known.
  kQueued,   // In the journal, and waits.
  kSent,     // The shell has it, and has not said that it runs.
  kStarted,  // It runs.
  kEnding,   // The shell is done with it; its output is not all in the log.
  kEnded,
};

enum class CommandEvent : uint8_t {
  kReserve,   // Its id is in the journal.
  kHandOver,  // The shell gets it.
  kBegin,     // The shell says that it runs.
  kTakeBack,  // It won't run: given up, refused by the shell, nobody runs it.
  kFinish,    // The shell is done with it, or gone.
  kDrain,     // All that it printed is in the log.
};

// Of the shell, which has one command at a time.
enum class Slot : uint8_t { kKeep, kTake, kFree };

struct CommandRow {
  Command from;
  CommandEvent event;
  Command to;
  Slot slot;
};
using CommandRows = std::vector<CommandRow>;
const CommandRows& CommandTable();

// ---- Sessions ----

enum class Session : uint8_t {
  kStarting,   // Its shell is not ready.
  kLive,       // It takes commands.
  kEnding,     // Its processes are being ended.
  kEnded,      // There is none left. Its output can be received.
  kForgotten,  // There is no output either.
};

enum class SessionEvent : uint8_t {
  kReady,      // The shell can take commands.
  kFail,       // It can't be made ready.
  kAsk,        // Somebody, or a clock, wants it to end.
  kShellExit,  // The shell is gone.
  kGone,       // All of it is gone.
  kForget,     // Its files are deleted.
};

// What becomes of the reason that comes with the event.
enum class Reason : uint8_t {
  kNone,   // There is none to keep.
  kFirst,  // It counts unless there is one already.
  kAlways
};

struct SessionRow {
  Session from;
  SessionEvent event;
  Session to;
  Reason reason;
};
using SessionRows = std::vector<SessionRow>;
const SessionRows& SessionTable();

bool TakesCommands(Session session);

// ---- Who holds a session ----

enum class Hold : uint8_t {
  kFree,
  kByCalls,  // A client, as long as calls of it are open.
  kLasting,  // A client that said so.
};

enum class HoldEvent : uint8_t {
  kConnect,  // Wants it, if nobody else has it.
  kTake,     // Wants it.
  kLetGo,    // Wants it no longer.
  kFree,     // Nobody shall hold it.
  kEnter,    // A call begins.
  kLeave,    // Its last call is over.
};

// Who the event is from. While nobody holds the session, anybody is kHolder.
enum class From : uint8_t { kHolder, kOther };

struct HoldRow {
  Hold from;
  From who;
  HoldEvent event;
  Hold to;
  bool changes_hands;  // Whoever the event is from holds it now.
};
using HoldRows = std::vector<HoldRow>;
const HoldRows& HoldTable();

// ---- How one client sees a command ----

enum class View : uint8_t {
  kWaits,   // Asked for, or queued.
  kRuns,    // `started` was told.
  kDrains,  // Its end is known, and output comes before it.
  kOver,    // Nothing comes any more.
};

enum class ViewEvent : uint8_t {
  kQueued,
  kStarted,
  kRefused,
  kOutput,
  kEnded,  // It became known.
  kShown,  // It was told, after all output.
};

struct ViewRow {
  View from;
  ViewEvent event;
  View to;
};
using ViewRows = std::vector<ViewRow>;
const ViewRows& ViewTable();

// ---- How one client sees a session ----

// What is known of a session, as far as this depends on it.
struct Facts {
  bool ended = false;
  bool reachable = false;
  bool held_by_me = false;
  bool held = false;  // By anybody.
  bool runs = false;  // A command, or what was typed.
};

enum class Seen : uint8_t { kOpened, kDisconnected, kBroken, kClosed };
enum class Availability : uint8_t { kNone, kAvailable, kBusy };

struct Look {
  Seen seen;
  Availability availability;
};
Look LookAt(const Facts& facts);

// The row for an event; null: it is refused.
const CommandRow* Find(const CommandRows& rows, Command from,
                       CommandEvent event);
const SessionRow* Find(const SessionRows& rows, Session from,
                       SessionEvent event);
const HoldRow* Find(const HoldRows& rows, Hold from, From who, HoldEvent event);
const ViewRow* Find(const ViewRows& rows, View from, ViewEvent event);

// For messages.
const char* ToString(Command state);
const char* ToString(CommandEvent event);
const char* ToString(Session state);
const char* ToString(SessionEvent event);

}  // namespace berth::state

#endif  // BERTH_BASE_STATE_TABLES_H_

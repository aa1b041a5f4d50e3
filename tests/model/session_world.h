#ifndef BERTH_TESTS_MODEL_SESSION_WORLD_H_
#define BERTH_TESTS_MODEL_SESSION_WORLD_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/shell/shell_state.h"
#include "base/state/command_lane.h"
#include "base/state/session_life.h"
#include "base/state/tables.h"

namespace berth::model {

// The tables to be explored: the real ones, or ones with a mistake.
struct Tables {
  state::CommandRows commands = state::CommandTable();
  state::SessionRows sessions = state::SessionTable();
  state::ViewRows views = state::ViewTable();
};

// One session with some commands: the real lane and life, a shell that does
// whatever a shell may do, clients that ask for whatever they like, and what
// has happened in truth. Each step compares the two.
class SessionWorld {
 public:
  static constexpr int kMaxCommands = 4;

  enum class What : uint8_t {
    kNone,
    // Clients.
    kStart,
    kStartOrRefuse,
    kInterrupt,
    kFollow,
    // Time.
    kGiveUp,
    kHandOver,
    kHandOverFails,
    // The shell.
    kBusy,
    kPrompt,
    kReplaced,
    kRunStarted,
    kRunDone,
    kRunDropped,
    kShellExit,
    // Output.
    kOutput,
    kDrained,
    kShown,
    // The session.
    kReady,
    kFail,
    kAskRemove,
    kAskIdle,
    kGone,
    kForget,
  };
  struct Event {
    What what = What::kNone;
    uint8_t command = 0;  // Its number.
  };

  // `tables` must outlive this. Explores `commands` of them; with `views`, also
  // what a client that follows each is told.
  SessionWorld(const Tables& tables, int commands, bool views);

  std::vector<Event> Events() const;
  void Do(const Event& event, std::string& violation);
  std::string Key() const;
  static std::string Name(const Event& event);

 private:
  // What has happened to a command.
  struct Truth {
    bool reserved = false;
    bool handed = false;
    bool began = false;  // As the shell says.
    bool finished = false;
    bool drained = false;
    uint8_t told_started = 0;
    uint8_t told_refused = 0;
    uint8_t told_ended = 0;
    // One client that follows it.
    state::View view = state::View::kOver;
    bool follows = false;
    bool saw_start = false;
    bool saw_refusal = false;
    bool knows_end = false;
    bool saw_end = false;
  };

  void DoClient(const Event& event);
  void DoShell(const Event& event);
  void DoSession(const Event& event);
  void Start(bool waits);
  void Follow(uint64_t sequence);
  void TakeBack(uint64_t sequence);
  void GiveUp(uint64_t sequence);
  void ShellExit();
  void Output(uint64_t sequence);
  void EndLane();
  // A step that has to be possible.
  void Must(uint64_t sequence, state::CommandEvent event);
  // One that any program in the session may provoke.
  void May(uint64_t sequence, state::CommandEvent event);
  void MustSession(state::SessionEvent event, uint32_t reason);
  void Tell(uint64_t sequence, state::CommandEvent event);
  void Show(Truth& truth, state::ViewEvent event);
  void Shell(shell::ShellEvent event);
  state::ShellReadiness Readiness() const;
  void Check();
  void CheckCommand(uint64_t sequence);
  void CheckView(const Truth& truth);
  void CheckSession();
  void Expect(bool holds, const char* what);

  Truth& truth(uint64_t sequence) { return truths_[sequence - 1]; }
  const Truth& truth(uint64_t sequence) const { return truths_[sequence - 1]; }

  const Tables* tables_;
  int max_;
  bool views_;
  state::CommandLane lane_;
  state::SessionLife life_;
  shell::ShellState shell_ = shell::ShellState::kStarting;
  uint64_t run_ = 0;  // That the shell has.
  bool run_started_ = false;
  bool withdraw_sent_ = false;  // It may cross with the start.
  bool withdraw_seen_ = false;  // The shell took it in before it started.
  int reserved_ = 0;
  std::array<Truth, kMaxCommands> truths_;
  bool ready_ = false;
  bool end_caused_ = false;
  bool gone_ = false;
  bool forgotten_ = false;
  uint32_t first_reason_ = 0;
  std::string violation_;
};

}  // namespace berth::model

#endif  // BERTH_TESTS_MODEL_SESSION_WORLD_H_

#include "tests/model/session_world.h"

#include "absl/strings/str_cat.h"

namespace berth::model {
namespace {

using state::Command;
using state::CommandEvent;
using What = SessionWorld::What;

// EndReason of berth.v1.
constexpr uint32_t kRemoved = 1;
constexpr uint32_t kShellExited = 2;
constexpr uint32_t kIdle = 3;
constexpr uint32_t kStartFailed = 6;

}  // namespace

SessionWorld::SessionWorld(const Tables& tables, int commands, bool views)
    : tables_(&tables),
      max_(commands),
      views_(views),
      lane_(2, tables.commands),
      life_(state::Session::kStarting, tables.sessions) {}

std::string SessionWorld::Name(const Event& event) {
  static constexpr const char* kNames[] = {"",
                                           "start",
                                           "start or refuse",
                                           "interrupt",
                                           "follow",
                                           "give up",
                                           "hand over",
                                           "hand-over fails",
                                           "user's line",
                                           "prompt",
                                           "exec",
                                           "started",
                                           "done",
                                           "dropped",
                                           "shell exit",
                                           "output",
                                           "drained",
                                           "shown",
                                           "ready",
                                           "fail",
                                           "ask: remove",
                                           "ask: idle",
                                           "gone",
                                           "forget"};
  const char* name = kNames[static_cast<int>(event.what)];
  return event.command == 0 ? std::string(name)
                            : absl::StrCat(name, " ", event.command);
}

std::vector<SessionWorld::Event> SessionWorld::Events() const {
  std::vector<Event> events;
  const auto add = [&](What what, uint64_t command = 0) {
    events.push_back({what, static_cast<uint8_t>(command)});
  };
  if (reserved_ < max_) {
    add(What::kStart);
    add(What::kStartOrRefuse);
  }
  for (int i = 1; i <= reserved_; ++i) {
    const Command at = lane_.of(i);
    if (at != Command::kEnded) {
      add(What::kInterrupt, i);
      add(What::kGiveUp, i);
    }
    if (at == Command::kEnding) add(What::kDrained, i);
    if (views_) {
      add(What::kFollow, i);
      add(What::kOutput, i);
      if (truth(i).knows_end && !truth(i).saw_end) add(What::kShown, i);
    }
  }
  if (lane_.Next(Readiness()) != 0) {
    add(What::kHandOver);
    add(What::kHandOverFails);
  }
  if (shell_ != shell::ShellState::kExited) {
    add(What::kBusy);
    add(What::kPrompt);
    add(What::kReplaced);
    add(What::kShellExit);
  }
  // The last two also as a program in the session might say them.
  if (run_ != 0) {
    if (!withdraw_seen_ || run_started_) add(What::kRunStarted, run_);
    if (run_started_) add(What::kRunDone, run_);
    add(What::kRunDropped, run_);
  }
  if (shell_ != shell::ShellState::kStarting && !ready_) add(What::kReady);
  add(What::kAskRemove);
  add(What::kAskIdle);
  if (!ready_ && !gone_) add(What::kFail);
  if (end_caused_ && shell_ == shell::ShellState::kExited && !gone_) {
    add(What::kGone);
  }
  if (gone_ && !forgotten_) add(What::kForget);
  return events;
}

void SessionWorld::Do(const Event& event, std::string& violation) {
  violation_.clear();
  DoClient(event);
  DoShell(event);
  DoSession(event);
  if (violation_.empty()) Check();
  violation = std::move(violation_);
  violation_.clear();
}

void SessionWorld::DoClient(const Event& event) {
  switch (event.what) {
    case What::kStart:
      return Start(true);
    case What::kStartOrRefuse:
      return Start(false);
    case What::kInterrupt:
      if (lane_.of(event.command) != Command::kStarted) TakeBack(event.command);
      return;
    case What::kGiveUp:
      return GiveUp(event.command);
    case What::kFollow:
      return Follow(event.command);
    case What::kOutput:
      return Output(event.command);
    case What::kShown:
      truth(event.command).saw_end = true;
      return Show(truth(event.command), state::ViewEvent::kShown);
    case What::kDrained:
      truth(event.command).drained = true;
      return Must(event.command, CommandEvent::kDrain);
    default:
      return;
  }
}

// As Commands::Start().
void SessionWorld::Start(bool waits) {
  const bool live = !end_caused_ && shell_ != shell::ShellState::kExited;
  const state::Admission admission = lane_.Admit(Readiness(), waits);
  if (admission != state::Admission::kTaken) {
    Expect(!(live && waits && lane_.waiting() < 2 &&
             shell_ != shell::ShellState::kReplaced),
           "a live session refuses a command that would wait");
    return;
  }
  Expect(live, "an ended session takes a command");
  Expect(waits || lane_.open() == 0 || lane_.running() == 0,
         "a command that would not wait is taken by a busy session");
  const int sequence = ++reserved_;
  truth(sequence).reserved = true;
  truth(sequence).follows = views_;
  truth(sequence).view = state::View::kWaits;
  Must(sequence, CommandEvent::kReserve);
}

// A client comes (again): as Commands::Follow().
void SessionWorld::Follow(uint64_t sequence) {
  Truth& its = truth(sequence);
  its.follows = true;
  its.view = state::View::kWaits;
  its.saw_start = its.saw_refusal = its.knows_end = its.saw_end = false;
  const Command at = lane_.of(sequence);
  if (at == Command::kQueued || at == Command::kSent) {
    Expect(its.told_started == 0, "a command that runs is said to wait");
    return Show(its, state::ViewEvent::kQueued);
  }
  if (at == Command::kEnded && its.told_refused > 0) {
    its.saw_refusal = true;
    return Show(its, state::ViewEvent::kRefused);
  }
  its.saw_start = true;
  Show(its, state::ViewEvent::kStarted);
  if (at != Command::kEnded) return;
  its.knows_end = true;
  Show(its, state::ViewEvent::kEnded);
}

void SessionWorld::TakeBack(uint64_t sequence) {
  switch (lane_.WayBackOf(sequence, Readiness())) {
    case state::WayBack::kNow:
      return Must(sequence, CommandEvent::kTakeBack);
    case state::WayBack::kNowAndTellShell:
      withdraw_sent_ = withdraw_seen_ = true;
      return Must(sequence, CommandEvent::kTakeBack);
    case state::WayBack::kAskShell:
      withdraw_sent_ = true;
      return;
    case state::WayBack::kTooLate:
      return;
  }
}

// A shell that was asked and says nothing for a second has not taken in what
// it was sent; when it does, it sees the withdrawal, too.
void SessionWorld::GiveUp(uint64_t sequence) {
  if (lane_.WayBackOf(sequence, Readiness()) != state::WayBack::kAskShell ||
      !withdraw_sent_) {
    return TakeBack(sequence);
  }
  withdraw_seen_ = true;
  Must(sequence, CommandEvent::kTakeBack);
}

// A process that the command left behind may print after its end.
void SessionWorld::Output(uint64_t sequence) {
  Truth& its = truth(sequence);
  if (!its.follows || !its.saw_start) return;
  const state::ViewRow* row =
      Find(tables_->views, its.view, state::ViewEvent::kOutput);
  if (row == nullptr) {
    return Expect(its.saw_end || its.saw_refusal, "output is not shown");
  }
  Expect(!its.saw_end && !its.saw_refusal, "output after the end");
  its.view = row->to;
}

void SessionWorld::DoShell(const Event& event) {
  using E = shell::ShellEvent;
  switch (event.what) {
    case What::kHandOver:
    case What::kHandOverFails: {
      const uint64_t next = lane_.Next(Readiness());
      truth(next).handed = true;
      Must(next, CommandEvent::kHandOver);
      if (event.what == What::kHandOverFails) {
        return Must(next, CommandEvent::kTakeBack);
      }
      run_ = next;
      run_started_ = withdraw_sent_ = withdraw_seen_ = false;
      return Shell(E::kRunSent);
    }
    case What::kBusy:
      return Shell(E::kBusy);
    case What::kPrompt:
      return Shell(E::kPrompt);
    case What::kReplaced:
      return Shell(E::kChannelClosed);
    case What::kRunStarted:
      if (run_started_) return May(run_, CommandEvent::kBegin);
      run_started_ = true;
      Shell(E::kRunStarted);
      Expect(truth(run_).told_refused == 0, "what was refused runs");
      truth(run_).began = true;
      if (lane_.running() == run_) Must(run_, CommandEvent::kBegin);
      return;
    case What::kRunDone:
      truth(run_).finished = true;
      if (lane_.running() == run_) Must(run_, CommandEvent::kFinish);
      run_ = 0;
      return Shell(E::kRunDone);
    case What::kRunDropped:
      if (run_started_) return May(run_, CommandEvent::kTakeBack);
      if (lane_.running() == run_) Must(run_, CommandEvent::kTakeBack);
      run_ = 0;
      return Shell(E::kRunDropped);
    case What::kShellExit:
      return ShellExit();
    default:
      return;
  }
}

void SessionWorld::Shell(shell::ShellEvent event) {
  shell_ = shell::NextState(shell_, event);
}

// As Commands::OnShellEnd().
void SessionWorld::EndLane() {
  lane_.Close();
  for (uint64_t sequence : lane_.Unstarted()) {
    Must(sequence, CommandEvent::kTakeBack);
  }
  if (lane_.running() == 0) return;
  truth(lane_.running()).finished = true;
  Must(lane_.running(), CommandEvent::kFinish);
}

void SessionWorld::ShellExit() {
  Shell(shell::ShellEvent::kProcessExited);
  run_ = 0;
  EndLane();
  if (life_.state() == state::Session::kStarting) {
    end_caused_ = true;
    MustSession(state::SessionEvent::kFail, kStartFailed);
  }
  end_caused_ = true;
  MustSession(state::SessionEvent::kShellExit, kShellExited);
}

void SessionWorld::DoSession(const Event& event) {
  using E = state::SessionEvent;
  switch (event.what) {
    case What::kReady: {
      const bool late = end_caused_;
      const auto step = life_.Apply(E::kReady);
      if (late) {
        return Expect(step == state::SessionLife::Step::kRefused,
                      "what ends becomes ready");
      }
      Expect(step != state::SessionLife::Step::kRefused, "it can't be ready");
      ready_ = true;
      return;
    }
    case What::kFail:
      end_caused_ = true;
      return MustSession(E::kFail, kStartFailed);
    case What::kAskRemove:
    case What::kAskIdle: {
      const uint32_t reason = event.what == What::kAskIdle ? kIdle : kRemoved;
      if (gone_) {
        return Expect(
            life_.Apply(E::kAsk, reason) == state::SessionLife::Step::kRefused,
            "what has ended can be ended");
      }
      end_caused_ = true;
      return MustSession(E::kAsk, reason);
    }
    case What::kGone:
      gone_ = true;
      EndLane();
      // Nothing waits for room in a log any more.
      for (int i = 1; i <= reserved_; ++i) {
        if (lane_.of(i) != Command::kEnding) continue;
        truth(i).drained = true;
        Must(i, CommandEvent::kDrain);
      }
      Expect(lane_.open() == 0, "a session has ended, and a command of it not");
      return MustSession(E::kGone, kShellExited);
    case What::kForget:
      forgotten_ = true;
      return MustSession(E::kForget, 0);
    default:
      return;
  }
}

void SessionWorld::MustSession(state::SessionEvent event, uint32_t reason) {
  Expect(life_.Apply(event, reason) != state::SessionLife::Step::kRefused,
         "the session's table has no row for what happens");
  if (first_reason_ == 0) first_reason_ = life_.reason();
  if (end_caused_) lane_.Close();
}

void SessionWorld::Must(uint64_t sequence, CommandEvent event) {
  const state::CommandRow* row = lane_.Apply(sequence, event);
  Expect(row != nullptr, "the commands' table has no row for what happens");
  if (row != nullptr) Tell(sequence, event);
}

void SessionWorld::May(uint64_t sequence, CommandEvent event) {
  if (lane_.running() != sequence) return;
  const state::CommandRow* row = lane_.Apply(sequence, event);
  if (row != nullptr) Tell(sequence, event);
}

// As what Commands does at each step.
void SessionWorld::Tell(uint64_t sequence, CommandEvent event) {
  Truth& its = truth(sequence);
  switch (event) {
    case CommandEvent::kReserve:
      return Show(its, state::ViewEvent::kQueued);
    case CommandEvent::kBegin:
      ++its.told_started;
      its.saw_start = its.follows;
      return Show(its, state::ViewEvent::kStarted);
    case CommandEvent::kTakeBack:
      ++its.told_refused;
      its.saw_refusal = its.follows;
      return Show(its, state::ViewEvent::kRefused);
    case CommandEvent::kDrain:
      ++its.told_ended;
      its.knows_end = its.follows;
      return Show(its, state::ViewEvent::kEnded);
    case CommandEvent::kHandOver:
    case CommandEvent::kFinish:
      return;
  }
}

void SessionWorld::Show(Truth& its, state::ViewEvent event) {
  if (!its.follows) return;
  const state::ViewRow* row = Find(tables_->views, its.view, event);
  Expect(row != nullptr, "the views' table has no row for what happens");
  if (row != nullptr) its.view = row->to;
}

state::ShellReadiness SessionWorld::Readiness() const {
  switch (shell_) {
    case shell::ShellState::kStarting:
      return state::ShellReadiness::kStarting;
    case shell::ShellState::kIdle:
      return state::ShellReadiness::kIdle;
    case shell::ShellState::kOvertaken:
      return state::ShellReadiness::kOvertaken;
    case shell::ShellState::kReplaced:
    case shell::ShellState::kExited:
      return state::ShellReadiness::kReplaced;
    default:
      return state::ShellReadiness::kBusy;
  }
}

void SessionWorld::Expect(bool holds, const char* what) {
  if (!holds && violation_.empty()) violation_ = what;
}

// ---- What has to hold in every state ----

void SessionWorld::Check() {
  uint64_t in_shell = 0;
  size_t waiting = 0;
  for (int i = 1; i <= reserved_; ++i) {
    CheckCommand(i);
    const Command at = lane_.of(i);
    if (at == Command::kQueued) ++waiting;
    if (at != Command::kSent && at != Command::kStarted) continue;
    Expect(in_shell == 0, "two commands have the shell");
    in_shell = i;
  }
  Expect(in_shell == lane_.running(), "the shell's place is not its command's");
  Expect(waiting == lane_.waiting(), "the queue is not of those that wait");
  Expect(lane_.of(reserved_ + 1) == Command::kNew,
         "a command is known that nobody asked for");
  CheckSession();
}

void SessionWorld::CheckCommand(uint64_t sequence) {
  const Truth& its = truth(sequence);
  const Command at = lane_.of(sequence);
  const int ends = its.told_refused + its.told_ended;
  Expect(ends <= 1, "a command has two ends");
  Expect(its.told_started <= 1, "a command starts twice");
  Expect(its.told_refused == 0 || its.told_started == 0,
         "a command that started is said not to have");
  Expect(its.told_ended == 0 || (its.told_started == 1 && its.began),
         "a command ended that did not start");
  Expect(its.told_ended == 0 || (its.finished && its.drained),
         "a command's end is told before all of its output");
  Expect(its.told_started == 0 || its.began, "started before it was");
  Expect((at == Command::kEnded) == (ends == 1),
         "a command has ended and nobody was told");
  Expect(at != Command::kNew, "a command that was reserved is forgotten");
  Expect(at != Command::kQueued || !its.handed,
         "a command waits that the shell was given");
  Expect(at != Command::kSent || (its.handed && !its.began),
         "a command is sent that was not, or runs");
  Expect(at != Command::kStarted || (its.began && !its.finished),
         "a command runs that does not");
  Expect(at != Command::kEnding || (its.finished && !its.drained),
         "a command ends that does not");
  if (views_) CheckView(its);
}

void SessionWorld::CheckView(const Truth& its) {
  if (!its.follows) return;
  const bool over = its.saw_end || its.saw_refusal;
  const state::View want = over            ? state::View::kOver
                           : its.knows_end ? state::View::kDrains
                           : its.saw_start ? state::View::kRuns
                                           : state::View::kWaits;
  Expect(its.view == want, "a client is not where its command is");
}

void SessionWorld::CheckSession() {
  using S = state::Session;
  const S want = forgotten_    ? S::kForgotten
                 : gone_       ? S::kEnded
                 : end_caused_ ? S::kEnding
                 : ready_      ? S::kLive
                               : S::kStarting;
  Expect(life_.state() == want, "the session is not what happened to it");
  Expect(life_.reason() == first_reason_, "an end's reason changes");
  Expect(!end_caused_ || life_.reason() != 0, "an end has no reason");
  Expect(end_caused_ || life_.reason() == 0, "a reason without an end");
}

std::string SessionWorld::Key() const {
  std::string key;
  const auto add = [&key](uint64_t value) {
    key.push_back(static_cast<char>(value));
  };
  add(static_cast<uint64_t>(shell_));
  add(run_);
  add(run_started_ | withdraw_sent_ << 1 | withdraw_seen_ << 2 |
      lane_.closed() << 3 | ready_ << 4 | end_caused_ << 5 | gone_ << 6 |
      forgotten_ << 7);
  add(static_cast<uint64_t>(life_.state()));
  add(life_.reason());
  add(first_reason_);
  add(lane_.running());
  for (int i = 1; i <= reserved_; ++i) {
    const Truth& its = truth(i);
    add(static_cast<uint64_t>(lane_.of(i)));
    add(its.handed | its.began << 1 | its.finished << 2 | its.drained << 3 |
        its.told_started << 4 | its.told_refused << 5 | its.told_ended << 6);
    if (!views_) continue;
    add(static_cast<uint64_t>(its.view));
    add(its.follows | its.saw_start << 1 | its.saw_refusal << 2 |
        its.knows_end << 3 | its.saw_end << 4);
  }
  return key;
}

}  // namespace berth::model

#include "agent/holder/commands.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/holder/text.h"
#include "agent/log/command_log.h"
#include "base/pause_point.h"

namespace berth::holder {
namespace {

constexpr size_t kMaxText = 4096;
// Descriptors that the rest of the holder may need.
constexpr size_t kOtherDescriptors = 384;
constexpr size_t kMinLeftovers = 64;

// How many commands whose processes still have their pipes can be kept: each
// takes two descriptors.
size_t MaxLeftovers() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMinLeftovers;
  size_t files = std::min<size_t>(limit.rlim_cur, 65536);
  return files < kOtherDescriptors + 2 * kMinLeftovers
             ? kMinLeftovers
             : (files - kOtherDescriptors) / 2;
}

int64_t WallNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

int ExitCodeOf(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return 255;
}

How HowOf(const ActiveCommand& active, const shell::RunEnd& end) {
  if (active.timed_out) return How::kTimedOut;
  if (end.exited) {
    return active.exit_ends_session ? How::kShellEnded : How::kExited;
  }
  // A script may have its own idea of what an interrupt means, and complete.
  bool by_signal = end.interrupted || end.status > 128;
  return active.interrupted && by_signal ? How::kInterrupted : How::kCompleted;
}

}  // namespace

Commands::Commands(EventLoop& loop, shell::Shell& shell, Terminal& terminal,
                   agent::SessionLogs& logs, agent::Journal& journal,
                   std::string journal_path, CommandsHost& host)
    : loop_(loop),
      shell_(shell),
      terminal_(terminal),
      logs_(logs),
      journal_(journal),
      journal_path_(std::move(journal_path)),
      host_(host),
      max_leftovers_(MaxLeftovers()),
      null_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Commands::~Commands() {
  for (auto& timer : {quiet_timer_, stall_timer_, ack_timer_}) {
    if (timer) loop_.Cancel(*timer);
  }
}

void Commands::Refuse(uint64_t connection, const std::string& id,
                      const absl::Status& why) {
  v1::Event event;
  event.mutable_refused()->set_command_id(id);
  event.mutable_refused()->set_code(why.raw_code());
  event.mutable_refused()->set_message(ValidText(why.message(), kMaxText));
  host_.Send(connection, event);
}

void Commands::Broadcast(const Command& command, const v1::Event& event) {
  if (!command.active) return;
  for (uint64_t connection : command.active->followers) {
    host_.Send(connection, event);
  }
}

Command* Commands::FindActive(uint64_t sequence) {
  Command* command = table_.Find(sequence);
  return command != nullptr && command->active ? command : nullptr;
}

void Commands::Record(const v1::JournalRecord& record) {
  // What the journal can't take is still told to those who are connected, and
  // kept in memory.
  absl::Status status = journal_.Append(record);
  if (!status.ok()) NotifyRunning(std::string(status.message()));
}

void Commands::NotifyRunning(const std::string& text) {
  const Command* command = running();
  if (command == nullptr) return;
  v1::Event event;
  event.mutable_notice()->set_text(ValidText(text, kMaxText));
  Broadcast(*command, event);
}

// What makes no sense may come of a program in the session, which can say
// anything in the shell's name.
bool Commands::Step(uint64_t sequence, state::CommandEvent event) {
  const state::Command from = lane_.of(sequence);
  if (lane_.Apply(sequence, event) != nullptr) return true;
  host_.Complain(absl::StrCat("command ", sequence, " is ",
                              state::ToString(from), ": no '",
                              state::ToString(event), "' is possible"));
  return false;
}

// ---- The shell's side ----

void Commands::OnShellStateChange() {
  if (shell_.state() == shell::ShellState::kOvertaken) {
    overtaken_ = true;
    OnOvertaken();
  } else if (std::exchange(overtaken_, false) && running() != nullptr) {
    // What the user's command printed is not the run's.
    NoteTerminal(*running());
  }
  StartNext();
}

// Reading the terminal makes the kernel deliver all that was printed before.
void Commands::NoteTerminal(Command& command) {
  terminal_.Drain();
  command.active->terminal_offset = terminal_.end();
}

void Commands::OnRunStarted(uint64_t sequence) {
  Command* command = FindActive(sequence);
  if (!IsRunning(command)) {
    shell_.Cancel(true);  // It was taken back, and those who asked were told.
    return;
  }
  if (!Step(sequence, state::CommandEvent::kBegin)) return;
  ActiveCommand& active = *command->active;
  if (active.wait_timer) loop_.Cancel(*active.wait_timer);
  active.wait_timer.reset();
  command->started_at_ns = WallNs();
  v1::Event event;
  v1::Started& started = *event.mutable_started();
  started.set_sequence(sequence);
  started.set_command_id(command->id);
  started.set_started_at_ns(command->started_at_ns);
  v1::JournalRecord record;
  started.set_what(command->what);
  *record.mutable_started() = started;
  record.mutable_started()->set_user(command->user);
  Record(record);
  PausePoint("holder.run.started");
  Broadcast(*command, event);
  SendCredit(sequence);
  if (active.timeout_ms > 0) {
    active.timeout_timer =
        loop_.After(absl::Milliseconds(active.timeout_ms), [this, sequence] {
          Command* late = FindActive(sequence);
          if (!IsRunning(late)) return;
          late->active->timeout_timer.reset();
          late->active->timed_out = true;
          shell_.Cancel(false);
        });
  }
  if (active.interrupted) shell_.Cancel(false);
}

void Commands::StopTimers(ActiveCommand& active) {
  if (active.wait_timer) loop_.Cancel(*active.wait_timer);
  if (active.timeout_timer) loop_.Cancel(*active.timeout_timer);
  active.wait_timer.reset();
  active.timeout_timer.reset();
}

void Commands::OnRunEnded(const shell::RunEnd& end) {
  Command* command = FindActive(end.id);
  if (!IsRunning(command) || !Step(end.id, state::CommandEvent::kFinish)) {
    shell_.Acknowledge(end.id, false);
    return;
  }
  terminal_.Drain();
  shell_.Acknowledge(end.id,
                     terminal_.end() != command->active->terminal_offset);
  v1::Ended ended;
  ended.set_how(static_cast<uint32_t>(HowOf(*command->active, end)));
  ended.set_exit_code(end.status);
  ended.set_duration_ns(end.duration_ns);
  ended.set_cwd(ValidText(end.cwd, kMaxText));
  BeginEnd(*command, std::move(ended));
}

void Commands::OnRunDropped(uint64_t sequence, const std::string& why) {
  Command* command = FindActive(sequence);
  if (!IsRunning(command)) return;
  absl::Status status = command->active->withdrawn;
  if (!why.empty()) {
    status = absl::ResourceExhaustedError(
        absl::StrCat("the shell did not take the command: ", why));
  } else if (status.ok()) {
    status = absl::CancelledError("withdrawn before it started");
  }
  EndUnstarted(*command, status);
}

void Commands::OnShellEnd(int wait_status) {
  if (shell_ended_) return;
  shell_ended_ = true;
  lane_.Close();
  for (uint64_t sequence : lane_.Unstarted()) {
    EndUnstarted(
        *table_.Find(sequence),
        absl::FailedPreconditionError("the session ended before it started"));
  }
  DropStalledEnds();
  Command* command = running();
  if (command == nullptr ||
      !Step(command->sequence, state::CommandEvent::kFinish)) {
    return;
  }
  BeginEnd(*command, ShellEnded(*command, wait_status));
}

v1::Ended Commands::ShellEnded(const Command& command, int wait_status) const {
  v1::Ended ended;
  ended.set_how(static_cast<uint32_t>(How::kShellEnded));
  ended.set_exit_code(ExitCodeOf(wait_status));
  ended.set_duration_ns(static_cast<uint64_t>(
      std::max<int64_t>(WallNs() - command.started_at_ns, 0)));
  ended.set_cwd(ValidText(shell_.cwd(), kMaxText));
  if (WIFSIGNALED(wait_status)) {
    ended.set_detail(
        absl::StrCat("the shell was ended by signal ", WTERMSIG(wait_status)));
  }
  return ended;
}

// ---- Ending ----

void Commands::BeginEnd(Command& command, v1::Ended ended) {
  ActiveCommand& active = *command.active;
  StopTimers(active);
  active.stdin_pipe.reset();
  ended.set_sequence(command.sequence);
  ended.set_command_id(command.id);
  ended.set_started_at_ns(command.started_at_ns);
  ended.set_ended_at_ns(WallNs());
  active.ending = std::move(ended);
  host_.OnCommandsChange();
  // Somebody wants it to end now, and not when there is room for its output.
  if (active.interrupted || active.timed_out || shell_ended_) {
    active.output->DropRest();
  }
  const uint64_t sequence = command.sequence;
  active.output->Snapshot();  // Goes on in OnDrained(), maybe now.
  Command* left = FindActive(sequence);
  if (left != nullptr && left->active->ending) left->active->ends_late = true;
}

void Commands::OnDrained(uint64_t sequence, uint64_t dropped) {
  Command* command = FindActive(sequence);
  if (command == nullptr || !command->active->ending) return;
  if (dropped > 0 && command->active->ending->detail().empty()) {
    command->active->ending->set_detail(absl::StrCat(
        "the last ", dropped, " bytes of its output are lost: the session's ",
        "logs were full when it was ended"));
  }
  const bool late = command->active->ends_late;
  FinishEnd(*command);
  // Else the shell says next that it is idle.
  if (late) host_.OnCommandsChange();
}

// Of commands whose end waits for room, which nobody makes any more.
void Commands::DropStalledEnds() {
  const absl::flat_hash_set<uint64_t> stalled = stalled_;
  for (uint64_t sequence : stalled) {
    Command* command = FindActive(sequence);
    if (command != nullptr && command->active->ending) {
      command->active->output->DropRest();
    }
  }
}

void Commands::FinishEnd(Command& command) {
  if (!Step(command.sequence, state::CommandEvent::kDrain)) return;
  ActiveCommand& active = *command.active;
  command.ended = std::make_unique<v1::Ended>(*std::move(active.ending));
  active.ending.reset();
  if (agent::CommandLog* log = logs_.Find(command.sequence)) {
    command.log_end = log->end();
  }
  command.ended->set_end_offset(command.log_end);
  last_ended_ = std::make_unique<v1::Ended>(*command.ended);
  v1::JournalRecord record;
  *record.mutable_ended() = *command.ended;
  PausePoint("holder.run.before_end");
  Record(record);
  PausePoint("holder.run.ended");
  v1::Event event;
  *event.mutable_ended() = *command.ended;
  Broadcast(command, event);
  leftovers_.push_back(command.sequence);
}

void Commands::OnClosed(uint64_t sequence) {
  Command* command = FindActive(sequence);
  if (command == nullptr || !command->ended) return;
  leftovers_.erase(std::remove(leftovers_.begin(), leftovers_.end(), sequence),
                   leftovers_.end());
  // Not now: its OutputPipes are calling.
  loop_.After(absl::ZeroDuration(), [this, sequence] {
    if (Command* closed = FindActive(sequence)) ReleaseOutput(*closed);
  });
}

void Commands::ReleaseOutput(Command& command) {
  stalled_.erase(command.sequence);
  command.active.reset();
  logs_.Finish(command.sequence);
  BoundLeftovers();
  table_.Trim();
}

// Processes left behind by commands keep pipes open, which must not take all
// descriptors. Whoever writes to a pipe that was closed gets SIGPIPE.
void Commands::BoundLeftovers() {
  while (leftovers_.size() > max_leftovers_) {
    uint64_t oldest = leftovers_.front();
    leftovers_.pop_front();
    if (Command* command = FindActive(oldest)) ReleaseOutput(*command);
  }
}

void Commands::EndUnstarted(Command& command, const absl::Status& why) {
  if (!Step(command.sequence, state::CommandEvent::kTakeBack)) return;
  StopTimers(*command.active);
  command.ended = std::make_unique<v1::Ended>();
  v1::Ended& ended = *command.ended;
  ended.set_sequence(command.sequence);
  ended.set_command_id(command.id);
  ended.set_how(static_cast<uint32_t>(How::kNotStarted));
  ended.set_ended_at_ns(WallNs());
  ended.set_detail(ValidText(why.message(), kMaxText));
  v1::JournalRecord record;
  *record.mutable_ended() = ended;
  Record(record);
  for (uint64_t connection : command.active->followers) {
    Refuse(connection, command.id, why);
  }
  uint64_t sequence = command.sequence;
  stalled_.erase(sequence);
  command.active.reset();
  logs_.Finish(sequence);
  host_.OnCommandsChange();
}

}  // namespace berth::holder

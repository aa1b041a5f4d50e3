// How commands are taken, wait, and get to the shell.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/commands.h"
#include "agent/holder/text.h"
#include "agent/log/command_log.h"
#include "agent/shell/memory_file.h"
#include "agent/shell/monotonic.h"
#include "base/files.h"
#include "base/pause_point.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::holder {
namespace {

constexpr size_t kMaxWhat = 200;
// The kernel handles what is typed a little later. A control key that arrived
// when the terminal has its mode for commands would not be the shell's.
constexpr absl::Duration kQuiet = absl::Milliseconds(10);
constexpr absl::Duration kTakeTime = absl::Seconds(1);
// For one that doesn't want to wait behind others, but has to for the shell's
// start-up files.
constexpr uint64_t kStartingWaitMs = 60000;

absl::Status CheckScript(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("the script did not come as a file");
  }
  if (static_cast<uint64_t>(info.st_size) > Commands::kMaxScript) {
    return absl::InvalidArgumentError(
        absl::StrCat("the script has ", info.st_size, " bytes; at most ",
                     Commands::kMaxScript,
                     " are allowed: copy it to the computer and run it there"));
  }
  char part[16384];
  for (off_t offset = 0;;) {
    ssize_t got = pread(fd, part, sizeof(part), offset);
    if (got < 0) return ErrnoToStatus(errno, "reading the script");
    if (got == 0) return absl::OkStatus();
    if (const void* nul = memchr(part, 0, static_cast<size_t>(got))) {
      return absl::InvalidArgumentError(
          absl::StrCat("the script has a NUL byte, at offset ",
                       offset + (static_cast<const char*>(nul) - part),
                       "; no shell can read past it"));
    }
    offset += got;
  }
}

// What keeps a command waiting, for people.
std::string DescribeBusy(const v1::State& state) {
  absl::Duration since = absl::Now() - absl::FromUnixNanos(state.since_ns());
  std::string for_how_long = absl::FormatDuration(
      absl::Trunc(std::max(since, absl::ZeroDuration()), absl::Seconds(1)));
  switch (state.kind()) {
    case v1::State::COMMAND:
      return absl::StrCat("command '", state.what(), "' runs since ",
                          for_how_long);
    case v1::State::TERMINAL:
      return absl::StrCat(state.what(), " is at the terminal since ",
                          for_how_long);
    default:
      return absl::StrCat(state.queued(), " commands wait");
  }
}

// In files without a name, which go with the last process that has them.
absl::StatusOr<std::vector<UniqueFd>> MakeSecrets(const v1::Start& request) {
  const std::map<std::string, std::string> in_order(request.secrets().begin(),
                                                    request.secrets().end());
  std::vector<UniqueFd> files;
  for (const auto& [name, bytes] : in_order) {
    BERTH_ASSIGN_OR_RETURN(UniqueFd file,
                           shell::NewSealedFile("secret", bytes));
    files.push_back(std::move(file));
  }
  return files;
}

absl::Status BusyError(const v1::State& state) {
  return absl::AbortedError(
      absl::StrCat("the session is busy: ", DescribeBusy(state)));
}

}  // namespace

void Commands::Start(uint64_t connection, const v1::Start& request,
                     UniqueFd script) {
  PausePoint("holder.run.got_start");
  if (FollowExisting(connection, request)) return;
  absl::Status status = Check(request, script);
  if (status.ok()) status = CheckBusy(request);
  std::unique_ptr<StdinPipe> stdin_pipe;
  UniqueFd reader;
  if (status.ok() && request.with_stdin()) {
    uint64_t sequence = table_.last() + 1;
    auto pipe = StdinPipe::Create(loop_, reader,
                                  [this, sequence] { SendCredit(sequence); });
    status = pipe.status();
    if (status.ok()) stdin_pipe = *std::move(pipe);
  }
  std::vector<UniqueFd> secrets;
  if (status.ok()) {
    auto made = MakeSecrets(request);
    status = made.status();
    if (status.ok()) secrets = *std::move(made);
  }
  if (status.ok()) status = Reserve(request);
  if (status.ok() && !Step(table_.last() + 1, state::CommandEvent::kReserve)) {
    status = absl::InternalError("the command can't be queued");
  }
  if (!status.ok()) return Refuse(connection, request.command_id(), status);
  PausePoint("holder.run.reserved");
  Command& command = table_.Add(request.command_id());
  command.digest = request.digest();
  command.what = ValidText(request.what(), kMaxWhat);
  command.user = ValidText(request.user(), kMaxWhat);
  ActiveCommand& active = *command.active;
  active.script = std::move(script);
  active.stdin_pipe = std::move(stdin_pipe);
  active.stdin_reader = std::move(reader);
  active.secrets = std::move(secrets);
  active.exit_ends_session = request.exit_ends_session();
  active.timeout_ms = request.timeout_ms();
  active.followers.push_back(connection);
  Enqueue(connection, command, request.wait_ms());
}

absl::Status Commands::Check(const v1::Start& request,
                             const UniqueFd& script) const {
  if (request.follow_only()) {
    return absl::NotFoundError(
        request.sequence() > 0
            ? absl::StrCat("the session has no command ", request.sequence())
            : absl::StrCat("the session has no command with id ",
                           request.command_id()));
  }
  if (!IsUuid(request.command_id())) {
    return absl::InvalidArgumentError("a command's id must be a UUID");
  }
  if (!script.valid()) {
    return absl::InvalidArgumentError("the script is missing");
  }
  if (lane_.closed()) {
    return absl::FailedPreconditionError("the session has ended");
  }
  if (static_cast<size_t>(request.secrets_size()) > shell_.takes_secrets()) {
    return absl::FailedPreconditionError(
        shell_.takes_secrets() == 0
            ? "only commands of bash sessions can have secrets"
            : absl::StrCat("a command can have ", shell_.takes_secrets(),
                           " secrets at most, not ", request.secrets_size()));
  }
  return CheckScript(script.get());
}

state::ShellReadiness Commands::Readiness() const {
  switch (shell_.state()) {
    case shell::ShellState::kStarting:
      return state::ShellReadiness::kStarting;
    case shell::ShellState::kIdle:
      return state::ShellReadiness::kIdle;
    case shell::ShellState::kOvertaken:
      return state::ShellReadiness::kOvertaken;
    case shell::ShellState::kSent:
    case shell::ShellState::kRunning:
    case shell::ShellState::kUserBusy:
      return state::ShellReadiness::kBusy;
    case shell::ShellState::kReplaced:
    case shell::ShellState::kExited:
      return state::ShellReadiness::kReplaced;
  }
  return state::ShellReadiness::kReplaced;
}

absl::Status Commands::CheckBusy(const v1::Start& request) {
  switch (lane_.Admit(Readiness(), request.wait_ms() > 0)) {
    case state::Admission::kTaken:
      return absl::OkStatus();
    case state::Admission::kSessionEnded:
      return absl::FailedPreconditionError("the session has ended");
    case state::Admission::kShellReplaced:
      return absl::FailedPreconditionError(absl::StrCat(
          "the session's shell was replaced by ", host_.CurrentState().what(),
          ", which takes no commands"));
    case state::Admission::kQueueFull:
      return absl::ResourceExhaustedError(
          absl::StrCat(lane_.waiting(), " of ", kMaxWaiting,
                       " commands wait in the session already"));
    case state::Admission::kBusy:
      return BusyError(host_.CurrentState());
  }
  return absl::InternalError("no such admission");
}

absl::Status Commands::Reserve(const v1::Start& request) {
  // So that its end can be told, whatever happens to the disk.
  BERTH_RETURN_IF_ERROR(journal_.Prepare());
  v1::JournalRecord record;
  v1::Reserved& reserved = *record.mutable_reserved();
  reserved.set_sequence(table_.last() + 1);
  reserved.set_command_id(request.command_id());
  reserved.set_digest(request.digest());
  reserved.set_what(ValidText(request.what(), kMaxWhat));
  reserved.set_at_ns(absl::GetCurrentTimeNanos());
  reserved.set_tells_handing_over(true);
  return journal_.Append(record);
}

// If the holder dies after this, nobody can know whether the command ran.
absl::Status Commands::RecordHandingOver(uint64_t sequence) {
  v1::JournalRecord record;
  record.mutable_handed_over()->set_sequence(sequence);
  return journal_.Append(record);
}

void Commands::Enqueue(uint64_t connection, Command& command,
                       uint64_t wait_ms) {
  uint64_t sequence = command.sequence;
  bool starting = shell_.state() == shell::ShellState::kStarting;
  command.active->wait_deadline =
      shell::MonotonicNow() +
      absl::Milliseconds(wait_ms == 0 && starting ? kStartingWaitMs : wait_ms);
  command.active->waits = wait_ms > 0 || starting;
  StartNext();
  // It may even have ended, if the shell is gone.
  Command* queued = FindActive(sequence);
  if (queued == nullptr || lane_.of(sequence) != state::Command::kQueued) {
    return;
  }
  if (queued->active->waits) LimitWait(*queued);
  SendQueued(connection, *queued);
  host_.OnCommandsChange();
}

void Commands::LimitWait(Command& command) {
  uint64_t sequence = command.sequence;
  if (command.active->wait_timer) loop_.Cancel(*command.active->wait_timer);
  absl::Duration left = command.active->wait_deadline - shell::MonotonicNow();
  command.active->wait_timer =
      loop_.After(left, [this, sequence] { GiveUpWaiting(sequence); });
}

// The command waits in the shell, so it has to be limited there as in the
// queue.
void Commands::OnOvertaken() {
  const Command* command = running();
  if (command == nullptr) return;
  if (!command->active->waits) return GiveUpWaiting(command->sequence);
  for (uint64_t connection : command->active->followers) {
    SendQueued(connection, *command);
  }
}

void Commands::SendQueued(uint64_t connection, const Command& command) {
  v1::Event event;
  event.mutable_queued()->set_sequence(command.sequence);
  *event.mutable_queued()->mutable_behind() = host_.CurrentState();
  host_.Send(connection, event);
}

void Commands::SendCredit(uint64_t sequence) {
  Command* command = FindActive(sequence);
  if (command == nullptr || !command->active->stdin_pipe ||
      lane_.of(sequence) != state::Command::kStarted) {
    return;
  }
  v1::Event event;
  event.mutable_stdin_credit()->set_sequence(sequence);
  event.mutable_stdin_credit()->set_limit(command->active->stdin_pipe->limit());
  Broadcast(*command, event);
}

void Commands::GiveUpWaiting(uint64_t sequence) {
  Command* command = FindActive(sequence);
  if (command == nullptr) return;
  command->active->wait_timer.reset();
  absl::Status why = BusyError(host_.CurrentState());
  if (lane_.WayBackOf(sequence, Readiness()) != state::WayBack::kAskShell) {
    return TakeBack(*command, why);
  }
  // It may have started just now. A shell that has not taken in what it was
  // sent, as while a command bound to a key runs, finds this when it does.
  shell_.Withdraw(sequence);
  if (!command->active->withdrawn.ok()) return EndUnstarted(*command, why);
  command->active->withdrawn = why;
  command->active->wait_deadline = shell::MonotonicNow() + kTakeTime;
  LimitWait(*command);
}

void Commands::TakeBack(Command& command, const absl::Status& why) {
  switch (lane_.WayBackOf(command.sequence, Readiness())) {
    case state::WayBack::kNow:
      return EndUnstarted(command, why);
    case state::WayBack::kNowAndTellShell:
      shell_.Withdraw(command.sequence);
      return EndUnstarted(command, why);
    case state::WayBack::kAskShell:
      return shell_.Withdraw(command.sequence);
    case state::WayBack::kTooLate:
      return;
  }
}

void Commands::StartNext() {
  while (const uint64_t next = lane_.Next(Readiness())) {
    absl::Duration noisy =
        terminal_.last_typed() + kQuiet - shell::MonotonicNow();
    if (noisy > absl::ZeroDuration()) {
      if (quiet_timer_) loop_.Cancel(*quiet_timer_);
      quiet_timer_ = loop_.After(noisy, [this] {
        quiet_timer_.reset();
        StartNext();
      });
      return;
    }
    Command& command = *table_.Find(next);
    absl::Status status = HandOver(command);
    if (!status.ok()) EndUnstarted(command, status);
  }
}

absl::Status Commands::OpenStreams(Command& command, shell::Run& run,
                                   OutputPipes::Writers& writers) {
  BERTH_ASSIGN_OR_RETURN(agent::CommandLog * log,
                         logs_.Create(command.sequence));
  BERTH_ASSIGN_OR_RETURN(
      command.active->output,
      OutputPipes::Create(loop_, command.sequence, *log, *this, writers));
  run.in = command.active->stdin_reader.valid()
               ? command.active->stdin_reader.get()
               : null_.get();
  run.out = writers.out.get();
  run.err = writers.err.get();
  return absl::OkStatus();
}

absl::Status Commands::HandOver(Command& command) {
  ActiveCommand& active = *command.active;
  if (active.wait_timer) loop_.Cancel(*active.wait_timer);
  active.wait_timer.reset();
  shell::Run run;
  OutputPipes::Writers writers;
  BERTH_RETURN_IF_ERROR(OpenStreams(command, run, writers));
  run.id = command.sequence;
  run.script = active.script.get();
  run.exit_ends_shell = active.exit_ends_session;
  for (const UniqueFd& secret : active.secrets) {
    run.secrets.push_back(secret.get());
  }
  BERTH_RETURN_IF_ERROR(RecordHandingOver(command.sequence));
  PausePoint("holder.run.recorded");
  NoteTerminal(command);
  if (!Step(command.sequence, state::CommandEvent::kHandOver)) {
    return absl::InternalError("the command can't be handed over");
  }
  overtaken_ = false;
  BERTH_RETURN_IF_ERROR(shell_.Start(run));
  PausePoint("holder.run.sent");
  active.script.reset();
  active.stdin_reader.reset();
  active.secrets.clear();
  // A shell at its prompt takes it at once, but for what readline can be busy
  // with, such as a command bound to a key.
  active.wait_deadline =
      std::max(active.wait_deadline, shell::MonotonicNow() + kTakeTime);
  if (IsRunning(&command)) LimitWait(command);
  return absl::OkStatus();
}

}  // namespace berth::holder

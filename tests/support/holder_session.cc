#include "tests/support/holder_session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/log/log_reader.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "base/uuid.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using holder::v1::Event;
using holder::v1::HolderStart;
using holder::v1::HolderStarted;
using holder::v1::Request;
using holder::v1::State;

// How long one packet's worth of input may be.
constexpr size_t kInputPiece = 60 * 1024;

size_t FrameSize(absl::string_view header) {
  size_t size = 0;
  for (int i = 3; i >= 0; --i)
    size = size << 8 | static_cast<unsigned char>(header[i]);
  return size;
}

std::string Tail(const std::string& text, size_t size) {
  return absl::CHexEscape(text.size() > size ? text.substr(text.size() - size)
                                             : text);
}

absl::Status FromRefused(const holder::v1::Refused& refused) {
  return absl::Status(static_cast<absl::StatusCode>(refused.code()),
                      refused.message());
}

}  // namespace

std::string HolderProgram() {
  const char* program = getenv("BERTH_HOLDER");
  return program != nullptr ? program : "BERTH_HOLDER is not set";
}

std::string Frame(absl::string_view message) {
  uint32_t size = static_cast<uint32_t>(message.size());
  std::string frame(4, '\0');
  for (int i = 0; i < 4; ++i) frame[i] = static_cast<char>(size >> (8 * i));
  return absl::StrCat(frame, message);
}

// --- Life.

absl::StatusOr<std::unique_ptr<HolderSession>> HolderSession::Start(
    const Options& options) {
  std::unique_ptr<HolderSession> session(new HolderSession());
  BERTH_RETURN_IF_ERROR(session->Launch(options));
  BERTH_RETURN_IF_ERROR(session->Open(options.wait_idle));
  return session;
}

absl::Status HolderSession::Launch(const Options& options) {
  directory_ = temp_.path() + "/s";
  home_ = temp_.path() + "/home";
  mkdir(directory_.c_str(), 0700);
  mkdir(home_.c_str(), 0700);
  WriteTextFile(home_ + "/.bashrc", options.bashrc);
  WriteTextFile(home_ + "/.zshrc", options.zshrc);
  Process::Options program;
  program.argv = {HolderProgram()};
  program.stderr_path = temp_.path() + "/holder.log";
  BERTH_ASSIGN_OR_RETURN(process_, Process::Start(program));

  HolderStart start;
  start.set_version(2);
  start.set_instance_id(NewUuid());
  start.set_directory(directory_);
  start.set_kind(options.kind);
  start.set_shell(options.shell);
  for (const std::string& argument : options.arguments)
    start.add_arguments(argument);
  start.add_environment("HOME=" + home_);
  start.add_environment("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
  start.add_environment("TERM=xterm");
  start.add_environment("LANG=C.UTF-8");
  for (const std::string& variable : options.environment)
    start.add_environment(variable);
  start.set_cwd(home_);
  start.set_log_limit(options.log_limit);
  start.set_when_full(options.when_full);
  start.set_rows(24);
  start.set_columns(100);
  start.set_hello_timeout_ms(
      static_cast<uint32_t>(absl::ToInt64Milliseconds(options.hello_timeout)));
  if (options.change_start) options.change_start(start);
  BERTH_RETURN_IF_ERROR(process_->Write(Frame(start.SerializeAsString())));
  process_->CloseStdin();
  BERTH_ASSIGN_OR_RETURN(std::string header, process_->ReadExactly(4));
  BERTH_ASSIGN_OR_RETURN(std::string message,
                         process_->ReadExactly(FrameSize(header)));
  HolderStarted started;
  if (!started.ParseFromString(message)) {
    return absl::DataLossError("the holder's answer is no HolderStarted");
  }
  if (!started.error().empty()) {
    return absl::FailedPreconditionError(started.error());
  }
  shell_pid_ = static_cast<pid_t>(started.shell_pid());
  holder_pid_ = static_cast<pid_t>(started.holder_pid());
  return absl::OkStatus();
}

absl::Status HolderSession::Open(bool wait_idle) {
  char path[PATH_MAX] = {};
  // 255 is where bash keeps its terminal; 0 may be anything by now.
  for (const char* fd : {"255", "0"}) {
    std::string link = absl::StrCat("/proc/", shell_pid_, "/fd/", fd);
    if (readlink(link.c_str(), path, sizeof path - 1) > 0 &&
        absl::StartsWith(path, "/dev/pts/")) {
      break;
    }
  }
  terminal_path_ = path;
  BERTH_RETURN_IF_ERROR(Reconnect());
  return wait_idle ? WaitState(State::IDLE) : absl::OkStatus();
}

HolderSession::~HolderSession() {
  End().IgnoreError();  // Who wants to know calls it.
  // Only if it is the holder still, and not one that got its number.
  if (holder_pid_ > 0 && ProcessName(holder_pid_) == "berth-holder") {
    kill(holder_pid_, SIGKILL);
  }
  if (shell_pid_ > 0) {
    for (pid_t pid : ProcessesOfSession(shell_pid_)) kill(pid, SIGKILL);
  }
}

absl::Status HolderSession::End() {
  if (holder_pid_ <= 0) return absl::OkStatus();
  if (!gone()) {
    Request request;
    request.mutable_terminate()->set_reason(1);
    absl::Status sent = client_->Send(request);
    if (sent.ok()) BERTH_RETURN_IF_ERROR(WaitGone());
  }
  std::string left;
  for (absl::Time end = absl::Now() + absl::Seconds(5); absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(2))) {
    left.clear();
    for (pid_t pid :
         ProcessesOfSession(shell_pid_ > 0 ? shell_pid_ : holder_pid_)) {
      absl::StrAppend(&left, " ", pid, " (", ProcessName(pid), ")");
    }
    if (ProcessName(holder_pid_) == "berth-holder" &&
        ProcessLives(holder_pid_)) {
      absl::StrAppend(&left, " ", holder_pid_, " (the holder)");
    }
    if (left.empty()) return absl::OkStatus();
  }
  return absl::DeadlineExceededError(
      absl::StrCat("processes stay after the session:", left));
}

absl::StatusOr<HolderClient> HolderSession::Connect() const {
  return HolderClient::Connect(directory_ + "/socket");
}

absl::Status HolderSession::Reconnect() {
  BERTH_ASSIGN_OR_RETURN(HolderClient client, Connect());
  client_ = std::make_unique<HolderClient>(std::move(client));
  Request attach, watch;
  attach.mutable_attach();
  watch.mutable_watch_terminal()->set_from_offset(terminal_end_);
  BERTH_RETURN_IF_ERROR(client_->Send(attach));
  // A restricted session has neither shell nor terminal.
  if (shell_pid_ > 0) BERTH_RETURN_IF_ERROR(client_->Send(watch));
  return Sync();
}

absl::Status HolderSession::WaitGone(absl::Duration limit) {
  return WaitUntil([] { return false; }, "", limit).code() ==
                 absl::StatusCode::kUnavailable
             ? absl::OkStatus()
             : absl::DeadlineExceededError(
                   absl::StrCat("the holder stays: ", Describe()));
}

// --- Taking in events.

std::string HolderSession::Describe() const {
  std::string text = absl::StrCat("state ", state_.kind(), " '", state_.what(),
                                  "', ", state_.queued(), " queued, ", prompts_,
                                  " prompts; terminal ends with \"",
                                  Tail(terminal_, 300), "\"");
  if (!notices_.empty()) {
    absl::StrAppend(&text, "; notices: ", absl::StrJoin(notices_, " | "));
  }
  std::string log = ReadTextFile(temp_.path() + "/holder.log");
  if (!log.empty()) absl::StrAppend(&text, "; holder: ", Tail(log, 400));
  return text;
}

absl::Status HolderSession::TakeIn(absl::Duration limit) {
  if (!client_) return absl::UnavailableError("not connected");
  absl::StatusOr<Event> event = client_->Next(limit);
  if (absl::IsDeadlineExceeded(event.status())) return absl::OkStatus();
  if (!event.ok()) return event.status();
  Handle(*event);
  return SendInput();
}

absl::Status HolderSession::WaitUntil(absl::FunctionRef<bool()> done,
                                      absl::string_view what,
                                      absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!done()) {
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat(what, " did not come in ", absl::FormatDuration(limit),
                       "; ", Describe()));
    }
    absl::Status status =
        TakeIn(std::min(deadline - absl::Now(), absl::Milliseconds(50)));
    if (!status.ok()) {
      if (done()) return absl::OkStatus();
      return absl::Status(status.code(),
                          absl::StrCat(status.message(), " while waiting for ",
                                       what, "; ", Describe()));
    }
  }
  return absl::OkStatus();
}

void HolderSession::Idle(absl::Duration time) {
  const absl::Time end = absl::Now() + time;
  while (absl::Now() < end && TakeIn(end - absl::Now()).ok()) {
  }
}

void HolderSession::Handle(const Event& event) {
  switch (event.event_case()) {
    case Event::kState:
      HandleState(event.state());
      break;
    case Event::kTerminalOutput:
      HandleTerminal(event.terminal_output());
      break;
    case Event::kTerminalScreen:
      HandleScreen(event.terminal_screen());
      break;
    case Event::kQueued:
    case Event::kStarted:
    case Event::kRefused:
      HandleAnswer(event);
      break;
    case Event::kAdvanced: {
      Command& command = commands_[event.advanced().sequence()];
      command.logged = std::max(command.logged, event.advanced().offset());
      if (command.streamed) {
        absl::Status taken =
            TakeOutput(event.advanced().sequence(), command.logged);
        if (!taken.ok()) notices_.push_back(std::string(taken.message()));
      }
      break;
    }
    case Event::kStdinCredit:
      commands_[event.stdin_credit().sequence()].input_credit =
          event.stdin_credit().limit();
      break;
    case Event::kEnded: {
      Command& command = commands_[event.ended().sequence()];
      command.ended = event.ended();
      command.ended_at = absl::Now();
      command.logged = std::max(command.logged, event.ended().end_offset());
      command.input_open = false;
      break;
    }
    case Event::kNotice:
      notices_.push_back(event.notice().text());
      break;
    case Event::kTerminalTaken:
    case Event::kExitTyped:
    case Event::EVENT_NOT_SET:
      break;
  }
}

void HolderSession::HandleState(const State& state) {
  ++states_;
  if (state_.kind() == State::TERMINAL && state.kind() != State::TERMINAL) {
    ++prompts_;
  }
  state_ = state;
}

void HolderSession::HandleTerminal(const holder::v1::TerminalOutput& output) {
  if (output.offset() + output.data().size() <= terminal_end_) return;
  // After Reconnect() it begins with what is still remembered.
  size_t known =
      output.offset() < terminal_end_ ? terminal_end_ - output.offset() : 0;
  terminal_ += output.data().substr(known);
  terminal_end_ = output.offset() + output.data().size();
}

void HolderSession::HandleScreen(const holder::v1::TerminalScreen& screen) {
  terminal_ += screen.data();
  if (screen.last()) terminal_end_ = screen.offset();
}

void HolderSession::HandleAnswer(const Event& event) {
  // The first answer to each start comes in the order of the starts.
  auto answer = [&](absl::StatusOr<uint64_t> sequence) {
    if (unanswered_.empty()) return false;
    if (sequence.ok()) commands_[*sequence].id = unanswered_.front();
    answers_.push_back(std::move(sequence));
    unanswered_.pop_front();
    return true;
  };
  if (event.has_queued()) {
    uint64_t sequence = event.queued().sequence();
    if (commands_[sequence].id.empty()) answer(sequence);
    commands_[sequence].behind = event.queued().behind();
  } else if (event.has_started()) {
    uint64_t sequence = event.started().sequence();
    Command& command = commands_[sequence];
    bool asked = !unanswered_.empty() &&
                 unanswered_.front() == event.started().command_id();
    if (command.id.empty() || asked) answer(sequence);
    command.started = event.started();
    command.behind.reset();
  } else {
    if (!unanswered_.empty() &&
        (event.refused().command_id().empty() ||
         unanswered_.front() == event.refused().command_id())) {
      answer(FromRefused(event.refused()));
      return;
    }
    for (auto& [sequence, command] : commands_) {
      if (command.id != event.refused().command_id() || command.ended) continue;
      if (command.started) {  // Some input of it, and not the command.
        notices_.push_back(event.refused().message());
      } else {
        command.refused = event.refused();
      }
    }
  }
}

// --- Commands.

absl::StatusOr<uint64_t> HolderSession::Submit(const Submission& submission) {
  BERTH_ASSIGN_OR_RETURN(UniqueFd script, MemoryFile(submission.script));
  Request request = StartRequest(
      submission.command_id.empty() ? NewUuid() : submission.command_id,
      submission.script);
  holder::v1::Start& start = *request.mutable_start();
  start.set_with_stdin(submission.input.has_value() || submission.more_input);
  start.set_wait_ms(
      static_cast<uint64_t>(absl::ToInt64Milliseconds(submission.wait)));
  start.set_timeout_ms(
      static_cast<uint64_t>(absl::ToInt64Milliseconds(submission.timeout)));
  start.set_exit_ends_session(submission.exit_ends_session);
  unanswered_.push_back(start.command_id());
  const absl::Time now = absl::Now();
  BERTH_RETURN_IF_ERROR(client_->Send(request, script.get()));
  BERTH_RETURN_IF_ERROR(
      WaitUntil([&] { return !answers_.empty(); }, "an answer to a start"));
  absl::StatusOr<uint64_t> sequence = std::move(answers_.front());
  answers_.pop_front();
  if (!sequence.ok()) return sequence;
  Command& command = commands_[*sequence];
  command.submitted_at = now;
  command.streamed = submission.streamed;
  if (start.with_stdin()) {
    command.input = submission.input.value_or("");
    command.input_open = true;
    if (!submission.more_input) Feed(*sequence, "", true);
  }
  return sequence;
}

absl::StatusOr<uint64_t> HolderSession::Follow(const std::string& command_id) {
  Request request;
  request.mutable_start()->set_command_id(command_id);
  request.mutable_start()->set_follow_only(true);
  unanswered_.push_back(command_id);
  BERTH_RETURN_IF_ERROR(client_->Send(request));
  BERTH_RETURN_IF_ERROR(
      WaitUntil([&] { return !answers_.empty(); }, "an answer to a follow"));
  absl::StatusOr<uint64_t> sequence = std::move(answers_.front());
  answers_.pop_front();
  return sequence;
}

absl::Status HolderSession::WaitStarted(uint64_t sequence,
                                        absl::Duration limit) {
  const Command& command = commands_[sequence];
  BERTH_RETURN_IF_ERROR(WaitUntil(
      [&] { return command.started || command.ended || command.refused; },
      "the start of a command", limit));
  if (command.refused) return FromRefused(*command.refused);
  return absl::OkStatus();
}

absl::StatusOr<HolderSession::Result> HolderSession::Wait(
    uint64_t sequence, absl::Duration limit) {
  Command& command = commands_[sequence];
  BERTH_RETURN_IF_ERROR(
      WaitUntil([&] { return command.ended || command.refused; },
                "the end of a command", limit));
  if (command.refused) return FromRefused(*command.refused);
  BERTH_RETURN_IF_ERROR(TakeOutput(sequence, command.ended->end_offset()));
  Result result;
  result.sequence = sequence;
  result.out = std::move(command.out);
  result.err = std::move(command.err);
  result.status = command.ended->exit_code();
  result.how = static_cast<How>(command.ended->how());
  result.cwd = command.ended->cwd();
  result.detail = command.ended->detail();
  result.gap = command.gap;
  result.took = command.ended_at - command.submitted_at;
  Acknowledge(sequence, command.taken, true).IgnoreError();
  return result;
}

absl::StatusOr<HolderSession::Result> HolderSession::Run(
    const Submission& submission, absl::Duration limit) {
  BERTH_ASSIGN_OR_RETURN(uint64_t sequence, Submit(submission));
  return Wait(sequence, limit);
}

absl::Status HolderSession::Interrupt(uint64_t sequence, bool force) {
  Request request;
  request.mutable_interrupt()->set_sequence(sequence);
  request.mutable_interrupt()->set_force(force);
  return client_->Send(request);
}

absl::Status HolderSession::Acknowledge(uint64_t sequence, uint64_t offset,
                                        bool ended) {
  if (gone()) return absl::UnavailableError("not connected");
  Request request;
  request.mutable_ack()->set_sequence(sequence);
  request.mutable_ack()->set_offset(offset);
  request.mutable_ack()->set_ended(ended);
  return client_->Send(request);
}

void HolderSession::Feed(uint64_t sequence, absl::string_view data, bool end) {
  Command& command = commands_[sequence];
  absl::StrAppend(&command.input, data);
  command.input_ends = command.input_ends || end;
  SendInput().IgnoreError();  // A holder that is gone is seen by what waits.
}

absl::Status HolderSession::SendInput() {
  for (auto& [sequence, command] : commands_) {
    while (command.input_open) {
      uint64_t left = command.input.size() - command.input_sent;
      uint64_t piece = std::min<uint64_t>(
          {left, kInputPiece,
           command.input_credit -
               std::min(command.input_credit, command.input_sent)});
      bool last = piece == left && command.input_ends;
      if (piece == 0 && !last) break;
      Request request;
      holder::v1::Stdin& input = *request.mutable_stdin();
      input.set_sequence(sequence);
      input.set_offset(command.input_sent);
      input.set_data(command.input.substr(command.input_sent, piece));
      input.set_eof(last);
      BERTH_RETURN_IF_ERROR(client_->Send(request));
      command.input_sent += piece;
      if (last) command.input_open = false;
    }
  }
  return absl::OkStatus();
}

void HolderSession::TakeWhileItComes(uint64_t sequence) {
  commands_[sequence].streamed = true;
  absl::Status taken = TakeOutput(sequence, commands_[sequence].logged);
  if (!taken.ok()) notices_.push_back(std::string(taken.message()));
}

absl::Status HolderSession::TakeOutput(uint64_t sequence, uint64_t to) {
  Command& command = commands_[sequence];
  if (to <= command.taken) return absl::OkStatus();
  BERTH_ASSIGN_OR_RETURN(Logged logged, ReadLog(sequence, command.taken, to));
  auto how = static_cast<How>(command.ended ? command.ended->how() : 0);
  bool may_lose = how == How::kInterrupted || how == How::kTimedOut ||
                  how == How::kShellEnded;
  if (logged.gap > 0 && !may_lose) {
    return absl::DataLossError(
        absl::StrCat(logged.gap, " bytes of output are gone"));
  }
  command.gap += logged.gap;
  command.out += logged.out;
  command.err += logged.err;
  command.taken = to;
  if (command.streamed) return Acknowledge(sequence, to, false);
  return absl::OkStatus();
}

absl::StatusOr<HolderSession::Logged> HolderSession::ReadLog(
    uint64_t sequence, uint64_t from, uint64_t to) const {
  using agent::LogReader;
  Logged logged;
  if (to <= from) return logged;
  BERTH_ASSIGN_OR_RETURN(LogReader reader,
                         LogReader::Open(directory_, sequence, from));
  std::string buffer(256 * 1024, '\0');
  while (reader.offset() < to) {
    BERTH_ASSIGN_OR_RETURN(LogReader::Chunk chunk,
                           reader.Read(absl::MakeSpan(buffer), to));
    switch (chunk.kind) {
      case LogReader::Chunk::kEnd:
        return absl::DataLossError(absl::StrCat("the log of command ", sequence,
                                                " ends at ", reader.offset(),
                                                ", before ", to));
      case LogReader::Chunk::kGap:
        logged.gap += chunk.length;
        break;
      case LogReader::Chunk::kData:
        (chunk.stream == agent::Stream::kStdout ? logged.out : logged.err)
            .append(buffer.data(), chunk.length);
        break;
    }
  }
  return logged;
}

absl::Status HolderSession::WaitOutput(uint64_t sequence,
                                       absl::string_view text,
                                       absl::Duration limit) {
  Command& command = commands_[sequence];
  uint64_t seen = 0;
  bool found = false;
  return WaitUntil(
      [&] {
        if (command.logged == seen) return found;
        seen = command.logged;
        absl::StatusOr<Logged> logged = ReadLog(sequence, 0, seen);
        found = logged.ok() && (absl::StrContains(logged->out, text) ||
                                absl::StrContains(logged->err, text));
        return found;
      },
      absl::StrCat("'", text, "' in the output"), limit);
}

// --- What the shell is doing.

absl::Status HolderSession::WaitState(State::Kind kind, absl::Duration limit) {
  return WaitUntil([&] { return state_.kind() == kind; },
                   absl::StrCat("state ", kind), limit);
}

absl::Status HolderSession::WaitPrompt(uint64_t before, absl::Duration limit) {
  return WaitUntil([&] { return prompts_ > before; }, "a new prompt", limit);
}

absl::Status HolderSession::Sync() {
  uint64_t before = states_;
  Request request;
  request.mutable_describe();
  BERTH_RETURN_IF_ERROR(client_->Send(request));
  return WaitUntil([&] { return states_ > before; }, "an answer to describe");
}

}  // namespace berth::testing

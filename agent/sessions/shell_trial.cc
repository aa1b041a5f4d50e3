#include "agent/sessions/shell_trial.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/holder/identity_file.h"
#include "agent/log/log_reader.h"
#include "agent/sessions/environment.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/holder_process.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::agent {
namespace {

constexpr char kPrefix[] = "trial-";
constexpr absl::Duration kLimit = absl::Seconds(10);
// The first waits for the start-up files, too.
constexpr absl::Duration kCaseLimit = absl::Seconds(6);
constexpr absl::Duration kHelloLimit = absl::Seconds(4);
constexpr absl::Duration kEndLimit = absl::Seconds(2);
constexpr uint64_t kLogLimit = 1 << 20;
// More output than this is wrong anyway.
constexpr size_t kMaxOutput = 4096;

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text), "'");
}

std::string Wanted(const ShellCase& it) {
  std::string text = absl::StrCat(v1::CommandEnded::How_Name(it.how), " with ",
                                  it.exit_code, ", stdout ", Quoted(it.out));
  if (it.err.has_value()) absl::StrAppend(&text, ", stderr ", Quoted(*it.err));
  if (it.cwd.has_value()) absl::StrAppend(&text, ", in ", Quoted(*it.cwd));
  return text;
}

// A session of its own for one shell.
class Trial {
 public:
  Trial(std::string shell, ShellKind kind, std::string directory)
      : shell_(std::move(shell)),
        kind_(kind),
        directory_(std::move(directory)) {}
  ~Trial();

  absl::Status Start(const std::string& holder);
  absl::Status Run(const ShellCase& it, absl::Time deadline);

 private:
  void AddKind(holder::v1::HolderStart& start) const;
  // What became of a case: its end as Wanted() says it, or why there is none.
  absl::StatusOr<std::string> Outcome(const ShellCase& it, absl::Time deadline);
  absl::StatusOr<holder::v1::Ended> Follow(const ShellCase& it,
                                           const std::string& id,
                                           absl::Time deadline);
  absl::Status SendStart(const ShellCase& it, const std::string& id);
  absl::Status SendInput(const ShellCase& it, uint64_t sequence);
  absl::Status SendInterrupt(uint64_t sequence);
  // Puts its output into out_ and err_.
  absl::Status ReadOutput(const holder::v1::Ended& ended);

  const std::string shell_;
  const ShellKind kind_;
  const std::string directory_;
  pid_t shell_pid_ = 0;
  std::optional<HolderConnection> connection_;
  std::string out_;
  std::string err_;
};

// There is nothing in it to be saved, so it is not asked to end: a shell may
// take a second for that.
Trial::~Trial() {
  const auto identity = holder::ReadIdentityFile(directory_ + "/holder");
  if (identity.ok()) {
    KillHolder(*identity, shell_pid_);
    WaitForExit(*identity, kEndLimit);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

// The kind, and what keeps start-up files and greetings away.
void Trial::AddKind(holder::v1::HolderStart& start) const {
  switch (kind_) {
    case ShellKind::kBash:
      start.set_kind(holder::v1::HolderStart::BASH);
      start.add_arguments("--norc");
      return;
    case ShellKind::kZsh:
      start.set_kind(holder::v1::HolderStart::ZSH);
      start.add_arguments("-d");
      return;
    case ShellKind::kPython:
      start.set_kind(holder::v1::HolderStart::PYTHON);
      start.add_arguments("-q");
      return;
    case ShellKind::kRestricted:
      start.set_kind(holder::v1::HolderStart::RESTRICTED);
      return;
  }
}

absl::Status Trial::Start(const std::string& holder) {
  // Without one, zsh asks its user for one.
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(directory_ + "/.zshrc", ""));
  const std::string id = NewUuid();
  // Its history file and the like go away with it.
  BERTH_ASSIGN_OR_RETURN(
      const ShellEnvironment environment,
      MakeShellEnvironment(OwnEnvironment(), {}, {{"HOME", directory_}}, shell_,
                           id));
  holder::v1::HolderStart start;
  start.set_version(2);
  start.set_instance_id(id);
  start.set_directory(directory_);
  start.set_shell(shell_);
  AddKind(start);
  for (const std::string& variable : environment.variables) {
    start.add_environment(variable);
  }
  start.set_cwd(directory_);
  start.set_log_limit(kLogLimit);
  start.set_when_full(holder::v1::HolderStart::DROP);
  start.set_rows(24);
  start.set_columns(80);
  start.set_hello_timeout_ms(absl::ToInt64Milliseconds(kHelloLimit));
  BERTH_ASSIGN_OR_RETURN(
      const holder::v1::HolderStarted started,
      StartHolder(holder, start, kHelloLimit + absl::Seconds(1)));
  shell_pid_ = started.shell_pid();
  BERTH_ASSIGN_OR_RETURN(connection_, HolderConnection::Connect(directory_));
  return absl::OkStatus();
}

absl::Status Trial::Run(const ShellCase& it, absl::Time deadline) {
  const absl::StatusOr<std::string> got =
      Outcome(it, std::min(deadline, MonotonicNow() + kCaseLimit));
  const std::string wanted = Wanted(it);
  if (got.ok() && *got == wanted) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the shell ", EscapeForTerminal(shell_),
      " can't host sessions: its self-test failed at '", it.name, "': wanted ",
      wanted, ", got ", got.ok() ? *got : got.status().message(),
      "; choose another shell in agent.toml"));
}

absl::StatusOr<std::string> Trial::Outcome(const ShellCase& it,
                                           absl::Time deadline) {
  const std::string id = NewUuid();
  BERTH_RETURN_IF_ERROR(SendStart(it, id));
  BERTH_ASSIGN_OR_RETURN(const holder::v1::Ended ended,
                         Follow(it, id, deadline));
  BERTH_RETURN_IF_ERROR(ReadOutput(ended));
  ShellCase got = it;
  got.how = static_cast<v1::CommandEnded::How>(ended.how());
  got.exit_code = ended.exit_code();
  got.out = out_;
  if (got.err.has_value()) got.err = err_;
  if (got.cwd.has_value()) got.cwd = ended.cwd();
  return Wanted(got);
}

absl::StatusOr<holder::v1::Ended> Trial::Follow(const ShellCase& it,
                                                const std::string& id,
                                                absl::Time deadline) {
  uint64_t sequence = 0;
  bool input_left = it.input.has_value();
  bool interrupt_left = it.interrupt;
  for (;;) {
    BERTH_ASSIGN_OR_RETURN(const holder::v1::Event event,
                           connection_->Receive(deadline - MonotonicNow()));
    if (event.has_refused() && event.refused().command_id() == id) {
      return absl::FailedPreconditionError(event.refused().message());
    }
    if (event.has_ended() && event.ended().command_id() == id) {
      return event.ended();
    }
    if (event.has_started() && event.started().command_id() == id) {
      sequence = event.started().sequence();
    }
    // Anything else may be about a case before, whose child still runs.
    if (input_left && event.stdin_credit().limit() > 0) {
      input_left = false;
      BERTH_RETURN_IF_ERROR(SendInput(it, event.stdin_credit().sequence()));
    }
    if (interrupt_left && sequence != 0 &&
        event.advanced().sequence() == sequence) {
      interrupt_left = false;
      BERTH_RETURN_IF_ERROR(SendInterrupt(sequence));
    }
  }
}

absl::Status Trial::SendStart(const ShellCase& it, const std::string& id) {
  BERTH_ASSIGN_OR_RETURN(const UniqueFd script, ScriptFile(it.script));
  holder::v1::Request request;
  holder::v1::Start& start = *request.mutable_start();
  start.set_command_id(id);
  start.set_what(std::string(it.script));
  start.set_with_stdin(it.input.has_value());
  start.set_wait_ms(absl::ToInt64Milliseconds(kCaseLimit));
  return connection_->Send(request, script.get());
}

absl::Status Trial::SendInput(const ShellCase& it, uint64_t sequence) {
  holder::v1::Request request;
  request.mutable_stdin()->set_sequence(sequence);
  request.mutable_stdin()->set_data(std::string(*it.input));
  request.mutable_stdin()->set_eof(true);
  return connection_->Send(request);
}

absl::Status Trial::SendInterrupt(uint64_t sequence) {
  holder::v1::Request request;
  request.mutable_interrupt()->set_sequence(sequence);
  return connection_->Send(request);
}

absl::Status Trial::ReadOutput(const holder::v1::Ended& ended) {
  out_.clear();
  err_.clear();
  BERTH_ASSIGN_OR_RETURN(LogReader reader,
                         LogReader::Open(directory_, ended.sequence(), 0));
  char buffer[kMaxOutput];
  while (out_.size() + err_.size() < kMaxOutput) {
    BERTH_ASSIGN_OR_RETURN(
        const LogReader::Chunk chunk,
        reader.Read(absl::MakeSpan(buffer), ended.end_offset()));
    if (chunk.kind == LogReader::Chunk::kEnd) break;
    if (chunk.kind == LogReader::Chunk::kGap) {
      return absl::DataLossError("a gap in its output");
    }
    (chunk.stream == Stream::kStderr ? err_ : out_)
        .append(buffer, chunk.length);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TryShell(const std::string& shell, const std::string& holder,
                      const std::string& directory,
                      absl::Span<const ShellCase> cases, ShellKind kind) {
  std::string own = absl::StrCat(directory, "/", kPrefix, "XXXXXX");
  if (mkdtemp(own.data()) == nullptr) return ErrnoToStatus(errno, own);
  Trial trial(shell, kind, own);
  const absl::Time deadline = MonotonicNow() + kLimit;
  BERTH_RETURN_IF_ERROR(trial.Start(holder));
  for (const ShellCase& it : cases) {
    BERTH_RETURN_IF_ERROR(trial.Run(it, deadline));
  }
  return absl::OkStatus();
}

void EndLeftTrials(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, ignored)) {
    if (!absl::StartsWith(entry.path().filename().string(), kPrefix)) continue;
    const auto identity = holder::ReadIdentityFile(entry.path() / "holder");
    // Its shell ends with it.
    if (identity.ok()) KillHolder(*identity, 0);
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace berth::agent

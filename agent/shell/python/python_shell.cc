#include "agent/shell/python/python_shell.h"

#include <signal.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "agent/shell/memory_file.h"
#include "agent/shell/socket_channel.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

constexpr unsigned char kStartup[] = {
#include "agent/shell/python/startup.inc"
};

constexpr unsigned char kSession[] = {
#include "agent/shell/python/session.inc"
};

template <size_t kSize>
absl::string_view Text(const unsigned char (&bytes)[kSize]) {
  return absl::string_view(reinterpret_cast<const char*>(bytes), kSize);
}

// The second of the inherited descriptors.
constexpr char kStartupPath[] = "/proc/self/fd/4";
// A signal that comes in the moment before Python begins to wait wakes it only
// at the next key.
constexpr absl::Duration kFirstPoke = absl::Milliseconds(5);
constexpr absl::Duration kLastPoke = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<Shell>> PythonShell::Create(
    TerminalProcessOptions options, ShellObserver& observer) {
  BERTH_ASSIGN_OR_RETURN(UniqueFd startup,
                         NewMemoryFile("startup", Text(kStartup)));
  BERTH_ASSIGN_OR_RETURN(UniqueFd session,
                         NewMemoryFile("session", Text(kSession)));
  UniqueFd peer;
  BERTH_ASSIGN_OR_RETURN(std::unique_ptr<SocketChannel> channel,
                         SocketChannel::Open(peer));
  std::optional<std::string> before =
      SetVariable(options.environment, "PYTHONSTARTUP", kStartupPath);
  if (before) SetVariable(options.environment, "BERTH_PYTHONSTARTUP", *before);
  // The prompt of 3.13 is written in Python, which can't be told from a
  // program.
  before = SetVariable(options.environment, "PYTHON_BASIC_REPL", "1");
  if (before) SetVariable(options.environment, "BERTH_BASIC_REPL", "1");
  AddDefaultTerm(options.environment);
  options.inherited = {peer.get(), startup.get(), session.get()};
  BERTH_ASSIGN_OR_RETURN(TerminalProcess process, StartOnTerminal(options));
  return std::unique_ptr<Shell>(
      new PythonShell(std::move(process), std::move(channel), observer));
}

std::string PythonShell::DescribeSilence() const {
  return "it runs, but did not execute PYTHONSTARTUP (is it a Python, and is "
         "it "
         "started without -E, -I, -c or a script?)";
}

void PythonShell::Interrupt(uint64_t id, bool force) {
  Send(BERTH_INTERRUPT, id, force ? BERTH_INTERRUPT_FORCE : 0);
  Wake();
}

void PythonShell::Wake() { kill(pid(), SIGURG); }

absl::Duration PythonShell::Poke(int attempt) {
  if (state() != ShellState::kSent) return absl::InfiniteDuration();
  if (attempt > 0) Wake();
  return std::min(kFirstPoke * (1 << std::min(attempt, 10)), kLastPoke);
}

}  // namespace berth::shell

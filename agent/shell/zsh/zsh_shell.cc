#include "agent/shell/zsh/zsh_shell.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "agent/shell/zsh/pipe_channel.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

constexpr unsigned char kGlue[] = {
#include "agent/shell/zsh/glue.inc"
};

// What glue.zsh binds: a function key that no terminal has.
constexpr absl::string_view kKey = "\x1b[5731~";
// While something typed runs, zsh tells when it is done; unless the user has
// taken that away, or left a sequence of keys unfinished. So it is asked too,
// less and less often: answers wait in a pipe.
constexpr absl::Duration kFirstQuery = absl::Milliseconds(20);
constexpr absl::Duration kLastQuery = absl::Seconds(2);
constexpr int kMaxQueries = 20;

// A directory that only who is given its descriptor can reach, as the one above
// it is private; and then read, as zsh may run as another user.
absl::StatusOr<UniqueFd> MakeStartUp(const std::string& directory) {
  const std::string path = directory + "/zsh";
  if ((mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) ||
      chmod(path.c_str(), 0755) != 0) {
    return ErrnoToStatus(errno, path);
  }
  const std::string file = path + "/.zshenv";
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(
      file,
      absl::string_view(reinterpret_cast<const char*>(kGlue), sizeof(kGlue))));
  if (chmod(file.c_str(), 0644) != 0) return ErrnoToStatus(errno, file);
  UniqueFd fd(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, path);
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shell>> ZshShell::Create(
    TerminalProcessOptions options, const std::string& directory,
    ShellObserver& observer) {
  BERTH_ASSIGN_OR_RETURN(const UniqueFd start_up, MakeStartUp(directory));
  UniqueFd requests;
  UniqueFd answers;
  BERTH_ASSIGN_OR_RETURN(std::unique_ptr<PipeChannel> channel,
                         PipeChannel::Open(requests, answers));
  if (options.credentials) {
    BERTH_RETURN_IF_ERROR(channel->UsePorter(options));
  }
  std::optional<std::string> before =
      SetVariable(options.environment, "ZDOTDIR", "/proc/self/fd/5");
  if (before) SetVariable(options.environment, "BERTH_ZDOTDIR", *before);
  AddDefaultTerm(options.environment);
  options.inherited = {requests.get(), answers.get(), start_up.get()};
  BERTH_ASSIGN_OR_RETURN(TerminalProcess process, StartOnTerminal(options));
  return std::unique_ptr<Shell>(
      new ZshShell(std::move(process), std::move(channel), observer));
}

std::string ZshShell::DescribeSilence() const {
  return "it runs, but did not read its first start-up file (is it a zsh, is "
         "it "
         "started with -f, or does /etc/zsh/zshenv set ZDOTDIR?)";
}

// At the end of a run zsh ignores SIGINT until it knows that none will follow.
// The other signal comes only if that one did not do: zsh calls its trap in the
// middle of anything, and may write again what it was just writing.
void ZshShell::Interrupt(uint64_t, bool force) {
  kill(pid(), SIGINT);
  if (interrupts_++ > 0 && force) kill(pid(), SIGURG);
}

absl::Duration ZshShell::Poke(int attempt) {
  if (attempt == 0) {
    key_pressed_ = false;
    interrupts_ = 0;
  }
  const bool busy =
      state() == ShellState::kUserBusy || state() == ShellState::kOvertaken;
  if (!busy || attempt > kMaxQueries) return absl::InfiniteDuration();
  if (attempt > 0) Send(BERTH_QUERY, 0);
  return std::min(kFirstQuery * (1 << std::min(attempt, 10)), kLastQuery);
}

// It knows of the run already, and has to be made to look at its prompt.
void ZshShell::OnPromptBeforeRun() { Send(BERTH_QUERY, 0); }

void ZshShell::OnReady() {
  if (key_pressed_) return;
  key_pressed_ = write(terminal(), kKey.data(), kKey.size()) > 0;
}

}  // namespace berth::shell

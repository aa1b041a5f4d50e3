#include "agent/shell/bash_shell.h"

#include <signal.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/shell/hook_image.h"
#include "agent/shell/hookable.h"
#include "agent/shell/socket_channel.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// Where Spawn() puts the inherited descriptors.
constexpr int kControlFd = 3;
constexpr int kHookFd = 4;

// Adds what the hook needs; it takes it out again before bash looks.
void AddHook(std::vector<std::string>& environment) {
  std::string preload = absl::StrCat("LD_PRELOAD=/proc/self/fd/", kHookFd);
  bool has_preload = false;
  for (std::string& entry : environment) {
    absl::string_view value = entry;
    if (!has_preload && absl::ConsumePrefix(&value, "LD_PRELOAD=")) {
      entry = absl::StrCat(preload, ":", value);
      has_preload = true;
    }
  }
  if (!has_preload) environment.push_back(std::move(preload));
  environment.push_back(absl::StrCat("BERTH_CTL=", kControlFd));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shell>> BashShell::Create(
    TerminalProcessOptions options, ShellObserver& observer) {
  BERTH_RETURN_IF_ERROR(CheckHookable(options.program));
  BERTH_ASSIGN_OR_RETURN(UniqueFd hook, NewHookImage());
  UniqueFd peer;
  BERTH_ASSIGN_OR_RETURN(std::unique_ptr<SocketChannel> channel,
                         SocketChannel::Open(peer));
  AddHook(options.environment);
  AddDefaultTerm(options.environment);
  options.inherited = {peer.get(), hook.get()};
  BERTH_ASSIGN_OR_RETURN(TerminalProcess process, StartOnTerminal(options));
  return std::unique_ptr<Shell>(
      new BashShell(std::move(process), std::move(channel), observer));
}

std::string BashShell::DescribeSilence() const {
  return "it runs, but did not load the hook (is it a wrapper that starts "
         "another shell, or is LD_PRELOAD ignored for it?)";
}

void BashShell::SetExitLeaves(bool leaves) {
  Send(BERTH_VISIT, 0, leaves ? BERTH_VISIT_EXIT_LEAVES : 0);
}

// The hook's handler of SIGURG acts as if SIGINT had come, but only while this
// very run is executed.
void BashShell::Interrupt(uint64_t id, bool force) {
  sigval value;
  value.sival_ptr = reinterpret_cast<void*>(id << 1 | (force ? 1 : 0));
  sigqueue(pid(), SIGURG, value);
}

}  // namespace berth::shell

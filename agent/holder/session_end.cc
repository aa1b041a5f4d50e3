#include "agent/holder/session_end.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "agent/shell/monotonic.h"
#include "agent/shell/processes.h"

namespace berth::holder {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(1);
// A process in an uninterruptible wait dies when that is over.
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr absl::Duration kPoll = absl::Milliseconds(20);

// Whether any process of the session is left: this one is a subreaper, so
// whatever descends from it has an ancestor among its children.
bool IsEmpty() {
  siginfo_t info;
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 &&
         errno == ECHILD;
}

// A look at all processes costs more the more sessions there are, so it is for
// kernels alone that do not tell children.
std::vector<pid_t> Members(pid_t shell) {
  std::vector<pid_t> members = shell::DescendantsOf(getpid());
  static const bool knows = access("/proc/thread-self/children", R_OK) == 0;
  if (knows) return members;
  return shell::SessionMembers(shell::AllProcesses(), shell, getpid());
}

}  // namespace

void SessionEnd::Begin() {
  if (begun_) return;
  begun_ = true;
  kill_at_ = shell::MonotonicNow() + kGrace;
  give_up_at_ = kill_at_ + kPatience;
  Step();
}

void SessionEnd::Ask(const std::vector<pid_t>& members) {
  for (pid_t pid : members) {
    if (!asked_.insert(pid).second) continue;
    kill(pid, SIGHUP);
    kill(pid, SIGCONT);  // A stopped one could not act on it.
  }
}

void SessionEnd::OnChildEnded() {
  if (begun_ && !done_ && IsEmpty()) {
    done_ = true;
    on_done_();
  }
}

void SessionEnd::Step() {
  if (done_) return;
  absl::Time now = shell::MonotonicNow();
  if (IsEmpty() || now >= give_up_at_) {
    done_ = true;
    return on_done_();
  }
  std::vector<pid_t> members = Members(shell_);
  // Some may have been made since.
  Ask(members);
  if (now >= kill_at_) {
    for (pid_t pid : members) kill(pid, SIGKILL);
  }
  loop_.After(kPoll, [this] { Step(); });
}

}  // namespace berth::holder

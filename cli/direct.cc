#include "cli/direct.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/tls/credentials.h"
#include "cli/client/connector.h"
#include "cli/commands/command.h"

namespace berth::cli {
namespace {

Signal ToSignal(int number) {
  switch (number) {
    case SIGINT:
      return Signal::kInterrupt;
    case SIGTERM:
      return Signal::kTerminate;
    case SIGWINCH:
      return Signal::kResized;
    case SIGCONT:
      return Signal::kContinued;
    default:
      return Signal::kHangup;
  }
}

// The program gets signals as this one got them.
absl::Status Execute(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  execv(argv[0], argv.data());
  return ErrnoToStatus(errno, command.front());
}

}  // namespace

int RunDirectly(Invocation::Params params) {
  return RunDirectly(std::move(params), RunCommandLine);
}

int RunDirectly(Invocation::Params params, int (*command)(Invocation&)) {
  // Every thread inherits the mask, so that only sigwait() sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT}) {
    sigaddset(&signals, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  InitTls();
  InitForBulk(16 << 20);
  static DirectConnector connector;
  // Not destroyed: the thread that waits for signals ends with the process.
  auto& invocation = *new Invocation(std::move(params), connector);
  std::thread([signals, &invocation] {
    for (int number = 0; sigwait(&signals, &number) == 0;) {
      invocation.signals().Post(ToSignal(number));
    }
  }).detach();
  invocation.OnSuspend([] { raise(SIGSTOP); });
  invocation.OnBecome(Execute);
  return command(invocation);
}

}  // namespace berth::cli

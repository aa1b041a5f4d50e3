#include "cli/direct.h"

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

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

}  // namespace

int RunDirectly(Invocation::Params params) {
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
  return RunCommandLine(invocation);
}

}  // namespace berth::cli

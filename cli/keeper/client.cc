#include "cli/keeper/client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "cli/config/paths.h"
#include "cli/keeper/build_id.h"
#include "cli/keeper/frame.h"
#include "cli/keeper/invoke.h"
#include "cli/keeper/keeper.pb.h"
#include "cli/keeper/socket.h"
#include "cli/keeper/start.h"
#include "cli/render/duration.h"
#include "cli/terminal/saved_terminal.h"

namespace berth::cli {
namespace {

// How long another process may take to start the keeper that we saw coming.
constexpr int kConnectAttempts = 50;
constexpr int kConnectPauseMs = 10;

// Waiting for an answer about the keeper itself.
constexpr int kControlTimeoutMs = 5000;

std::string Encode(keeper::ClientMessage message) {
  message.set_build_id(BuildId());
  return EncodeFrame(message.SerializeAsString());
}

absl::StatusOr<UniqueFd> ConnectOrStart(const std::string& directory,
                                        const Environment& environment) {
  const std::string path = SocketPath(directory);
  absl::StatusOr<UniqueFd> socket = ConnectTo(path);
  if (!absl::IsNotFound(socket.status())) return socket;
  const absl::Status started = StartKeeper(directory, environment);
  if (started.ok()) return ConnectTo(path);
  if (!absl::IsUnavailable(started)) return started;
  for (int i = 0; i < kConnectAttempts; ++i) {
    socket = ConnectTo(path);
    if (!absl::IsNotFound(socket.status())) break;
    poll(nullptr, 0, kConnectPauseMs);
  }
  return socket;
}

// The signals that are passed on, as a descriptor.
UniqueFd CatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT}) {
    sigaddset(&signals, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

keeper::SignalKind ToKind(uint32_t number) {
  switch (number) {
    case SIGINT:
      return keeper::SIGNAL_KIND_INTERRUPT;
    case SIGTERM:
      return keeper::SIGNAL_KIND_TERMINATE;
    case SIGWINCH:
      return keeper::SIGNAL_KIND_RESIZED;
    case SIGCONT:
      return keeper::SIGNAL_KIND_CONTINUED;
    default:
      return keeper::SIGNAL_KIND_HANGUP;
  }
}

void PassSignal(int signals, int socket) {
  signalfd_siginfo info;
  if (read(signals, &info, sizeof(info)) != sizeof(info)) return;
  keeper::ClientMessage message;
  message.set_signal(ToKind(info.ssi_signo));
  // A keeper that is gone is noticed by reading.
  SendAll(socket, Encode(message)).IgnoreError();
}

// Waits for a message; `signals` may be -1. Unavailable: the keeper is gone.
absl::StatusOr<keeper::KeeperMessage> WaitForMessage(FrameDecoder& decoder,
                                                     int socket, int signals,
                                                     int timeout_ms) {
  for (;;) {
    BERTH_ASSIGN_OR_RETURN(const std::optional<std::string> frame,
                           decoder.Next());
    if (frame) {
      keeper::KeeperMessage message;
      if (message.ParseFromString(*frame)) return message;
      return absl::InvalidArgumentError("a message that can't be parsed");
    }
    pollfd fds[] = {{socket, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(fds, 2, timeout_ms) == 0) {
      return absl::DeadlineExceededError("no answer from the keeper");
    }
    if (fds[1].revents != 0) PassSignal(signals, socket);
    if (fds[0].revents == 0) continue;
    BERTH_ASSIGN_OR_RETURN(const Received received, Receive(socket));
    if (received.data.empty()) {
      return absl::UnavailableError("the keeper ended unexpectedly");
    }
    decoder.Add(received.data);
  }
}

void Tell(absl::string_view text) {
  fprintf(stderr, "berth: %s\n", EscapeForTerminal(text).c_str());
}

void Print(const keeper::Status& status) {
  printf("Process:  %u\nRunning:  %s\nCommands: %u\nIdle end: %s\n",
         status.pid(),
         ShortDuration(absl::Seconds(status.age_seconds())).c_str(),
         status.commands(),
         ShortDuration(absl::Seconds(status.idle_seconds())).c_str());
  for (const std::string& broker : status.brokers()) {
    printf("Broker:   %s\n", EscapeForTerminal(broker).c_str());
  }
}

// After a stop: the keeper's end closes its side.
void WaitForEnd(int socket) {
  pollfd readable = {socket, POLLIN, 0};
  poll(&readable, 1, kControlTimeoutMs);
}

}  // namespace

std::optional<int> RunInKeeper(const Invocation::Params& params) {
  const auto directory = RuntimeDirectory(params.environment);
  if (!directory.ok()) return std::nullopt;
  keeper::ClientMessage message;
  *message.mutable_invoke() = ToInvoke(params);
  const std::string frame = Encode(std::move(message));
  if (frame.size() > kMaxFrame) return std::nullopt;
  const auto socket = ConnectOrStart(*directory, params.environment);
  if (!socket.ok()) return std::nullopt;
  const UniqueFd signals = CatchSignals();
  // In case the keeper dies while it has the terminal.
  const SavedTerminal terminal(params.in, params.out);
  if (!SendAll(socket->get(), frame, {params.in, params.out, params.err})
           .ok()) {
    return std::nullopt;
  }
  FrameDecoder decoder;
  auto answer = WaitForMessage(decoder, socket->get(), signals.get(), -1);
  while (answer.ok() && answer->has_suspend()) {
    // Going on is a signal, and passed on as one.
    raise(SIGSTOP);
    answer = WaitForMessage(decoder, socket->get(), signals.get(), -1);
  }
  if (!answer.ok()) {
    terminal.Restore();
    Tell(absl::StrCat(answer.status().message(),
                      "; see 'berth ls' for what became of the command"));
    return 125;
  }
  if (!answer->has_exit()) return std::nullopt;
  return answer->exit().status();
}

int RunKeeperCommand(const Invocation::Params& params) {
  const std::string verb = params.args.size() == 2 ? params.args[1] : "";
  if (verb != "status" && verb != "stop") {
    Tell("usage: berth keeper status | berth keeper stop");
    return 1;
  }
  const auto directory = RuntimeDirectory(params.environment);
  if (!directory.ok()) {
    Tell(directory.status().message());
    return 1;
  }
  const auto socket = ConnectTo(SocketPath(*directory));
  if (!socket.ok()) {
    printf("No keeper runs.\n");
    return verb == "stop" ? 0 : 1;
  }
  keeper::ClientMessage message;
  message.set_control(verb == "stop" ? keeper::CONTROL_KIND_STOP
                                     : keeper::CONTROL_KIND_STATUS);
  absl::Status status = SendAll(socket->get(), Encode(message));
  FrameDecoder decoder;
  const auto answer =
      WaitForMessage(decoder, socket->get(), -1, kControlTimeoutMs);
  if (!answer.ok()) {
    Tell(answer.status().message());
    return 1;
  }
  if (verb == "status") {
    Print(answer->status());
  } else if (answer->status().commands() > 0) {
    printf("The keeper ends when %u commands have ended.\n",
           answer->status().commands());
  } else {
    WaitForEnd(socket->get());
  }
  return 0;
}

}  // namespace berth::cli

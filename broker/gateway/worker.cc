#include "broker/gateway/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <utility>

#include "base/files.h"
#include "base/status_macros.h"
#include "broker/gateway/thread.h"

namespace berth::gateway {
namespace {

absl::Status MakePipe(UniqueFd& read_end, UniqueFd& write_end) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoToStatus(errno, "making a pipe");
  read_end.reset(fds[0]);
  write_end.reset(fds[1]);
  return absl::OkStatus();
}

void SetNonBlocking(const UniqueFd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

}  // namespace

absl::Status Worker::MakePipes() {
  BERTH_RETURN_IF_ERROR(MakePipe(in_, ends_.in));
  BERTH_RETURN_IF_ERROR(MakePipe(ends_.out, out_));
  BERTH_RETURN_IF_ERROR(MakePipe(ends_.err, err_));
  for (UniqueFd* fd : {&ends_.in, &ends_.out, &ends_.err}) SetNonBlocking(*fd);
  return absl::OkStatus();
}

absl::Status Worker::MakeTerminal(const Terminal& terminal) {
  int master = -1, slave = -1;
  winsize window = terminal.size;
  if (openpty(&master, &slave, nullptr, nullptr, &window) != 0) {
    return ErrnoToStatus(errno, "making a terminal");
  }
  ends_.out.reset(master);
  in_.reset(slave);
  for (const int fd : {master, slave}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  SetNonBlocking(ends_.out);
  if (!terminal.raw) return absl::OkStatus();
  termios modes;
  if (tcgetattr(slave, &modes) != 0) {
    return ErrnoToStatus(errno, "setting up a terminal");
  }
  cfmakeraw(&modes);
  return tcsetattr(slave, TCSANOW, &modes) == 0
             ? absl::OkStatus()
             : ErrnoToStatus(errno, "setting up a terminal");
}

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(
    std::unique_ptr<Work> work, std::shared_ptr<cli::Connection> connection,
    const std::string& term, const Terminal* terminal,
    std::function<void()> done) {
  std::unique_ptr<Worker> worker(
      new Worker(std::move(work), std::move(connection), std::move(done)));
  BERTH_RETURN_IF_ERROR(terminal == nullptr ? worker->MakePipes()
                                            : worker->MakeTerminal(*terminal));
  cli::Invocation::Params params;
  params.cwd = "/";
  params.environment.Set("TERM", term);
  params.in = worker->in_.get();
  params.out = terminal == nullptr ? worker->out_.get() : params.in;
  params.err = terminal == nullptr ? worker->err_.get() : params.in;
  {
    MutexLock lock(worker->mu_);
    worker->invocation_ = std::make_unique<cli::Invocation>(std::move(params),
                                                            worker->connector_);
  }
  BERTH_ASSIGN_OR_RETURN(worker->thread_,
                         StartThread([self = worker.get()] { self->Run(); }));
  return worker;
}

Worker::~Worker() {
  Post(cli::Signal::kGone);
  if (thread_.joinable()) thread_.join();
}

void Worker::Post(cli::Signal signal) {
  MutexLock lock(mu_);
  if (invocation_ != nullptr) invocation_->signals().Post(signal);
}

std::optional<Ended> Worker::ended() const {
  MutexLock lock(mu_);
  return ended_;
}

void Worker::Run() {
  cli::Invocation* invocation;
  {
    MutexLock lock(mu_);
    invocation = invocation_.get();
  }
  const Ended ended = work_->Run(*invocation, *connection_);
  {
    MutexLock lock(mu_);
    invocation_.reset();
    ended_ = ended;
  }
  in_.reset();
  out_.reset();
  err_.reset();
  done_();
}

}  // namespace berth::gateway

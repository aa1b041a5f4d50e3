#include "agent/holder/output_pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// Moved at a time, so that one command's flood leaves time for the rest.
constexpr uint64_t kBudget = 1 << 20;
// A command that writes more gets a larger pipe: fewer switches between it and
// the holder. The others shouldn't cost that memory.
constexpr uint64_t kEnlargeAfter = 256 << 10;
constexpr int kEnlargedPipe = 1 << 20;

uint64_t Waiting(int fd) {
  int bytes = 0;
  if (ioctl(fd, FIONREAD, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<uint64_t>(bytes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputPipes>> OutputPipes::Create(
    EventLoop& loop, uint64_t sequence, agent::CommandLog& log,
    Observer& observer, Writers& writers) {
  std::unique_ptr<OutputPipes> pipes(
      new OutputPipes(loop, sequence, log, observer));
  BERTH_RETURN_IF_ERROR(
      pipes->OpenPipe(pipes->pipes_[0], agent::Stream::kStdout, writers.out));
  BERTH_RETURN_IF_ERROR(
      pipes->OpenPipe(pipes->pipes_[1], agent::Stream::kStderr, writers.err));
  return pipes;
}

OutputPipes::~OutputPipes() {
  for (Pipe& pipe : pipes_) Unwatch(pipe);
}

absl::Status OutputPipes::OpenPipe(Pipe& pipe, agent::Stream stream,
                                   UniqueFd& writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoToStatus(errno, "making a pipe for output");
  }
  pipe.fd.reset(ends[0]);
  writer.reset(ends[1]);
  pipe.stream = stream;
  // The command may be another user's, and open it by name, as /dev/stderr.
  // Nobody else has a name for it.
  fchmod(writer.get(), 0666);
  fcntl(pipe.fd.get(), F_SETFL, O_NONBLOCK);
  return Watch(pipe);
}

absl::Status OutputPipes::Watch(Pipe& pipe) {
  if (pipe.watched || !pipe.fd.valid()) return absl::OkStatus();
  absl::Status status = loop_.Watch(
      pipe.fd.get(), EPOLLIN,
      [this, &pipe](uint32_t events) { HandleEvents(pipe, events); });
  pipe.watched = status.ok();
  return status;
}

void OutputPipes::Unwatch(Pipe& pipe) {
  if (pipe.watched) loop_.Unwatch(pipe.fd.get());
  pipe.watched = false;
}

void OutputPipes::HandleEvents(Pipe& pipe, uint32_t events) {
  if (events & EPOLLIN) {
    Move(pipe, kBudget);
  } else {
    CloseIfEnded(pipe);
    ReportIfClosed();
  }
}

bool OutputPipes::Move(Pipe& pipe, uint64_t max) {
  uint64_t moved = 0;
  absl::Status status;
  while (moved < max && pipe.fd.valid()) {
    absl::StatusOr<size_t> got =
        log_.AppendFromPipe(pipe.fd.get(), pipe.stream, max - moved);
    status = got.status();
    if (!got.ok() || *got == 0) break;
    moved += *got;
  }
  pipe.moved += moved;
  if (in_snapshot_) pipe.snapshot -= std::min(pipe.snapshot, moved);
  if (!pipe.enlarged && pipe.moved > kEnlargeAfter) {
    pipe.enlarged = true;
    fcntl(pipe.fd.get(), F_SETPIPE_SZ, kEnlargedPipe);
  }
  if (moved > 0) observer_.OnAdvanced(sequence_);
  if (!status.ok()) Stall(status);
  return status.ok();
}

void OutputPipes::Stall(const absl::Status& why) {
  stalled_ = true;
  // Unwatched rather than waiting for no event: that a pipe was closed is
  // always reported, again and again.
  for (Pipe& pipe : pipes_) Unwatch(pipe);
  observer_.OnStalled(sequence_, why);
}

void OutputPipes::Resume() {
  if (!stalled_) return;
  stalled_ = false;
  if (in_snapshot_) return ContinueSnapshot();
  WatchAll();
}

void OutputPipes::WatchAll() {
  for (Pipe& pipe : pipes_) {
    absl::Status status = Watch(pipe);
    if (!status.ok()) return Stall(status);
  }
}

void OutputPipes::Snapshot() {
  in_snapshot_ = true;
  for (Pipe& pipe : pipes_) {
    pipe.snapshot = pipe.fd.valid() ? Waiting(pipe.fd.get()) : 0;
  }
  if (!stalled_ || drop_rest_) ContinueSnapshot();
}

void OutputPipes::DropRest() {
  drop_rest_ = true;
  if (in_snapshot_ && stalled_) ContinueSnapshot();
}

void OutputPipes::ContinueSnapshot() {
  for (Pipe& pipe : pipes_) {
    if (pipe.snapshot == 0 || Move(pipe, pipe.snapshot)) continue;
    if (!drop_rest_) return;
    Drop(pipe);
  }
  in_snapshot_ = false;
  observer_.OnDrained(sequence_, dropped_);
  for (Pipe& pipe : pipes_) CloseIfEnded(pipe);
  // What is left open belongs to processes that were left behind, and they
  // wait for room as before.
  if (!stalled_) WatchAll();
  ReportIfClosed();
}

void OutputPipes::Drop(Pipe& pipe) {
  uint64_t dropped = 0;
  while (pipe.snapshot > 0) {
    char part[16384];
    ssize_t got = read(pipe.fd.get(), part,
                       std::min<uint64_t>(pipe.snapshot, sizeof(part)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    pipe.snapshot -= static_cast<uint64_t>(got);
    dropped += static_cast<uint64_t>(got);
  }
  pipe.snapshot = 0;
  dropped_ += dropped;
  log_.Skip(dropped);
}

void OutputPipes::DrainNow() {
  for (Pipe& pipe : pipes_) {
    if (!pipe.fd.valid()) continue;
    if (!Move(pipe, Waiting(pipe.fd.get()))) return;
  }
}

void OutputPipes::CloseIfEnded(Pipe& pipe) {
  if (!pipe.fd.valid()) return;
  pollfd state = {pipe.fd.get(), POLLIN, 0};
  if (poll(&state, 1, 0) <= 0) return;
  if ((state.revents & POLLIN) || !(state.revents & (POLLHUP | POLLERR))) {
    return;
  }
  Unwatch(pipe);
  pipe.fd.reset();
}

void OutputPipes::ReportIfClosed() {
  for (const Pipe& pipe : pipes_) {
    if (pipe.fd.valid()) return;
  }
  if (!in_snapshot_) observer_.OnClosed(sequence_);
}

}  // namespace berth::holder

#include "cli/ssh/lifeline.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"

namespace berth::cli {

Lifeline::Lifeline(SignalSource& signals, absl::Duration limit)
    : limit_(limit),
      deadline_(MonotonicNow() + limit),
      ending_(eventfd(0, EFD_CLOEXEC)),
      thread_([this, &signals] { Watch(signals); }) {}

Lifeline::~Lifeline() {
  eventfd_write(ending_.get(), 1);
  thread_.join();
}

void Lifeline::Guard(int socket) {
  UniqueFd copy(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  MutexLock lock(mu_);
  if (!reason_.ok()) shutdown(socket, SHUT_RDWR);
  sockets_.push_back(std::move(copy));
}

absl::Duration Lifeline::left() const {
  MutexLock lock(mu_);
  if (!reason_.ok()) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), deadline_ - MonotonicNow());
}

absl::Status Lifeline::reason() const {
  MutexLock lock(mu_);
  return reason_;
}

void Lifeline::Watch(const SignalSource& signals) {
  pollfd fds[] = {{ending_.get(), POLLIN, 0}, {signals.left_fd(), POLLIN, 0}};
  while (true) {
    const int64_t wait = std::clamp<int64_t>(
        absl::ToInt64Milliseconds(deadline_ - MonotonicNow()) + 1, 0, 60'000);
    const int ready = poll(fds, 2, static_cast<int>(wait));
    if (ready < 0 && errno == EINTR) continue;
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) return Cut(absl::CancelledError("interrupted"));
    if (MonotonicNow() >= deadline_) {
      return Cut(absl::DeadlineExceededError(
          absl::StrCat("not done in ", absl::FormatDuration(limit_),
                       "; --timeout gives it longer")));
    }
  }
}

void Lifeline::Cut(absl::Status reason) {
  MutexLock lock(mu_);
  reason_ = std::move(reason);
  for (const UniqueFd& socket : sockets_) shutdown(socket.get(), SHUT_RDWR);
}

}  // namespace berth::cli

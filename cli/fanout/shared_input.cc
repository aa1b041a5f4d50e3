#include "cli/fanout/shared_input.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "base/status_macros.h"
#include "cli/fanout/spool.h"

namespace berth::cli {
namespace {

constexpr size_t kChunk = 256 << 10;

}  // namespace

SharedInput::SharedInput(Input& input, std::function<void()> on_data)
    : input_(input),
      on_data_(std::move(on_data)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  input_.Prepare();
  thread_ = std::thread([this] { Loop(); });
}

SharedInput::~SharedInput() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void SharedInput::Want(uint64_t end) {
  MutexLock lock(mu_);
  if (end <= wanted_) return;
  const bool sleeping = wanted_ <= have_;
  wanted_ = end;
  if (sleeping) eventfd_write(wake_.get(), 1);
}

std::optional<uint64_t> SharedInput::end() const {
  MutexLock lock(mu_);
  if (!ended_) return std::nullopt;
  return have_;
}

absl::Status SharedInput::status() const {
  MutexLock lock(mu_);
  return status_;
}

bool SharedInput::Wanted() const {
  MutexLock lock(mu_);
  return wanted_ > have_;
}

absl::StatusOr<std::string> SharedInput::Read(uint64_t offset,
                                              size_t size) const {
  MutexLock lock(mu_);
  if (offset >= have_) return std::string();
  size = std::min<uint64_t>(size, have_ - offset);
  if (offset < memory_.size()) return memory_.substr(offset, size);
  std::string data(size, '\0');
  for (;;) {
    const ssize_t count =
        pread(file_.get(), data.data(), size, offset - memory_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return ErrnoToStatus(count < 0 ? errno : EIO,
                           "/var/tmp: reading input that was kept");
    }
    data.resize(count);
    return data;
  }
}

void SharedInput::Loop() {
  std::string buffer(kChunk, '\0');
  for (;;) {
    pollfd fds[] = {{wake_.get(), POLLIN, 0}, {-1, POLLIN, 0}};
    if (Wanted()) fds[1].fd = input_.fd();
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return End();
    eventfd_t count;
    eventfd_read(wake_.get(), &count);
    {
      MutexLock lock(mu_);
      if (stopping_ || ended_) return;
    }
    if (fds[1].fd < 0 || fds[1].revents == 0) continue;
    const ssize_t got = input_.Read(buffer.data(), buffer.size());
    if (got > 0) {
      Keep(absl::string_view(buffer).substr(0, got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      // What can't be read any more has ended.
      return End();
    }
  }
}

void SharedInput::End() {
  {
    MutexLock lock(mu_);
    ended_ = true;
  }
  on_data_();
}

void SharedInput::Keep(absl::string_view data) {
  {
    MutexLock lock(mu_);
    const size_t first = std::min(data.size(), kMemory - memory_.size());
    memory_.append(data.data(), first);
    have_ += first;
    data.remove_prefix(first);
    if (absl::Status kept = KeepInFile(data); !kept.ok()) {
      status_ = std::move(kept);
      ended_ = true;
    }
  }
  on_data_();
}

absl::Status SharedInput::KeepInFile(absl::string_view data) {
  if (data.empty()) return absl::OkStatus();
  if (!file_.valid()) {
    BERTH_ASSIGN_OR_RETURN(file_, OpenNamelessFile());
  }
  BERTH_RETURN_IF_ERROR(WriteAll(file_.get(), data));
  have_ += data.size();
  return absl::OkStatus();
}

}  // namespace berth::cli

#include "agent/holder/stdin_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::holder {

absl::StatusOr<std::unique_ptr<StdinPipe>> StdinPipe::Create(
    EventLoop& loop, UniqueFd& reader, std::function<void()> on_credit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoToStatus(errno, "making a pipe for input");
  }
  reader.reset(ends[0]);
  UniqueFd writer(ends[1]);
  // Only this end: the other is the command's own.
  fcntl(writer.get(), F_SETFL, O_NONBLOCK);
  return std::unique_ptr<StdinPipe>(
      new StdinPipe(loop, std::move(writer), std::move(on_credit)));
}

StdinPipe::~StdinPipe() { Close(); }

absl::Status StdinPipe::Write(uint64_t offset, absl::string_view data,
                              bool eof) {
  if (offset > received_) {
    return absl::InvalidArgumentError(
        absl::StrCat("input from ", received_, " to ", offset, " is missing"));
  }
  if (offset + data.size() < received_) return absl::OkStatus();
  data.remove_prefix(received_ - offset);
  if (received_ + data.size() > limit()) {
    return absl::InvalidArgumentError(
        absl::StrCat("input up to ", received_ + data.size(),
                     " was sent, and only up to ", limit(), " was allowed"));
  }
  if (ended_ && !data.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the input had ended at ", received_));
  }
  received_ += data.size();
  ended_ = ended_ || eof;
  buffer_.append(data.data(), data.size());
  Flush();
  return absl::OkStatus();
}

void StdinPipe::Flush() {
  size_t done = 0;
  bool full = false;
  while (pipe_.valid() && done < buffer_.size() && !full) {
    ssize_t written =
        write(pipe_.get(), buffer_.data() + done, buffer_.size() - done);
    if (written > 0) {
      done += static_cast<size_t>(written);
    } else if (written < 0 && errno == EAGAIN) {
      full = true;
    } else if (written < 0 && errno != EINTR) {
      Close();  // Nobody reads it any more; the sender need not know.
    }
  }
  if (!pipe_.valid()) done = buffer_.size();
  buffer_.erase(0, done);
  consumed_ += done;
  if (buffer_.empty()) {
    buffer_.shrink_to_fit();
    if (ended_) Close();
  }
  Wait(!buffer_.empty());
  if (!ended_ && consumed_ - announced_ >= kWindow / 4) {
    announced_ = consumed_;
    on_credit_();
  }
}

void StdinPipe::Wait(bool for_room) {
  if (for_room == watched_ || !pipe_.valid()) return;
  if (for_room) {
    watched_ =
        loop_.Watch(pipe_.get(), EPOLLOUT, [this](uint32_t) { Flush(); }).ok();
  } else {
    loop_.Unwatch(pipe_.get());
    watched_ = false;
  }
}

void StdinPipe::Close() {
  if (watched_) loop_.Unwatch(pipe_.get());
  watched_ = false;
  pipe_.reset();
}

}  // namespace berth::holder

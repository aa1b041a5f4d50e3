#include "agent/holder/stdin_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::holder {
namespace {

// A command that gets more input than its pipe holds gets a larger pipe: fewer
// switches between it and the holder. The others shouldn't cost that memory.
constexpr int kEnlargedPipe = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<StdinPipe>> StdinPipe::Create(
    EventLoop& loop, UniqueFd& reader, std::function<void()> on_credit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoToStatus(errno, "making a pipe for input");
  }
  reader.reset(ends[0]);
  // As of the pipes for output: for /dev/stdin.
  fchmod(reader.get(), 0666);
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
  if (buffer_.empty()) {
    const size_t done = WriteSome(data);
    data.remove_prefix(done);
    Taken(done);
  }
  buffer_.append(data.data(), data.size());
  Flush();
  return absl::OkStatus();
}

size_t StdinPipe::WriteSome(absl::string_view data) {
  size_t done = 0;
  while (pipe_.valid() && done < data.size()) {
    const ssize_t written =
        write(pipe_.get(), data.data() + done, data.size() - done);
    if (written > 0) {
      done += static_cast<size_t>(written);
    } else if (written < 0 && errno == EAGAIN) {
      if (enlarged_) return done;
      enlarged_ = true;
      // Refused beyond a user's limit: then it stays as it is.
      fcntl(pipe_.get(), F_SETPIPE_SZ, kEnlargedPipe);
    } else if (written < 0 && errno != EINTR) {
      Close();  // Nobody reads it any more; the sender need not know.
    }
  }
  return pipe_.valid() ? done : data.size();
}

void StdinPipe::Flush() {
  const size_t done = WriteSome(absl::string_view(buffer_).substr(begin_));
  begin_ += done;
  if (begin_ == buffer_.size()) {
    std::string().swap(buffer_);
    begin_ = 0;
    if (ended_) Close();
  } else if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  Wait(!buffer_.empty());
  Taken(done);
}

void StdinPipe::Taken(size_t bytes) {
  consumed_ += bytes;
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

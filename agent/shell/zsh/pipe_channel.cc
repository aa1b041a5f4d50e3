#include "agent/shell/zsh/pipe_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/shell/zsh/pipe_message.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// The longest message: a directory, and numbers.
constexpr size_t kMaxMessage = BERTH_PACKET_TEXT_MAX + 256;
constexpr size_t kReadSize = 4096;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

absl::StatusOr<Pipe> OpenPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoToStatus(errno, "pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

absl::Status Closed() {
  return absl::UnavailableError("the shell's control channel is closed");
}

}  // namespace

absl::StatusOr<std::unique_ptr<PipeChannel>> PipeChannel::Open(
    UniqueFd& requests, UniqueFd& answers) {
  BERTH_ASSIGN_OR_RETURN(Pipe down, OpenPipe());
  BERTH_ASSIGN_OR_RETURN(Pipe up, OpenPipe());
  for (int fd : {down.writer.get(), up.reader.get()}) {
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
      return ErrnoToStatus(errno, "fcntl");
    }
  }
  requests = std::move(down.reader);
  answers = std::move(up.writer);
  return std::unique_ptr<PipeChannel>(
      new PipeChannel(std::move(down.writer), std::move(up.reader)));
}

absl::Status PipeChannel::UsePorter(const SpawnOptions& options) {
  // The shell opens its ends by name, too.
  for (const int fd : {to_.get(), from_.get()}) {
    if (fchown(fd, options.credentials->user, -1) == 0) continue;
    return ErrnoToStatus(errno, "giving the shell's channel to its user");
  }
  // It may wait for the shell to read.
  if (fcntl(to_.get(), F_SETFL, 0) != 0) return ErrnoToStatus(errno, "fcntl");
  BERTH_ASSIGN_OR_RETURN(porter_,
                         DescriptorPorter::Start(options, std::move(to_)));
  return absl::OkStatus();
}

void PipeChannel::Release() {
  kept_.clear();
  // A porter that is gone has none.
  if (porter_ != nullptr) porter_->Send("", {}).IgnoreError();
}

absl::Status PipeChannel::SendByPorter(const ControlPacket& packet,
                                       absl::Span<const int> fds) {
  std::vector<int> numbers;
  for (size_t i = 0; i < fds.size(); ++i) {
    numbers.push_back(DescriptorPorter::kFirst + static_cast<int>(i));
  }
  const std::string line = EncodePipeMessage(packet, porter_->pid(), numbers);
  if (fds.empty()) return porter_->Send(line);
  kept_for_ = packet.id;
  return porter_->Send(line, fds);
}

absl::Status PipeChannel::Keep(absl::Span<const int> fds) {
  kept_.clear();
  for (int fd : fds) {
    kept_.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!kept_.back().valid()) {
      absl::Status status = ErrnoToStatus(errno, "duplicating a descriptor");
      kept_.clear();
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status PipeChannel::Send(const ControlPacket& packet,
                               absl::Span<const int> fds) {
  if (!is_open()) return Closed();
  if (porter_ != nullptr) return SendByPorter(packet, fds);
  std::vector<int> numbers;
  if (!fds.empty()) {
    BERTH_RETURN_IF_ERROR(Keep(fds));
    kept_for_ = packet.id;
    for (const UniqueFd& fd : kept_) numbers.push_back(fd.get());
  }
  const std::string line = EncodePipeMessage(packet, getpid(), numbers);
  // Far below PIPE_BUF: all of it goes, or nothing.
  if (write(to_.get(), line.data(), line.size()) > 0) return absl::OkStatus();
  const int error = errno;
  if (!fds.empty()) kept_.clear();
  if (error == EAGAIN) {
    return absl::ResourceExhaustedError(
        "the shell does not read its control channel");
  }
  return Closed();
}

bool PipeChannel::Fill() {
  char bytes[kReadSize];
  ssize_t length = read(from_.get(), bytes, sizeof(bytes));
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (length <= 0) {
    closed_ = true;
    Release();
    return false;
  }
  unread_.append(bytes, static_cast<size_t>(length));
  return true;
}

absl::StatusOr<std::optional<ControlPacket>> PipeChannel::Receive() {
  size_t end;
  while ((end = unread_.find('\0')) == std::string::npos) {
    if (unread_.size() > kMaxMessage) {
      unread_.clear();
      return absl::InvalidArgumentError("a message without an end");
    }
    if (!is_open() || !Fill()) return std::nullopt;
  }
  const std::string message = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  BERTH_ASSIGN_OR_RETURN(ControlPacket packet, DecodePipeMessage(message));
  const bool opened =
      packet.type == BERTH_STARTED || packet.type == BERTH_DONE ||
      packet.type == BERTH_WITHDRAWN || packet.type == BERTH_REFUSED;
  if (opened && packet.id == kept_for_) Release();
  return std::optional<ControlPacket>(std::move(packet));
}

}  // namespace berth::shell

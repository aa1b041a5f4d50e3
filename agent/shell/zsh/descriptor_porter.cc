#include "agent/shell/zsh/descriptor_porter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// Where the child finds them.
constexpr int kSocket = 3;
constexpr int kRequests = 4;
// The first byte of a packet.
constexpr char kReplace = 'r';
constexpr char kKeep = 'k';

struct Packet {
  char bytes[1 + DescriptorPorter::kMaxLine];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) *
                                           DescriptorPorter::kMostDescriptors)];
};

absl::Status SendPacket(int socket, char what, absl::string_view line,
                        absl::Span<const int> fds) {
  if (line.size() > DescriptorPorter::kMaxLine ||
      fds.size() > DescriptorPorter::kMostDescriptors) {
    return absl::InvalidArgumentError("a line that is too long for the shell");
  }
  Packet packet = {};
  packet.bytes[0] = what;
  std::copy(line.begin(), line.end(), packet.bytes + 1);
  iovec part = {packet.bytes, 1 + line.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = packet.control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  }
  if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
    return absl::OkStatus();
  }
  if (errno == EAGAIN) {
    return absl::ResourceExhaustedError(
        "the shell does not read its control channel");
  }
  // Not UNAVAILABLE: clients would try it again.
  return absl::FailedPreconditionError(
      "the process that passes commands to the shell is gone; the session "
      "can't run any more: berth rm it");
}

// Puts what came with a packet in its places.
bool Place(msghdr& message) {
  constexpr int kEnd = DescriptorPorter::kFirst +
                       static_cast<int>(DescriptorPorter::kMostDescriptors);
  for (int fd = DescriptorPorter::kFirst; fd < kEnd; ++fd) close(fd);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return true;
  int fds[DescriptorPorter::kMostDescriptors];
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  // Away from the places, of which it may have got some in another order.
  for (size_t i = 0; i < count; ++i) {
    const int parked = fcntl(fds[i], F_DUPFD_CLOEXEC, kEnd);
    close(fds[i]);
    if (parked < 0) return false;
    fds[i] = parked;
  }
  for (size_t i = 0; i < count; ++i) {
    if (dup2(fds[i], DescriptorPorter::kFirst + static_cast<int>(i)) < 0) {
      return false;
    }
    close(fds[i]);
  }
  return true;
}

// Takes one packet. False: there will be no more.
bool Carry() {
  Packet packet;
  iovec part = {packet.bytes, sizeof(packet.bytes)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = packet.control;
  message.msg_controllen = sizeof(packet.control);
  const ssize_t size = recvmsg(kSocket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0 && errno == EINTR) return true;
  if (size < 1 || (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
    return false;
  }
  if (packet.bytes[0] == kReplace && !Place(message)) return false;
  const absl::string_view line(packet.bytes + 1, static_cast<size_t>(size) - 1);
  return line.empty() || WriteAll(kRequests, line).ok();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DescriptorPorter>> DescriptorPorter::Start(
    const SpawnOptions& options, UniqueFd requests) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoToStatus(errno, "socketpair");
  }
  UniqueFd socket(ends[0]);
  const UniqueFd its_socket(ends[1]);
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return ErrnoToStatus(errno, "/dev/null");
  SpawnOptions own;
  // Ourselves, whatever has become of the file since.
  own.program = "/proc/self/exe";
  own.name = "berth-holder";
  own.arguments = {kArgument};
  own.open_files = options.open_files;
  own.limits = options.limits;
  own.cgroup = options.cgroup;
  own.credentials = options.credentials;
  own.no_new_privileges = true;
  own.inherited = {its_socket.get(), requests.get()};
  BERTH_ASSIGN_OR_RETURN(
      const pid_t pid,
      Spawn(own, {null.get(), null.get(), null.get()}, Leads::kProcessGroup));
  return std::unique_ptr<DescriptorPorter>(
      new DescriptorPorter(pid, std::move(socket)));
}

absl::Status DescriptorPorter::Send(absl::string_view line,
                                    absl::Span<const int> fds) {
  return SendPacket(socket_.get(), kReplace, line, fds);
}

absl::Status DescriptorPorter::Send(absl::string_view line) {
  return SendPacket(socket_.get(), kKeep, line, {});
}

int CarryDescriptors() {
  prctl(PR_SET_NAME, "berth-porter");
  while (Carry()) {
  }
  return 0;
}

}  // namespace berth::shell

#include "agent/holder/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

namespace berth::holder {
namespace {

// Handled at a time, so that one busy peer leaves time for the rest.
constexpr int kMaxRequests = 16;
constexpr size_t kMaxDescriptors = 4;

// Packets are handled one by one, so one buffer does for all connections; only
// the pages that a packet reaches take memory.
char receive_buffer[Connection::kMaxPacket];

// Keeps the first descriptor and closes the rest.
UniqueFd TakeDescriptor(msghdr& message) {
  UniqueFd first;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      UniqueFd owned(fd);
      if (!first.valid()) first = std::move(owned);
    }
  }
  return first;
}

}  // namespace

Connection::Connection(uint64_t id, UniqueFd fd, EventLoop& loop,
                       Terminal& terminal, Observer& observer)
    : id_(id),
      fd_(std::move(fd)),
      loop_(loop),
      observer_(observer),
      watch_(terminal) {}

Connection::~Connection() {
  if (open()) loop_.Unwatch(fd_.get());
}

absl::Status Connection::Open() {
  return loop_.Watch(fd_.get(), EPOLLIN,
                     [this](uint32_t events) { HandleEvents(events); });
}

void Connection::Close() {
  if (!open()) return;
  loop_.Unwatch(fd_.get());
  fd_.reset();
  observer_.OnClosed(*this);
}

void Connection::HandleEvents(uint32_t events) {
  if (events & EPOLLOUT) Flush();
  if (events & ~EPOLLOUT) {
    for (int i = 0; i < kMaxRequests && open() && ReceiveOne(); ++i) {
    }
  }
}

bool Connection::ReceiveOne() {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  iovec part = {receive_buffer, sizeof(receive_buffer)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t length =
      recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (length <= 0) {
    Close();
    return false;
  }
  UniqueFd fd = TakeDescriptor(message);
  v1::Request request;
  if ((message.msg_flags & MSG_TRUNC) ||
      !request.ParseFromArray(receive_buffer, static_cast<int>(length))) {
    Close();  // It doesn't keep to the protocol.
    return false;
  }
  observer_.OnRequest(*this, request, std::move(fd));
  return true;
}

bool Connection::TrySend(const std::string& packet) {
  ssize_t sent = send(fd_.get(), packet.data(), packet.size(),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return true;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return false;
  Close();
  return false;
}

void Connection::Send(const v1::Event& event) {
  if (!open()) return;
  std::string packet = event.SerializeAsString();
  if (queue_.empty() && TrySend(packet)) return;
  if (!open()) return;
  queued_bytes_ += packet.size();
  if (queued_bytes_ > kMaxQueued) return Close();
  queue_.push_back(std::move(packet));
  WaitForRoom();
}

void Connection::SendState(const v1::State& state) {
  if (!open()) return;
  state_ = state;
  Flush();
}

void Connection::SendAdvanced(uint64_t sequence, uint64_t offset) {
  if (!open()) return;
  advanced_[sequence] = offset;
  Flush();
}

void Connection::WatchTerminal(std::optional<uint64_t> from_offset) {
  watch_.Begin(from_offset);
  PumpTerminal();
}

void Connection::PumpTerminal() {
  if (open() && !waits_for_room_) Flush();
}

bool Connection::FlushQueue() {
  while (!queue_.empty()) {
    if (!TrySend(queue_.front())) return false;
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
  }
  return true;
}

bool Connection::FlushTerminal() {
  while (std::optional<v1::Event> event = watch_.Next()) {
    if (!TrySend(event->SerializeAsString())) return false;
    watch_.Sent();
  }
  return true;
}

void Connection::Flush() {
  waits_for_room_ = false;
  bool room = FlushQueue();
  while (room && !advanced_.empty()) {
    v1::Event event;
    event.mutable_advanced()->set_sequence(advanced_.begin()->first);
    event.mutable_advanced()->set_offset(advanced_.begin()->second);
    room = TrySend(event.SerializeAsString());
    if (room) advanced_.erase(advanced_.begin());
  }
  if (room && state_) {
    v1::Event event;
    *event.mutable_state() = *state_;
    room = TrySend(event.SerializeAsString());
    if (room) state_.reset();
  }
  if (room) room = FlushTerminal();
  if (!open()) return;
  if (room) {
    loop_.Change(fd_.get(), EPOLLIN);
  } else {
    WaitForRoom();
  }
}

void Connection::WaitForRoom() {
  waits_for_room_ = true;
  loop_.Change(fd_.get(), EPOLLIN | EPOLLOUT);
}

}  // namespace berth::holder

#include "broker/gateway/connection.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/escape.h"
#include "base/names.h"

namespace berth::gateway {
namespace {

// What `berth ssh-config` calls computers for SSH clients.
constexpr absl::string_view kDomain = ".berth";

int Drain(int fd, int, void*) {
  uint64_t count;
  (void)!read(fd, &count, sizeof(count));
  return 0;
}

}  // namespace

Connection::Connection(Guest guest, const Config& config)
    : guest_(std::move(guest)),
      config_(config),
      event_(ssh_event_new()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  callbacks_.userdata = this;
  callbacks_.channel_open_request_session_function = &OnOpen;
  ssh_callbacks_init(&callbacks_);
  ssh_set_server_callbacks(guest_.session(), &callbacks_);
  ssh_set_message_callback(guest_.session(), &OnMessage, this);
}

Connection::~Connection() {
  channels_.clear();
  if (event_ != nullptr) {
    ssh_event_remove_session(event_.get(), guest_.session());
    if (wake_.valid()) ssh_event_remove_fd(event_.get(), wake_.get());
  }
  ssh_set_message_callback(guest_.session(), nullptr, nullptr);
}

void Connection::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

void Connection::Serve() {
  if (event_ == nullptr || !wake_.valid() ||
      ssh_event_add_session(event_.get(), guest_.session()) != SSH_OK ||
      ssh_event_add_fd(event_.get(), wake_.get(), POLLIN, &Drain, nullptr) !=
          SSH_OK) {
    SPDLOG_WARN("{}: no memory, or no descriptor, for a connection",
                guest_.address());
    return;
  }
  for (;;) {
    if (ssh_event_dopoll(event_.get(), -1) == SSH_ERROR) return;
    const int state = ssh_get_status(guest_.session());
    if ((state & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0) return;
    for (auto channel = channels_.begin(); channel != channels_.end();) {
      channel = channel->Step() ? std::next(channel) : channels_.erase(channel);
    }
  }
}

ssh_channel Connection::NewChannel() {
  if (channels_.size() >= config_.channels) {
    SPDLOG_WARN("{}: user '{}' has {} channels of {}", guest_.address(),
                guest_.name().user, channels_.size(), config_.channels);
    return nullptr;
  }
  ssh_channel channel = ssh_channel_new(guest_.session());
  if (channel != nullptr) {
    channels_.emplace_back(guest_, config_, event_.get(), channel,
                           [this] { Wake(); });
  }
  return channel;
}

ssh_channel Connection::OnOpen(ssh_session, void* self) {
  return static_cast<Connection*>(self)->NewChannel();
}

// What comes here is refused (1), but for what is forwarded.
int Connection::OnMessage(ssh_session, ssh_message message, void* self) {
  if (ssh_message_type(message) == SSH_REQUEST_CHANNEL &&
      ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_UNKNOWN) {
    const ssh_channel channel = ssh_message_channel_request_channel(message);
    for (Channel& each : static_cast<Connection*>(self)->channels_) {
      if (each.Is(channel)) each.UnknownRequest();
    }
    return 1;
  }
  if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN ||
      ssh_message_subtype(message) != SSH_CHANNEL_DIRECT_TCPIP) {
    return 1;
  }
  return static_cast<Connection*>(self)->Forward(message);
}

bool Connection::MayForward(const std::string& host, int port) const {
  const std::string target = absl::StrCat(host, ":", port);
  for (const std::string& pattern : config_.forward) {
    if (MatchesWildcard(pattern, target)) return true;
  }
  return false;
}

// Of a login to a computer, the target is as seen from there. Without one
// (ssh -J) it is the computer itself.
int Connection::Forward(ssh_message message) {
  const char* destination =
      ssh_message_channel_request_open_destination(message);
  const int port = ssh_message_channel_request_open_destination_port(message);
  std::string host = destination == nullptr ? "" : destination;
  std::string computer = guest_.name().computer;
  if (computer.empty()) {
    computer = std::string(absl::StripSuffix(host, kDomain));
    host = "localhost";
  }
  if (port < 1 || port > 0xffff || host.size() > 255 ||
      !CheckName("computer", computer).ok() || !MayForward(host, port)) {
    SPDLOG_INFO("{}: user '{}' may not forward to {}:{} of '{}'",
                guest_.address(), guest_.name().user, EscapeForTerminal(host),
                port, EscapeForTerminal(computer));
    return 1;
  }
  ssh_channel channel = NewChannel();
  if (channel == nullptr) return 1;
  if (ssh_message_channel_request_open_reply_accept_channel(message, channel) !=
          SSH_OK ||
      !channels_.back().Forward(computer, host, port)) {
    channels_.pop_back();
    return 1;
  }
  return 0;
}

}  // namespace berth::gateway

#include "cli/keeper/server.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/monotonic.h"
#include "cli/keeper/invoke.h"
#include "spdlog/spdlog.h"

namespace berth::cli {
namespace {

std::optional<Signal> ToSignal(keeper::SignalKind kind) {
  switch (kind) {
    case keeper::SIGNAL_KIND_INTERRUPT:
      return Signal::kInterrupt;
    case keeper::SIGNAL_KIND_TERMINATE:
      return Signal::kTerminate;
    case keeper::SIGNAL_KIND_HANGUP:
      return Signal::kHangup;
    case keeper::SIGNAL_KIND_RESIZED:
      return Signal::kResized;
    case keeper::SIGNAL_KIND_CONTINUED:
      return Signal::kContinued;
    default:
      return std::nullopt;
  }
}

}  // namespace

KeeperServer::KeeperServer(UniqueFd listener, std::string build_id,
                           absl::Duration idle,
                           std::function<void()> stop_listening)
    : listener_(std::move(listener)),
      build_id_(std::move(build_id)),
      idle_(idle),
      stop_listening_(std::move(stop_listening)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void KeeperServer::Run() {
  // Who only waits for the end, as `berth keeper stop` does, does not delay it.
  while (!stopping_ || CommandCount() > 0) {
    WaitForEvents();
    HandleDone();
    RemoveGone();
    if (!peers_.empty()) last_use_ = MonotonicNow();
    if (MonotonicNow() >= last_use_ + idle_) {
      SPDLOG_INFO("unused; ending");
      StopListening();
    }
  }
  RefuseAll();
}

void KeeperServer::WaitForEvents() {
  std::vector<pollfd> fds = {{wake_.get(), POLLIN, 0},
                             {listener_.get(), POLLIN, 0}};
  if (MonotonicNow() < accept_at_) fds[1].fd = -1;
  std::vector<int> ids;
  for (const auto& [id, peer] : peers_) {
    fds.push_back({peer.socket(), POLLIN, 0});
    // A process that is gone is not read from again, and its command may yet
    // take a while to end.
    if (peer.gone) fds.back().fd = -1;
    ids.push_back(id);
  }
  poll(fds.data(), fds.size(), TimeoutMs());
  uint64_t count;
  if (fds[0].revents != 0) (void)!read(wake_.get(), &count, sizeof(count));
  // The dead before the new: who comes after a process has died sees it gone.
  for (size_t i = 0; i < ids.size(); ++i) {
    if (fds[i + 2].revents != 0) Service(ids[i], peers_.at(ids[i]));
  }
  if (fds[1].revents != 0) Accept();
}

int KeeperServer::TimeoutMs() const {
  absl::Time next = absl::InfiniteFuture();
  if (peers_.empty()) next = last_use_ + idle_;
  for (const auto& [id, peer] : peers_) next = std::min(next, peer.deadline);
  if (accept_at_ > MonotonicNow()) next = std::min(next, accept_at_);
  if (next == absl::InfiniteFuture()) return -1;
  const int64_t ms = absl::ToInt64Milliseconds(next - MonotonicNow()) + 1;
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 3600 * 1000));
}

// False: nobody is waiting.
bool KeeperServer::Accept() {
  UniqueFd socket(
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) {
    // Without descriptors it could not be accepted now, but again and again.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      accept_at_ = MonotonicNow() + kAcceptPause;
    }
    return false;
  }
  if (!CheckPeer(socket.get()).ok()) return true;
  const int id = next_id_++;
  Peer& peer = peers_.try_emplace(id, std::move(socket)).first->second;
  peer.deadline = MonotonicNow() + kHelloTimeout;
  // What it wants has mostly come already.
  Service(id, peer);
  return true;
}

void KeeperServer::Service(int id, Peer& peer) {
  const bool alive = peer.ReceiveSome();
  for (;;) {
    const auto message = peer.Next();
    if (!message.ok()) {
      SPDLOG_WARN("a process sent {}", std::string(message.status().message()));
      peer.gone = true;
      break;
    }
    if (!*message) break;
    Handle(id, peer, **message);
  }
  if (!alive) peer.gone = true;
  if (peer.gone && peer.served != nullptr) peer.served->Post(Signal::kGone);
}

void KeeperServer::Handle(int id, Peer& peer,
                          const keeper::ClientMessage& message) {
  peer.deadline = absl::InfiniteFuture();
  if (message.has_invoke()) {
    if (message.build_id() != build_id_) {
      Refuse(peer, "the keeper is of another build; it ends when it is done");
      StopListening();
    } else if (peers_.size() > kMaxPeers || stopping_) {
      Refuse(peer, "the keeper takes no more commands");
    } else if (peer.served == nullptr) {
      Invoke(id, peer, message.invoke());
    }
  } else if (message.message_case() == keeper::ClientMessage::kControl) {
    Control(peer, message.control());
  } else if (peer.served != nullptr) {
    if (const auto signal = ToSignal(message.signal())) {
      peer.served->Post(*signal);
    }
  }
}

void KeeperServer::Invoke(int id, Peer& peer, const keeper::Invoke& invoke) {
  std::vector<UniqueFd> fds = peer.TakeFds();
  if (fds.size() != 3) {
    peer.gone = true;
    return;
  }
  peer.served = std::make_unique<Served>(
      ToParams(invoke), std::move(fds), connector_,
      Served::Listener{[this, id](int status) { OnExit(id, status); },
                       [this, id] { OnSuspend(id); },
                       [this, id] { OnDone(id); }});
}

void KeeperServer::Control(Peer& peer, keeper::ControlKind kind) {
  keeper::KeeperMessage answer;
  keeper::Status& status = *answer.mutable_status();
  status.set_pid(getpid());
  status.set_commands(CommandCount());
  status.set_age_seconds(absl::ToInt64Seconds(MonotonicNow() - started_));
  status.set_idle_seconds(absl::ToInt64Seconds(idle_));
  for (std::string& broker : connector_.Describe()) {
    status.add_brokers(std::move(broker));
  }
  peer.Send(answer);
  if (kind == keeper::CONTROL_KIND_STOP) StopListening();
}

void KeeperServer::Refuse(Peer& peer, const std::string& reason) {
  keeper::KeeperMessage answer;
  answer.mutable_refused()->set_reason(reason);
  peer.Send(answer);
  peer.gone = true;
}

// These three are called on the command's thread.
void KeeperServer::OnExit(int id, int exit_status) {
  {
    MutexLock lock(mu_);
    exits_[id] = exit_status;
  }
  Wake();
}

void KeeperServer::OnSuspend(int id) {
  {
    MutexLock lock(mu_);
    suspended_.push_back(id);
  }
  Wake();
}

void KeeperServer::OnDone(int id) {
  {
    MutexLock lock(mu_);
    done_.push_back(id);
  }
  Wake();
}

void KeeperServer::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

void KeeperServer::HandleDone() {
  std::map<int, int> exits;
  std::vector<int> suspended;
  std::vector<int> done;
  {
    MutexLock lock(mu_);
    exits.swap(exits_);
    suspended.swap(suspended_);
    done.swap(done_);
  }
  for (const int id : suspended) {
    keeper::KeeperMessage request;
    request.mutable_suspend();
    peers_.at(id).Send(request);
  }
  for (const auto& [id, exit_status] : exits) {
    keeper::KeeperMessage answer;
    answer.mutable_exit()->set_status(exit_status);
    peers_.at(id).Send(answer);
  }
  for (const int id : done) {
    peers_.at(id).served.reset();
    peers_.at(id).gone = true;
  }
}

void KeeperServer::RemoveGone() {
  const absl::Time now = MonotonicNow();
  for (auto it = peers_.begin(); it != peers_.end();) {
    const Peer& peer = it->second;
    const bool late = now >= peer.deadline;
    it = (peer.gone || late) && peer.served == nullptr ? peers_.erase(it)
                                                       : std::next(it);
  }
}

void KeeperServer::StopListening() {
  if (stopping_) return;
  stopping_ = true;
  stop_listening_();
  // Who found the socket just before is told, rather than hung up on.
  while (Accept()) {
  }
  listener_.reset();
}

// The last thing: a process that came too late does its work itself.
void KeeperServer::RefuseAll() {
  for (auto& [id, peer] : peers_) {
    if (!peer.gone) Service(id, peer);
    if (!peer.gone) Refuse(peer, "the keeper ends");
  }
}

size_t KeeperServer::CommandCount() const {
  return std::count_if(peers_.begin(), peers_.end(), [](const auto& entry) {
    return entry.second.served != nullptr;
  });
}

}  // namespace berth::cli

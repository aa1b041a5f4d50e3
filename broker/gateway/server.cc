#include "broker/gateway/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/expiry.h"
#include "broker/gateway/connection.h"
#include "broker/gateway/handshake.h"
#include "broker/gateway/host_keys.h"
#include "broker/gateway/init.h"
#include "broker/gateway/thread.h"

namespace berth::gateway {
namespace {

// Modern ones alone; those without GCM or ChaCha20 for clients that have
// neither, with encrypt-then-MAC first.
constexpr struct {
  ssh_bind_options_e option;
  const char* list;
} kAlgorithms[] = {
    {SSH_BIND_OPTIONS_KEY_EXCHANGE,
     "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
     "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,"
     "diffie-hellman-group18-sha512"},
    {SSH_BIND_OPTIONS_CIPHERS_C_S,
     "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
     "chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"},
    {SSH_BIND_OPTIONS_CIPHERS_S_C,
     "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
     "chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"},
    {SSH_BIND_OPTIONS_HMAC_C_S,
     "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
     "hmac-sha2-256,hmac-sha2-512"},
    {SSH_BIND_OPTIONS_HMAC_S_C,
     "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
     "hmac-sha2-256,hmac-sha2-512"},
    {SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES,
     "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
     "rsa-sha2-512,rsa-sha2-256,sk-ssh-ed25519@openssh.com,"
     "sk-ecdsa-sha2-nistp256@openssh.com"},
};

// What clients see of us. OpenSSH tells that it reads no more (`ssh ... |
// head`) only to who begins so; to others it says nothing, and all would hang.
constexpr char kBanner[] = "OpenSSH-compatible_Berth";

absl::StatusOr<SshBind> MakeBind(const std::string& directory) {
  SshBind bind(ssh_bind_new());
  if (bind == nullptr) return absl::ResourceExhaustedError("no memory");
  bool no = false;
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_BANNER, kBanner);
  BERTH_ASSIGN_OR_RETURN(std::vector<SshKey> keys, LoadHostKeys(directory));
  for (SshKey& key : keys) {
    // It takes the key over.
    if (ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY,
                             key.get()) != SSH_OK) {
      return absl::InvalidArgumentError(
          absl::StrCat(directory, ": a host key can't be used"));
    }
    key.release();
  }
  for (const auto& [option, list] : kAlgorithms) {
    if (ssh_bind_options_set(bind.get(), option, list) != SSH_OK) {
      return absl::InternalError(absl::StrCat("libssh does not take ", list,
                                              ": ", ssh_get_error(bind.get())));
    }
  }
  return bind;
}

absl::StatusOr<Credentials> LoadCredentials(const std::string& directory) {
  Credentials credentials;
  const std::string file = absl::StrCat(directory, "/", kCertificateFile);
  BERTH_ASSIGN_OR_RETURN(credentials.ca,
                         ReadFile(absl::StrCat(directory, "/", kCaFile)));
  BERTH_ASSIGN_OR_RETURN(credentials.certificate, ReadFile(file));
  BERTH_RETURN_IF_ERROR(
      CheckNotExpired(file, credentials.certificate, absl::Now(),
                      "make another one with the same 'berth-gateway init'"));
  BERTH_ASSIGN_OR_RETURN(
      credentials.key, ReadSecretFile(absl::StrCat(directory, "/", kKeyFile)));
  return credentials;
}

// A client that went without a word is noticed within two minutes.
void SetUpSocket(int fd) {
  const int on = 1, idle = 60, every = 20, times = 3, timeout = 120'000;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

Server::Server(const Config& config, std::unique_ptr<Logins> logins,
               SshBind bind)
    : config_(config), logins_(std::move(logins)), bind_(std::move(bind)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const Config& config, const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const Credentials credentials,
                         LoadCredentials(directory));
  BERTH_ASSIGN_OR_RETURN(const Identity identity,
                         CertificateIdentity(credentials.certificate));
  BERTH_ASSIGN_OR_RETURN(SshBind bind, MakeBind(directory));
  std::unique_ptr<Server> server(new Server(
      config,
      std::make_unique<Logins>(
          config.broker,
          config.public_broker.empty() ? config.broker : config.public_broker,
          identity.name, credentials),
      std::move(bind)));
  BERTH_RETURN_IF_ERROR(server->Listen());
  server->accepting_ =
      std::thread([self = server.get()] { self->AcceptAll(); });
  return server;
}

absl::Status Server::Listen() {
  const size_t colon = config_.listen.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen = '", config_.listen, "': it takes ADDRESS:PORT"));
  }
  std::string host = config_.listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(host.empty() ? nullptr : host.c_str(),
                      config_.listen.c_str() + colon + 1, &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen = '", config_.listen, "': ", gai_strerror(error)));
  }
  listener_.reset(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound =
      bind(listener_.get(), found->ai_addr, found->ai_addrlen) == 0 &&
      listen(listener_.get(), 1024) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (!bound) {
    return absl::UnavailableError(absl::StrCat(
        "can't listen on ", config_.listen, ": ", strerror(error)));
  }
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.ss_family == AF_INET6
                    ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                    : reinterpret_cast<sockaddr_in&>(address).sin_port);
  stop_.reset(eventfd(0, EFD_CLOEXEC));
  return absl::OkStatus();
}

void Server::AcceptAll() {
  for (;;) {
    pollfd fds[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[0].revents == 0) continue;
    sockaddr_storage peer = {};
    socklen_t size = sizeof(peer);
    UniqueFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer),
                        &size, SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
          errno == ENOMEM) {
        SPDLOG_WARN("a connection can't be taken: {}", strerror(errno));
        poll(fds + 1, 1, 100);  // Or it would be tried again at once.
      }
      continue;
    }
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    getnameinfo(reinterpret_cast<sockaddr*>(&peer), size, host, sizeof(host),
                port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    Accept(std::move(fd), host, absl::StrCat(host, ":", port));
  }
}

void Server::Accept(UniqueFd fd, const std::string& host,
                    const std::string& address) {
  SetUpSocket(fd.get());
  SshSession session(ssh_new());
  UniqueFd own(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  const char* full = session == nullptr || !own.valid() ? "memory" : nullptr;
  Sockets::iterator socket;
  if (full == nullptr) {
    MutexLock lock(mu_);
    const auto of_host = strangers_.find(host);
    if (sockets_.size() >= config_.connections) {
      full = "`connections`";
    } else if (stranger_count_ >= config_.strangers) {
      full = "`strangers`";
    } else if (of_host != strangers_.end() &&
               of_host->second >= config_.strangers_per_address) {
      full = "`strangers_per_address`";
    } else {
      socket = sockets_.insert(sockets_.end(), std::move(own));
      ++strangers_[host];
      ++stranger_count_;
    }
  }
  if (full != nullptr) {
    SPDLOG_WARN("{}: turned away: the limit of {} is reached", address, full);
    return;
  }
  if (ssh_bind_accept_fd(bind_.get(), session.get(), fd.release()) != SSH_OK) {
    SPDLOG_WARN("{}: {}", address, ssh_get_error(bind_.get()));
    NoStranger(host);
    return Forget(socket);
  }
  const absl::Status started =
      StartDetached([this, session = session.get(), socket, host, address] {
        Serve(SshSession(session), socket, host, address);
      });
  if (started.ok()) {
    (void)session.release();  // The thread's.
    return;
  }
  SPDLOG_WARN("{}: turned away: {}", address, std::string(started.message()));
  NoStranger(host);
  Forget(socket);
}

void Server::Forget(Sockets::iterator socket) {
  MutexLock lock(mu_);
  sockets_.erase(socket);
  ended_.NotifyAll();
}

void Server::NoStranger(const std::string& host) {
  MutexLock lock(mu_);
  if (--strangers_[host] == 0) strangers_.erase(host);
  --stranger_count_;
}

void Server::Serve(SshSession session, Sockets::iterator socket,
                   const std::string& host, const std::string& address) {
  absl::StatusOr<Guest> guest =
      LetIn(std::move(session), address, *logins_,
            {config_.login_grace, config_.auth_tries});
  NoStranger(host);
  if (guest.ok()) {
    const std::string user = guest->name().user;
    SPDLOG_INFO("{}: user '{}' has logged in", address, user);
    Connection(*std::move(guest), config_).Serve();
    SPDLOG_INFO("{}: user '{}' has left", address, user);
  } else {
    SPDLOG_INFO("{}: {}", address, std::string(guest.status().message()));
  }
  Forget(socket);
}

bool Server::Stop() {
  const uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof(one));
  accepting_.join();
  const absl::Time deadline = MonotonicNow() + kDrain;
  MutexLock lock(mu_);
  for (const UniqueFd& socket : sockets_) shutdown(socket.get(), SHUT_RDWR);
  while (!sockets_.empty() && MonotonicNow() < deadline) {
    ended_.WaitFor(mu_, deadline - MonotonicNow());
  }
  return sockets_.empty();
}

}  // namespace berth::gateway

// The broker's own accept4(), which gRPC's listeners are linked with.
//
// gRPC stops listening for good once accepting fails for want of a descriptor:
// a broker that had once been full could not be reached any more. Here whoever
// can't be let in is turned away at once, by means of one descriptor that is
// kept for that, and the next one may find room. The same becomes of whoever
// has more connections than they may.

#include "broker/accept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "base/monotonic.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "spdlog/spdlog.h"

namespace berth::broker {
namespace {

constexpr absl::Duration kTellTime = absl::Seconds(10);

int Accept(int listener, sockaddr* address, socklen_t* length, int flags) {
  return static_cast<int>(
      syscall(SYS_accept4, listener, address, length, flags));
}

// Any thread may call it.
class Doorman {
 public:
  // Takes the next connection and closes it. False: there is none, or not even
  // that is possible.
  bool TurnAway(int listener) ABSL_LOCKS_EXCLUDED(mu_) {
    bool tells = false;
    bool turned = false;
    {
      MutexLock lock(mu_);
      spare_.reset();
      turned =
          UniqueFd(Accept(listener, nullptr, nullptr, SOCK_CLOEXEC)).valid();
      spare_ = Open();
      tells = turned && MonotonicNow() >= tell_at_;
      if (tells) tell_at_ = MonotonicNow() + kTellTime;
    }
    if (tells) {
      SPDLOG_WARN(
          "connections are turned away: all {} descriptors are in use "
          "(RLIMIT_NOFILE)",
          sysconf(_SC_OPEN_MAX));
    }
    return turned;
  }

  // Counts a new connection; one too many is closed. False: it was.
  bool LetIn(int fd, const std::string& address) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::Status status;
    bool tells = false;
    {
      MutexLock lock(mu_);
      status = table_.Add(fd, address, MonotonicNow());
      tells = !status.ok() && MonotonicNow() >= tell_at_;
      if (tells) tell_at_ = MonotonicNow() + kTellTime;
    }
    if (status.ok()) return true;
    close(fd);
    if (tells) {
      SPDLOG_WARN("connections are turned away: {}",
                  std::string(status.message()));
    }
    return false;
  }

  void SetLimits(const ConnectionTable::Limits& limits)
      ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    table_.set_limits(limits);
  }

 private:
  static uint64_t SocketOf(int fd) {
    struct stat info = {};
    return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? info.st_ino : 0;
  }

  static UniqueFd Open() {
    return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  Mutex mu_;
  UniqueFd spare_ ABSL_GUARDED_BY(mu_) = Open();
  ConnectionTable table_ ABSL_GUARDED_BY(mu_){ConnectionTable::Limits(),
                                              SocketOf};
  absl::Time tell_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

Doorman& TheDoorman() {
  // Never destroyed: listeners may outlive main().
  static Doorman& doorman = *new Doorman;
  return doorman;
}

// Without the port; empty for what does not come from a network.
std::string AddressOf(int fd) {
  sockaddr_storage peer = {};
  socklen_t length = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
    return "";
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&peer)->sin_addr, text,
              sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&peer)->sin6_addr,
              text, sizeof text);
  }
  return text;
}

// Made while there are descriptors.
[[maybe_unused]] const Doorman& kMade = TheDoorman();

}  // namespace

void LimitConnections(const ConnectionTable::Limits& limits) {
  TheDoorman().SetLimits(limits);
}

}  // namespace berth::broker

extern "C" int accept4(int listener, sockaddr* address, socklen_t* length,
                       int flags) {
  for (;;) {
    const int accepted =
        berth::broker::Accept(listener, address, length, flags);
    if (accepted >= 0) {
      const std::string from = berth::broker::AddressOf(accepted);
      if (from.empty() || berth::broker::TheDoorman().LetIn(accepted, from)) {
        return accepted;
      }
      continue;  // The next one may be let in.
    }
    if (errno != EMFILE && errno != ENFILE) return accepted;
    if (!berth::broker::TheDoorman().TurnAway(listener)) {
      errno = EAGAIN;  // gRPC waits for the next.
      return -1;
    }
  }
}

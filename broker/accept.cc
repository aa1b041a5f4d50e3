// The broker's own accept4(), which gRPC's listeners are linked with.
//
// gRPC stops listening for good once accepting fails for want of a descriptor:
// a broker that had once been full could not be reached any more. Here whoever
// can't be let in is turned away at once, by means of one descriptor that is
// kept for that, and the next one may find room.

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

 private:
  static UniqueFd Open() {
    return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  Mutex mu_;
  UniqueFd spare_ ABSL_GUARDED_BY(mu_) = Open();
  absl::Time tell_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

Doorman& TheDoorman() {
  // Never destroyed: listeners may outlive main().
  static Doorman& doorman = *new Doorman;
  return doorman;
}

// Made while there are descriptors.
[[maybe_unused]] const Doorman& kMade = TheDoorman();

}  // namespace
}  // namespace berth::broker

extern "C" int accept4(int listener, sockaddr* address, socklen_t* length,
                       int flags) {
  for (;;) {
    const int accepted =
        berth::broker::Accept(listener, address, length, flags);
    if (accepted >= 0 || (errno != EMFILE && errno != ENFILE)) return accepted;
    if (!berth::broker::TheDoorman().TurnAway(listener)) {
      errno = EAGAIN;  // gRPC waits for the next.
      return -1;
    }
  }
}

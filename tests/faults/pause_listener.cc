#include "tests/faults/pause_listener.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace berth::testing {

PauseListener::PauseListener(const std::string& path)
    : path_(path), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
}

PauseListener::Paused PauseListener::Wait(absl::Duration limit) {
  Paused paused;
  pollfd comes = {listener_.get(), POLLIN, 0};
  const int ready =
      poll(&comes, 1, static_cast<int>(absl::ToInt64Milliseconds(limit)));
  EXPECT_EQ(ready, 1) << "nothing has reached its pause point";
  if (ready != 1) return paused;
  paused.connection.reset(
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char line[128];
  const ssize_t size = read(paused.connection.get(), line, sizeof(line));
  if (size > 0) paused.line.assign(line, size);
  return paused;
}

}  // namespace berth::testing

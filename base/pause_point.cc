#include "base/pause_point.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/unique_fd.h"

namespace berth::pause_point_internal {
namespace {

// A test that forgets its program must not keep it for ever.
constexpr int kLongestPauseMs = 30'000;

struct Point {
  std::string name;
  std::string socket;  // Empty: kill.
  int at = 1;
  std::atomic<int> reached = 0;
};

using Points = std::vector<std::unique_ptr<Point>>;

std::unique_ptr<Point> ParsePoint(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  const std::pair<absl::string_view, absl::string_view> action =
      absl::StrSplit(parts.second, absl::MaxSplits('@', 1));
  auto point = std::make_unique<Point>();
  point->name = std::string(parts.first);
  if (absl::StartsWith(action.first, "/") &&
      action.first.size() < sizeof(sockaddr_un::sun_path)) {
    point->socket = std::string(action.first);
  } else if (action.first != "kill") {
    return nullptr;
  }
  const bool counted = absl::StrContains(parts.second, '@');
  if (counted &&
      (!absl::SimpleAtoi(action.second, &point->at) || point->at < 1)) {
    return nullptr;
  }
  return point;
}

Points ReadPoints() {
  Points points;
  const char* text = getenv("BERTH_PAUSE_POINTS");
  if (text == nullptr) return points;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    if (auto point = ParsePoint(part)) {
      points.push_back(std::move(point));
    } else {
      fprintf(stderr, "BERTH_PAUSE_POINTS: '%s' can't be parsed\n",
              std::string(part).c_str());
    }
  }
  return points;
}

// Read once; kept for ever, since threads may come here while the process
// ends.
const Points& ThePoints() {
  static const Points* const points = new Points(ReadPoints());
  return *points;
}

void Pause(const Point& point) {
  const UniqueFd peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  point.socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (connect(peer.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return;
  }
  const std::string line = absl::StrCat(point.name, " ", getpid(), "\n");
  if (send(peer.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return;
  pollfd closed = {peer.get(), POLLIN, 0};
  poll(&closed, 1, kLongestPauseMs);
}

}  // namespace

void Reach(const char* name, bool may_block) {
  const Points& points = ThePoints();
  state.store(points.empty() ? State::kOff : State::kOn,
              std::memory_order_relaxed);
  for (const auto& point : points) {
    if (point->name != name) continue;
    if (point->reached.fetch_add(1) + 1 != point->at) continue;
    if (point->socket.empty()) {
      kill(getpid(), SIGKILL);
    } else if (may_block) {
      Pause(*point);
    }
  }
}

}  // namespace berth::pause_point_internal

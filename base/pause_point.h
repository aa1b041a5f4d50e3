#ifndef BERTH_BASE_PAUSE_POINT_H_
#define BERTH_BASE_PAUSE_POINT_H_

#include <atomic>

namespace berth {

// Pause points are named places in a program where a test can stop or kill it,
// so that a race is provoked and not waited for. They are off, and then cost a
// load and a branch, unless the environment of the process says otherwise:
//
//   BERTH_PAUSE_POINTS="<point>=<action>[@<n>],..."
//
// The action happens when the point is reached for the `n`th time (1 if there
// is no `n`), and only then:
//
//   kill    the process sends itself SIGKILL.
//   <path>  an absolute path of a listening Unix socket: the thread connects,
//           sends "<point> <pid>\n", and goes on when its peer closes the
//           connection, at the latest after 30 seconds, or at once if nobody
//           listens.
//
// What can't be parsed is told on standard error, and left out. Any thread.

namespace pause_point_internal {

enum class State { kUnread, kOff, kOn };
inline std::atomic<State> state = State::kUnread;

// `may_block`: else only `kill` does something.
void Reach(const char* name, bool may_block);

}  // namespace pause_point_internal

// For threads that may wait.
inline void PausePoint(const char* name) {
  using pause_point_internal::State;
  if (pause_point_internal::state.load(std::memory_order_relaxed) ==
      State::kOff) {
    return;
  }
  pause_point_internal::Reach(name, /*may_block=*/true);
}

// For reactions of gRPC, which must not wait: knows `kill` alone.
inline void KillPoint(const char* name) {
  using pause_point_internal::State;
  if (pause_point_internal::state.load(std::memory_order_relaxed) ==
      State::kOff) {
    return;
  }
  pause_point_internal::Reach(name, /*may_block=*/false);
}

}  // namespace berth

#endif  // BERTH_BASE_PAUSE_POINT_H_

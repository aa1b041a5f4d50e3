#ifndef BERTH_TESTS_FAULTS_PAUSE_LISTENER_H_
#define BERTH_TESTS_FAULTS_PAUSE_LISTENER_H_

#include <string>

#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace berth::testing {

// Where programs that reach a pause point (base/pause_point.h) wait for the
// test. `path()` is the action to name in BERTH_PAUSE_POINTS.
class PauseListener {
 public:
  explicit PauseListener(const std::string& path);

  const std::string& path() const { return path_; }

  // Waits until a program has reached its point; it waits there as long as the
  // result is kept. Fails the test if none does.
  struct Paused {
    std::string line;  // "<point> <pid>\n".
    UniqueFd connection;
  };
  Paused Wait(absl::Duration limit = absl::Seconds(30));

 private:
  const std::string path_;
  UniqueFd listener_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_PAUSE_LISTENER_H_

#ifndef BERTH_TESTS_BOUNDS_BOUNDS_FIXTURE_H_
#define BERTH_TESTS_BOUNDS_BOUNDS_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {

// A fleet of one computer, "Server01", with two sessions: 1, which is driven to
// its bounds, and 2, in which somebody else works meanwhile.
class BoundsTest : public ::testing::Test {
 protected:
  BoundsTest();

  // Somebody else's command is answered, on a busy machine, too.
  void ExpectOthersUnhurt();

  // Waits until `done`; `what` is for the message.
  void WaitUntil(const std::function<bool()>& done, const std::string& what,
                 absl::Duration limit = absl::Seconds(60));

  // Kilobytes of memory (PSS) of the broker, the agent and session 1's holder,
  // by those names, and of `others`.
  using Memory = std::map<std::string, int64_t>;
  Memory MeasureMemory(const std::map<std::string, pid_t>& others = {});
  // That none has more than `kilobytes` more than `before`; prints it.
  void ExpectGrewLessThan(int64_t kilobytes, const Memory& before,
                          const std::map<std::string, pid_t>& others = {});

  // Session 1's directory, and the size of what its commands' logs have.
  std::string SessionDirectory(const std::string& selector = "1");
  uint64_t LoggedBytes();

  Fleet fleet_;
};

// Whether the long forms are wanted.
bool IsLong();

}  // namespace berth::testing

#endif  // BERTH_TESTS_BOUNDS_BOUNDS_FIXTURE_H_

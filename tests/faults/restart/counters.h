#ifndef BERTH_TESTS_FAULTS_RESTART_COUNTERS_H_
#define BERTH_TESTS_FAULTS_RESTART_COUNTERS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/fleet.h"
#include "tests/support/process.h"

namespace berth::testing {

// Counters keeps many sessions of a fleet busy: in each a command counts, a
// line for each number, until it is told to stop, and a client follows it the
// whole time. What a client got must be the numbers, each once.
class Counters {
 public:
  // Makes `count` sessions on `computer` and starts a command in each.
  Counters(Fleet& fleet, const std::string& computer, size_t count);

  size_t size() const { return clients_.size(); }
  // Waits until each client has got `more` further lines. Fails the test with
  // what the clients said, if that takes longer than `limit`.
  void WaitForLines(int more, absl::Duration limit = absl::Seconds(60));
  // Stops all, waits for each client, and checks what it got.
  void StopAndCheck(absl::Duration limit = absl::Minutes(2));

 private:
  std::string OutputOf(size_t i) const;
  std::string ErrorsOf(size_t i) const;
  int Lines(size_t i) const;

  Fleet& fleet_;
  const std::string stop_;  // The commands end when this file is there.
  std::vector<Process> clients_;
};

// How many sessions are as `ls` shows them: those of a living computer are
// Opened or Disconnected.
size_t CountLiving(Fleet& fleet);
// Waits for that many. Returns how long it took.
absl::Duration WaitForLiving(Fleet& fleet, size_t count,
                             absl::Duration limit = absl::Seconds(60));

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_RESTART_COUNTERS_H_

#ifndef BERTH_TESTS_FAULTS_RESTART_OLD_HOLDER_H_
#define BERTH_TESTS_FAULTS_RESTART_OLD_HOLDER_H_

#include <sys/types.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "tests/faults/restart/fixtures/v1/exchange.pb.h"

namespace berth::testing {

// OldHolder poses as a berth-holder of version 1: it says what one said (the
// recorded exchange), and notes whatever one would not have understood. A
// process of its own stands for the holder's; a thread serves its socket.
class OldHolder {
 public:
  // In the session's `directory`, to which it also copies the recorded journal
  // and log. `fixtures`: where all that was recorded is.
  OldHolder(const std::string& directory, const std::string& fixtures);
  ~OldHolder();

  pid_t pid() const { return pid_; }

  // Requests with something that version 1 does not have, as text.
  std::vector<std::string> NotUnderstood() const ABSL_LOCKS_EXCLUDED(mu_);
  // Which requests came, by name: each once.
  std::vector<std::string> Asked() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run();
  // False: the connection is over.
  bool Serve(int fd);
  void Answer(int fd, const holder::version1::Request& request);
  void End();

  holder::version1::Exchange exchange_;
  pid_t pid_ = 0;
  UniqueFd listener_;
  std::vector<UniqueFd> connections_;  // The thread's.
  std::atomic<bool> ending_ = false;
  mutable Mutex mu_;
  std::vector<std::string> not_understood_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> asked_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_RESTART_OLD_HOLDER_H_

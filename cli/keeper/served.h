#ifndef BERTH_CLI_KEEPER_SERVED_H_
#define BERTH_CLI_KEEPER_SERVED_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/client/connector.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// A command line at work in the keeper, on a thread of its own. Thread-safe.
class Served {
 public:
  // What it tells, on its thread.
  struct Listener {
    // The exit status is settled, and the process's descriptors are closed.
    std::function<void(int)> exits;
    // The process is to stop itself until somebody continues it.
    std::function<void()> suspends;
    // The thread ends. The last call.
    std::function<void()> done;
  };

  // Starts it. `fds` are the descriptors of the process that asked.
  Served(Invocation::Params params, std::vector<UniqueFd> fds,
         Connector& connector, Listener listener);
  // Waits for it to end.
  ~Served() { thread_.join(); }

  // Passes on what happened to the process.
  void Post(Signal signal) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  void Exit(int exit_status);

  const Listener listener_;
  // Of the thread, once it runs.
  std::vector<UniqueFd> fds_;
  bool has_exited_ = false;

  Mutex mu_;
  std::unique_ptr<Invocation> invocation_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_SERVED_H_

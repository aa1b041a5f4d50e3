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
  // Starts it. `fds` are the descriptors of the process that asked; they are
  // closed before `on_done` is called with the exit status, on that thread, as
  // the last thing it does.
  Served(Invocation::Params params, std::vector<UniqueFd> fds,
         Connector& connector, std::function<void(int)> on_done);
  // Waits for it to end.
  ~Served() { thread_.join(); }

  // Passes on what happened to the process.
  void Post(Signal signal) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run(std::function<void(int)> on_done) ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<UniqueFd> fds_;
  Mutex mu_;
  std::unique_ptr<Invocation> invocation_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_SERVED_H_

#ifndef BERTH_BROKER_GATEWAY_WORKER_H_
#define BERTH_BROKER_GATEWAY_WORKER_H_

#include <sys/ioctl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "broker/gateway/work.h"
#include "cli/client/connection.h"
#include "cli/client/connector.h"
#include "cli/invocation/invocation.h"

namespace berth::gateway {

// A Work on its thread, and the pipes or terminal between it and a channel.
// Thread-safe.
class Worker {
 public:
  // The channel's ends. They do not block. Of a terminal `out` is both, and
  // `in` and `err` are not valid.
  struct Ends {
    UniqueFd in, out, err;
  };

  struct Terminal {
    winsize size;
    bool raw;  // What is typed passes as it is.
  };

  // `terminal`: null if there is to be none. `done` is called on the
  // worker's thread, last, when its ends are closed. ResourceExhausted: too
  // many descriptors.
  static absl::StatusOr<std::unique_ptr<Worker>> Start(
      std::unique_ptr<Work> work, std::shared_ptr<cli::Connection> connection,
      const std::string& term, const Terminal* terminal,
      std::function<void()> done);
  // Makes it leave, and waits until it has.
  ~Worker();

  Ends& ends() { return ends_; }
  void Post(cli::Signal signal) ABSL_LOCKS_EXCLUDED(mu_);
  // Once it is done.
  std::optional<Ended> ended() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Worker(std::unique_ptr<Work> work,
         std::shared_ptr<cli::Connection> connection,
         std::function<void()> done)
      : work_(std::move(work)),
        connection_(std::move(connection)),
        done_(std::move(done)) {}

  absl::Status MakePipes();
  absl::Status MakeTerminal(const Terminal& terminal);
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  const std::unique_ptr<Work> work_;
  const std::shared_ptr<cli::Connection> connection_;
  const std::function<void()> done_;
  Ends ends_;
  // The worker's own ends; of a terminal only the first.
  UniqueFd in_, out_, err_;
  cli::DirectConnector connector_;

  mutable Mutex mu_;
  std::unique_ptr<cli::Invocation> invocation_ ABSL_GUARDED_BY(mu_);
  std::optional<Ended> ended_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_WORKER_H_

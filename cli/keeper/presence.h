#ifndef BERTH_CLI_KEEPER_PRESENCE_H_
#define BERTH_CLI_KEEPER_PRESENCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/client/connection.h"
#include "grpcpp/grpcpp.h"

namespace berth::cli {

// Keeps this user's client present at one broker, so that the sessions it
// holds stay Opened: a Hold stream, opened again whenever it ends, on a thread
// of its own. Thread-safe.
class Presence {
 public:
  explicit Presence(std::shared_ptr<Connection> connection);
  // Ends the presence.
  ~Presence();

  // Waits until the client is present, an attempt has failed (one begins now,
  // if none is on its way), or `timeout` has passed. True: it is present.
  bool Wait(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

  bool present() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  void Attempt(grpc::ClientContext& context) ABSL_LOCKS_EXCLUDED(mu_);

  const std::shared_ptr<Connection> connection_;

  std::string last_error_;  // Of the thread alone.

  mutable Mutex mu_;
  CondVar changed_;
  bool present_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t ended_ ABSL_GUARDED_BY(mu_) = 0;  // Attempts.
  // Attempts that somebody waits for, so the next is not put off.
  uint64_t wanted_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;

  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_PRESENCE_H_

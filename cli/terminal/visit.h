#ifndef BERTH_CLI_TERMINAL_VISIT_H_
#define BERTH_CLI_TERMINAL_VISIT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/client/backoff.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/terminal/display.h"
#include "cli/terminal/terminal_stream.h"
#include "cli/terminal/tty.h"
#include "cli/terminal/typed_buffer.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// One visit to a session's terminal, over as many streams as it takes: when a
// link breaks it comes back by itself and goes on, for ReconnectPatience(). Its
// own thread, of which Run() is all, reads; whoever types calls the rest. All
// that is passed must outlive it. Thread-safe.
class Visit {
 public:
  // `open` says which session and how; id, size and offset are filled in.
  // `changed` is called, on Run()'s thread, whenever state() may be another.
  Visit(Connection& connection, Invocation& invocation, Tty& tty,
        Display& display, v1::OpenTerminal open, std::function<void()> changed);

  // The visit from its first stream to its end.
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  struct State {
    // The terminal was attached at least once, and is raw.
    bool attached = false;
    // Since when there is no link; InfiniteFuture while there is.
    absl::Time lost_at = absl::InfiniteFuture();
    // Since when typed bytes are not known to have arrived.
    absl::Time unanswered_since = absl::InfiniteFuture();
    // Run() has nothing more to do.
    bool over = false;
  };
  State state() const ABSL_LOCKS_EXCLUDED(mu_);

  // Once it is over, or Leave() was called: how the visit ended. `ended` is not
  // set if it was left, or failed with `status`.
  struct Outcome {
    std::optional<v1::TerminalEnded> ended;
    absl::Status status;
    // The session, if it was ever reached.
    std::optional<v1::Session> session;
  };
  Outcome outcome() const ABSL_LOCKS_EXCLUDED(mu_);

  // For people, since the last call.
  std::vector<std::string> TakeNotices() ABSL_LOCKS_EXCLUDED(mu_);

  // Keeps typed bytes, and sends them when there is a link. Returns how many of
  // them there was room for.
  size_t Type(absl::string_view typed) ABSL_LOCKS_EXCLUDED(mu_);
  // For all that one read may give.
  bool HasRoom() const ABSL_LOCKS_EXCLUDED(mu_);
  void Resize() ABSL_LOCKS_EXCLUDED(mu_);
  void AskRedraw() ABSL_LOCKS_EXCLUDED(mu_);
  // Says goodbye, if there is a link; Run() ends then.
  void Detach() ABSL_LOCKS_EXCLUDED(mu_);
  // Makes Run() end now.
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Status Attempt() ABSL_LOCKS_EXCLUDED(mu_);
  v1::TerminalRequest First() ABSL_LOCKS_EXCLUDED(mu_);
  void OnEvent(v1::TerminalEvent& event) ABSL_LOCKS_EXCLUDED(mu_);
  // Tells now and then how much was shown.
  void Shown(size_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  void OnOpened(const v1::TerminalOpened& opened) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWaiting(const v1::Activity& behind);
  bool MayRetry(const absl::Status& status) const ABSL_LOCKS_EXCLUDED(mu_);
  bool WaitForRetry() ABSL_LOCKS_EXCLUDED(mu_);
  // Sends what is typed, as far as it may go.
  void Pump() ABSL_LOCKS_EXCLUDED(mu_);
  void Write(const v1::TerminalRequest& request) ABSL_LOCKS_EXCLUDED(mu_);

  Connection& connection_;
  Invocation& invocation_;
  Tty& tty_;
  Display& display_;
  const v1::OpenTerminal open_;
  const std::function<void()> changed_;
  const absl::Duration patience_;

  // Of Run()'s thread.
  Backoff backoff_;
  size_t generation_ = 0;  // Of the connection, at the last attempt.
  bool from_broker_ = false;
  bool reached_ = false;  // The session has answered, if only to wait.
  // Bytes of output and screens that this stream has brought, and told of.
  uint64_t shown_ = 0;
  uint64_t shown_told_ = 0;
  std::optional<uint64_t> output_end_;  // All output before it was shown.

  // Keeps frames with typed bytes in order.
  Mutex pump_mu_;
  mutable Mutex mu_;
  CondVar left_changed_;
  State state_ ABSL_GUARDED_BY(mu_);
  Outcome outcome_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> notices_ ABSL_GUARDED_BY(mu_);
  TypedBuffer typed_ ABSL_GUARDED_BY(mu_);
  // While it may be written to.
  std::shared_ptr<TerminalStream> stream_ ABSL_GUARDED_BY(mu_);
  // While it may be cancelled.
  std::shared_ptr<TerminalStream> attempt_ ABSL_GUARDED_BY(mu_);
  bool left_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_VISIT_H_

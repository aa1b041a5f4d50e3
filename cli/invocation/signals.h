#ifndef BERTH_CLI_INVOCATION_SIGNALS_H_
#define BERTH_CLI_INVOCATION_SIGNALS_H_

#include <functional>
#include <list>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace berth::cli {

// What may happen to a `berth` process while its command works.
enum class Signal {
  kInterrupt,  // SIGINT: Ctrl-C.
  kTerminate,  // SIGTERM.
  kHangup,     // SIGHUP: its terminal is gone.
  kGone,       // The process itself is gone.
  kResized,    // SIGWINCH: its terminal changed its size.
  kContinued,  // SIGCONT: it goes on after it was stopped.
};

// The signals of one invocation, as state rather than as a queue, so that any
// number of threads can look at it. The command may leave (stop at once) when
// left() is true. Thread-safe.
class SignalSource {
 public:
  SignalSource();

  // Something happened. Any signal makes the command leave, except the first
  // interrupt once ForwardInterrupts() was called, and the last two above,
  // which only matter to who watches the terminal.
  void Post(Signal signal);

  // From now on the first interrupt is the command's own business, such as
  // interrupting something remote. A second one makes it leave.
  void ForwardInterrupts();

  // The exit status is settled: signals no longer matter.
  void Settle();

  // Leaves without a signal, such as when the reader of stdout is gone.
  void Leave();

  int interrupts() const;
  // How often the terminal changed its size, and the process was continued.
  int resizes() const;
  int continues() const;
  bool left() const;
  // Readable once left, for poll(). Nobody reads from it.
  int left_fd() const { return left_fd_.get(); }
  // 128 and the number of the signal that ended it, as shells report it.
  int exit_code() const;

  // Calls `changed` when resizes() or continues() are others; null: nobody any
  // more. It may do as little as a Watch's function.
  void OnTerminal(std::function<void()> changed);

  // Calls a function at every signal that may matter to a command, for as long
  // as it lives.
  class Watch {
   public:
    // `on_signal` is called with a lock held, on any thread, and told whether
    // the invocation was left. It may only do what never blocks and does not
    // call back: set a flag, write to an eventfd, cancel an rpc.
    Watch(SignalSource& source, std::function<void(bool left)> on_signal);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    SignalSource& source_;
    std::list<std::function<void(bool left)>>::iterator position_;
  };

 private:
  void LeaveLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const UniqueFd left_fd_;
  mutable Mutex mu_;
  std::list<std::function<void(bool left)>> watches_ ABSL_GUARDED_BY(mu_);
  std::function<void()> on_terminal_ ABSL_GUARDED_BY(mu_);
  int interrupts_ ABSL_GUARDED_BY(mu_) = 0;
  int resizes_ ABSL_GUARDED_BY(mu_) = 0;
  int continues_ ABSL_GUARDED_BY(mu_) = 0;
  bool forward_interrupts_ ABSL_GUARDED_BY(mu_) = false;
  bool settled_ ABSL_GUARDED_BY(mu_) = false;
  bool left_ ABSL_GUARDED_BY(mu_) = false;
  int exit_code_ ABSL_GUARDED_BY(mu_) = 130;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_SIGNALS_H_

#ifndef BERTH_CLI_TERMINAL_TTY_H_
#define BERTH_CLI_TERMINAL_TTY_H_

#include <sys/types.h>
#include <termios.h>

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// The user's terminal: its modes, its size, what is typed there. Restores its
// modes when it goes. Thread-safe.
class Tty {
 public:
  // `fd` is not owned.
  explicit Tty(int fd);
  ~Tty() { Restore(); }
  Tty(const Tty&) = delete;
  Tty& operator=(const Tty&) = delete;

  // Every key comes as it is, at once; nothing is echoed, and no key makes a
  // signal. FAILED_PRECONDITION: it is no terminal.
  absl::Status MakeRaw() ABSL_LOCKS_EXCLUDED(mu_);
  // As it was before. Does nothing if it is so.
  void Restore() ABSL_LOCKS_EXCLUDED(mu_);

  // 24 rows and 80 columns if it does not know.
  v1::TerminalSize Size() const;

  // For poll().
  int fd() const { return own_.valid() ? own_.get() : fd_; }
  // As read(); never blocks where that can be had: -1 with errno EAGAIN.
  ssize_t Read(void* buffer, size_t size);

 private:
  const int fd_;
  // Our own open file description, which does not block.
  UniqueFd own_;
  Mutex mu_;
  bool raw_ ABSL_GUARDED_BY(mu_) = false;
  termios saved_ ABSL_GUARDED_BY(mu_) = {};
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_TTY_H_

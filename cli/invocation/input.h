#ifndef BERTH_CLI_INVOCATION_INPUT_H_
#define BERTH_CLI_INVOCATION_INPUT_H_

#include <sys/types.h>

#include <cstddef>

#include "base/unique_fd.h"

namespace berth::cli {

// Standard input of an invocation. Not thread-safe.
class Input {
 public:
  // `fd` is not owned; -1 if there is none.
  explicit Input(int fd) : fd_(fd) {}

  // Whether there is something to pass on: a pipe, a file, a socket; but not a
  // terminal, /dev/null, or nothing.
  bool HasData() const;

  // For poll(). A plain file is always readable.
  int fd() const { return own_.valid() ? own_.get() : fd_; }

  // Gets ready for Read(). Call once.
  void Prepare();

  // As read(), but never blocks where that can be had: -1 with errno EAGAIN.
  ssize_t Read(void* buffer, size_t size);

 private:
  const int fd_;
  // Our own open file description of the same pipe, which does not block.
  UniqueFd own_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_INPUT_H_

#ifndef BERTH_CLI_INVOCATION_OUTPUT_H_
#define BERTH_CLI_INVOCATION_OUTPUT_H_

#include <sys/uio.h>

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/invocation/signals.h"

namespace berth::cli {

// Standard output or error of an invocation. The descriptor may be somebody
// else's pipe or terminal, with a reader that never reads: so waiting ends
// when the invocation is left, and the descriptor's own flags, which its other
// users share, are never changed. Thread-safe: a Write is never mixed with
// another.
class Output {
 public:
  // Neither `fd` nor `signals` is owned.
  Output(int fd, const SignalSource& signals) : fd_(fd), signals_(signals) {}

  struct Result {
    size_t written = 0;
    // CANCELLED: closed; or the invocation was left, and there is no room.
    // ABORTED: the reader is gone (EPIPE). Else what the kernel says.
    absl::Status status;
  };

  // Writes all of `pieces`, unless it fails. Changes `pieces`.
  Result Write(absl::Span<iovec> pieces) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Write(absl::string_view text) ABSL_LOCKS_EXCLUDED(mu_);

  bool IsTerminal() const ABSL_LOCKS_EXCLUDED(mu_);

  // Lets go of the descriptor, whose owner may close it now. Nothing can be
  // written any more.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class Kind { kUnknown, kPlain, kPolled, kSocket };

  void Prepare() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EnlargePipe(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  ssize_t WriteSome(absl::Span<iovec> pieces)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WaitWritable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int fd_;
  const SignalSource& signals_;
  // Held while waiting for the reader: it is what keeps writers in order.
  mutable Mutex mu_;
  Kind kind_ ABSL_GUARDED_BY(mu_) = Kind::kUnknown;
  // Our own open file description of the same pipe or terminal, which does not
  // block; or not valid if there can be none.
  UniqueFd own_ ABSL_GUARDED_BY(mu_);
  bool enlarged_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_OUTPUT_H_

#include "cli/copy/transfer.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "cli/render/duration.h"

namespace berth::cli {

bool Transfer::Run() {
  for (;;) {
    CopyStream stream(connection_, invocation_.signals());
    bool complete = false;
    answered_ = false;
    const absl::Status status = Attempt(stream, complete);
    if (complete) return !has_problems_;
    if (invocation_.signals().left()) {
      if (sent_) {
        bar_.Say(
            "stopped; what is complete stays, and a large file that was cut "
            "off goes on from there with the same command");
      }
      return false;
    }
    if (answered_) {
      lost_at_ = absl::InfiniteFuture();
      backoff_.Reset();
    }
    if (!MayRetry(stream, status) || !WaitForRetry(status)) {
      bar_.Say(absl::StrCat("session '", name_, "': ", status.message()));
      return false;
    }
  }
}

void Transfer::Problem(absl::string_view text) {
  has_problems_ = true;
  bar_.Say(text);
}

void Transfer::Opened() {
  opened_ = true;
  answered_ = true;
}

v1::OpenCopy Transfer::MakeOpen(const v1::SessionRef& session) const {
  v1::OpenCopy open;
  *open.mutable_session() = session;
  *open.mutable_client() = connection_.client();
  return open;
}

// As with commands: until the session has answered once, the broker's word is
// final. Afterwards it may only not know yet that the computer is coming back.
bool Transfer::MayRetry(const CopyStream& stream,
                        const absl::Status& status) const {
  if (!sent_ || no_retry_) return false;
  if (!stream.from_broker() || absl::IsCancelled(status)) return true;
  return status.ok() || (opened_ && absl::IsUnavailable(status));
}

// False: patience is over.
bool Transfer::WaitForRetry(const absl::Status& status) {
  const absl::Time now = MonotonicNow();
  if (lost_at_ == absl::InfiniteFuture()) {
    lost_at_ = now;
    bar_.Say(absl::StrCat("connection to ", name_, " lost; reconnecting for ",
                          ShortDuration(kPatience), " (", status.message(),
                          ")"));
  }
  const absl::Duration delay = backoff_.Next();
  if (now + delay > lost_at_ + kPatience) return false;
  pollfd left = {invocation_.signals().left_fd(), POLLIN, 0};
  poll(&left, 1, static_cast<int>(absl::ToInt64Milliseconds(delay)));
  return true;
}

}  // namespace berth::cli

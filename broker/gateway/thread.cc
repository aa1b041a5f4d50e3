#include "broker/gateway/thread.h"

#include <system_error>
#include <utility>

#include "base/status_macros.h"

namespace berth::gateway {

absl::StatusOr<std::thread> StartThread(std::function<void()> run) {
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error&) {
    return absl::ResourceExhaustedError(
        "no more threads can be started on this machine (see `ulimit -u`, and "
        "TasksMax of its unit)");
  }
}

absl::Status StartDetached(std::function<void()> run) {
  BERTH_ASSIGN_OR_RETURN(std::thread thread, StartThread(std::move(run)));
  thread.detach();
  return absl::OkStatus();
}

}  // namespace berth::gateway

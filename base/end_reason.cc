#include "base/end_reason.h"

namespace berth {

absl::string_view EndReasonText(v1::EndReason reason) {
  switch (reason) {
    case v1::END_REASON_REMOVED:
      return "removed";
    case v1::END_REASON_SHELL_EXITED:
      return "its shell exited";
    case v1::END_REASON_IDLE_TIMEOUT:
      return "idle timeout";
    case v1::END_REASON_HOLDER_LOST:
      return "holder lost";
    case v1::END_REASON_COMPUTER_RESTARTED:
      return "computer restarted";
    case v1::END_REASON_START_FAILED:
      return "its shell could not be started";
    default:
      return "reason not known";
  }
}

}  // namespace berth

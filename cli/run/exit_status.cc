#include "cli/run/exit_status.h"

#include "absl/strings/str_cat.h"

namespace berth::cli {
namespace {

std::string WithDetail(absl::string_view text, const v1::CommandEnded& ended) {
  return ended.detail().empty() ? std::string(text)
                                : absl::StrCat(text, ": ", ended.detail());
}

}  // namespace

int ExitStatusOf(const v1::CommandEnded& ended) {
  switch (ended.how()) {
    case v1::CommandEnded::COMPLETED:
    case v1::CommandEnded::EXITED:
    case v1::CommandEnded::INTERRUPTED:
    case v1::CommandEnded::SHELL_ENDED:
      return ended.exit_code() & 0xff;
    case v1::CommandEnded::TIMED_OUT:
      return kDeadlineExit;
    default:
      // Not started, or its end was not seen: never taken for success.
      return kFailedExit;
  }
}

std::string DescribeEnd(const v1::CommandEnded& ended) {
  switch (ended.how()) {
    case v1::CommandEnded::COMPLETED:
    case v1::CommandEnded::EXITED:
    case v1::CommandEnded::INTERRUPTED:
      return "";
    case v1::CommandEnded::TIMED_OUT:
      return WithDetail("its timeout passed, and it was interrupted", ended);
    case v1::CommandEnded::SHELL_ENDED:
      return WithDetail("the session's shell ended while it ran", ended);
    case v1::CommandEnded::NOT_STARTED:
      return WithDetail("the command was not started", ended);
    default:
      return WithDetail("the command's end was not seen", ended);
  }
}

}  // namespace berth::cli

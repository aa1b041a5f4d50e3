#include "cli/ssh/ask.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/monotonic.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr size_t kMaxAnswer = 100;

}  // namespace

bool CanAsk(Invocation& invocation) {
  return isatty(invocation.in_fd()) == 1 && invocation.err().IsTerminal();
}

bool AskYes(Invocation& invocation, const std::string& question) {
  invocation.err().Write(EscapeForTerminal(question)).IgnoreError();
  const absl::Time deadline = MonotonicNow() + kPatience;
  std::string answer;
  while (MonotonicNow() < deadline && answer.size() < kMaxAnswer) {
    pollfd fds[] = {{invocation.in_fd(), POLLIN, 0},
                    {invocation.signals().left_fd(), POLLIN, 0}};
    const int64_t left = absl::ToInt64Milliseconds(deadline - MonotonicNow());
    if (poll(fds, 2, static_cast<int>(std::max<int64_t>(left, 0))) <= 0 ||
        fds[1].revents != 0) {
      break;
    }
    char c;
    if (read(invocation.in_fd(), &c, 1) != 1) break;
    if (c == '\n') {
      return absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer)) == "yes";
    }
    answer += c;
  }
  invocation.err().Write("\n").IgnoreError();
  return false;
}

}  // namespace berth::cli

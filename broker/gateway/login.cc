#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "broker/gateway/work.h"
#include "cli/render/format.h"

namespace berth::gateway {
namespace {

// A request has 500 bytes.
constexpr size_t kMaxRequest = 16 << 10;
constexpr absl::Duration kPatience = absl::Seconds(20);

absl::StatusOr<std::string> ReadRequest(cli::Invocation& invocation) {
  const absl::Time deadline = MonotonicNow() + kPatience;
  std::string text;
  while (text.size() <= kMaxRequest) {
    pollfd fds[] = {{invocation.signals().left_fd(), POLLIN, 0},
                    {invocation.in_fd(), POLLIN, 0}};
    const int64_t left = absl::ToInt64Milliseconds(deadline - MonotonicNow());
    if (left <= 0) {
      return absl::DeadlineExceededError(
          absl::StrCat("login: no certificate signing request came within ",
                       absl::FormatDuration(kPatience)));
    }
    if (poll(fds, 2, static_cast<int>(left)) < 0 && errno != EINTR) {
      return ErrnoToStatus(errno, "waiting for input");
    }
    if (invocation.signals().left()) return absl::CancelledError("login: left");
    if (fds[1].revents == 0) continue;
    char bytes[4096];
    const ssize_t size = read(invocation.in_fd(), bytes, sizeof(bytes));
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return ErrnoToStatus(errno, "reading input");
    if (size == 0) break;
    text.append(bytes, size);
  }
  if (!text.empty() && text.size() <= kMaxRequest) return text;
  return absl::InvalidArgumentError(absl::StrCat(
      "login: wants a certificate signing request (PEM) of at most ",
      kMaxRequest, " bytes on standard input; 'berth login' makes one"));
}

class Login : public Work {
 public:
  explicit Login(Certifier certifier) : certifier_(std::move(certifier)) {}

  Ended Run(cli::Invocation& invocation, cli::Connection&) override {
    const absl::StatusOr<v1::ClientLogin> login = Ask(invocation);
    if (!login.ok()) return {invocation.Fail(login.status())};
    return {invocation.Print(cli::ToJson(*login) + "\n")};
  }

 private:
  absl::StatusOr<v1::ClientLogin> Ask(cli::Invocation& invocation) {
    BERTH_ASSIGN_OR_RETURN(const std::string csr, ReadRequest(invocation));
    return certifier_(csr);
  }

  const Certifier certifier_;
};

}  // namespace

std::unique_ptr<Work> MakeLogin(Certifier certifier) {
  return std::make_unique<Login>(std::move(certifier));
}

}  // namespace berth::gateway

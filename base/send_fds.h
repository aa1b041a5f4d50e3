#ifndef BERTH_BASE_SEND_FDS_H_
#define BERTH_BASE_SEND_FDS_H_

#include <sys/types.h>

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace berth {

inline constexpr size_t kMaxSentFds = 16;

// As send(2) of `data`, with descriptors that the other end of a Unix socket
// gets copies of. -1 and errno: nothing was sent; EINVAL for more descriptors
// than kMaxSentFds. No SIGPIPE.
ssize_t SendFds(int socket, absl::string_view data, absl::Span<const int> fds,
                int flags);

// The same with one, if `fd` is not negative.
inline ssize_t SendFd(int socket, absl::string_view data, int fd, int flags) {
  return SendFds(socket, data,
                 fd < 0 ? absl::Span<const int>() : absl::MakeSpan(&fd, 1),
                 flags);
}

}  // namespace berth

#endif  // BERTH_BASE_SEND_FDS_H_

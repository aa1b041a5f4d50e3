#include "agent/holder/frame.h"

#include <errno.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

constexpr uint32_t kMaxFrame = 1 << 20;

absl::Status ReadExactly(int fd, char* data, size_t size) {
  size_t length = 0;
  while (length < size) {
    ssize_t got = read(fd, data + length, size - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoToStatus(errno, "reading a message");
    if (got == 0) return absl::DataLossError("the message is cut off");
    length += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadFrame(int fd, google::protobuf::MessageLite& message) {
  unsigned char header[4];
  BERTH_RETURN_IF_ERROR(
      ReadExactly(fd, reinterpret_cast<char*>(header), sizeof(header)));
  uint32_t size = header[0] | header[1] << 8 | header[2] << 16 |
                  static_cast<uint32_t>(header[3]) << 24;
  if (size > kMaxFrame) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", size, " bytes; at most ", kMaxFrame, " are allowed"));
  }
  std::string bytes(size, 0);
  BERTH_RETURN_IF_ERROR(ReadExactly(fd, bytes.data(), size));
  if (!message.ParseFromString(bytes)) {
    return absl::InvalidArgumentError("the message can't be parsed");
  }
  return absl::OkStatus();
}

absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message) {
  std::string bytes = message.SerializeAsString();
  std::string frame(4, 0);
  for (int i = 0; i < 4; ++i) {
    frame[i] = static_cast<char>(bytes.size() >> (8 * i));
  }
  return WriteAll(fd, frame + bytes);
}

}  // namespace berth::holder

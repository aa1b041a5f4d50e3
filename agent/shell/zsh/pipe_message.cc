#include "agent/shell/zsh/pipe_message.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace berth::shell {
namespace {

// What zsh may say.
bool IsFromShell(char type) {
  switch (type) {
    case BERTH_HELLO:
    case BERTH_UNUSABLE:
    case BERTH_PROMPT:
    case BERTH_BUSY:
    case BERTH_READY:
    case BERTH_STARTED:
    case BERTH_DONE:
    case BERTH_WITHDRAWN:
    case BERTH_REFUSED:
      return true;
  }
  return false;
}

}  // namespace

std::string EncodePipeMessage(const ControlPacket& packet, pid_t owner,
                              absl::Span<const int> fds) {
  std::string line =
      absl::StrCat(std::string(1, static_cast<char>(packet.type)), " ",
                   packet.flags, " ", packet.id);
  if (!fds.empty()) absl::StrAppend(&line, " ", owner);
  for (int fd : fds) absl::StrAppend(&line, " ", fd);
  return line + "\n";
}

absl::StatusOr<ControlPacket> DecodePipeMessage(absl::string_view message) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(message, absl::MaxSplits(' ', 5));
  ControlPacket packet;
  if (words.size() < 5 || words[0].size() != 1 || !IsFromShell(words[0][0]) ||
      !absl::SimpleAtoi(words[1], &packet.flags) ||
      !absl::SimpleAtoi(words[2], &packet.id) ||
      !absl::SimpleAtoi(words[3], &packet.status) ||
      !absl::SimpleAtoi(words[4], &packet.how)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", message.size(), " bytes that is none of zsh's"));
  }
  packet.type = static_cast<berth_packet_type>(words[0][0]);
  if (words.size() > 5) packet.text = std::string(words[5]);
  return packet;
}

}  // namespace berth::shell

#include "cli/ssh/target.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::cli {
namespace {

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", EscapeForTerminal(text), "': ", why,
                   "; must be [NAME=][USER@]HOST[:PORT]"));
}

// What names may be made of. Not "%" or a quote: nothing that gets a meaning
// somewhere on its way.
bool IsPlain(absl::string_view text, absl::string_view more) {
  return !text.empty() && text.front() != '-' && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [&](unsigned char c) {
           return c >= 0x80 || isalnum(c) || absl::StrContains(more, c);
         });
}

// Takes ":PORT" off the end of `host`, and brackets off what is left.
absl::Status SplitPort(absl::string_view text, absl::string_view host,
                       SshTarget& target) {
  absl::string_view port;
  if (absl::StartsWith(host, "[")) {
    const size_t end = host.find(']');
    if (end == host.npos) return Bad(text, "']' is missing");
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!port.empty() && port.front() != ':') return Bad(text, "no such port");
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    port = host.substr(host.find(':'));
    host = host.substr(0, host.find(':'));
  }
  uint32_t number = target.port;
  if (!port.empty() && (!absl::SimpleAtoi(port.substr(1), &number) ||
                        number == 0 || number > 65535)) {
    return Bad(text, "no such port");
  }
  target.port = static_cast<uint16_t>(number);
  target.host = std::string(host);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SshTarget> ParseSshTarget(absl::string_view text,
                                         absl::string_view user,
                                         uint16_t port) {
  SshTarget target;
  target.text = std::string(text);
  target.user = std::string(user);
  target.port = port;
  absl::string_view rest = text;
  if (const size_t equals = rest.find('='); equals != rest.npos) {
    target.computer = std::string(rest.substr(0, equals));
    BERTH_RETURN_IF_ERROR(CheckName("computer", target.computer));
    rest.remove_prefix(equals + 1);
  }
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    target.user = std::string(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  BERTH_RETURN_IF_ERROR(SplitPort(text, rest, target));
  if (!IsPlain(target.user, "._-+\\@$")) return Bad(text, "no such user");
  if (!IsPlain(target.host, "._-:")) return Bad(text, "no such host");
  return target;
}

std::string Endpoint(const SshTarget& target) {
  return absl::StrContains(target.host, ':')
             ? absl::StrCat("[", target.host, "]:", target.port)
             : absl::StrCat(target.host, ":", target.port);
}

}  // namespace berth::cli

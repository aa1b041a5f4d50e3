#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "broker/gateway/work.h"

namespace berth::gateway {
namespace {

// mosh starts its server by SSH, and then sends UDP to where SSH went: here,
// where nothing passes that on. Without this it would wait for an answer until
// its user gives up.
class MoshRefusal : public Work {
 public:
  Ended Run(cli::Invocation& invocation, cli::Connection&) override {
    invocation.Say(
        "mosh needs UDP from you to the computer, which a gateway does not "
        "pass; use ssh with a named session (USER+COMPUTER/NAME), which "
        "outlives the connection");
    return {1};
  }
};

}  // namespace

bool IsMoshServer(absl::string_view command) {
  const absl::string_view word = command.substr(0, command.find(' '));
  return word == "mosh-server" || absl::EndsWith(word, "/mosh-server");
}

std::unique_ptr<Work> MakeMoshRefusal() {
  return std::make_unique<MoshRefusal>();
}

}  // namespace berth::gateway

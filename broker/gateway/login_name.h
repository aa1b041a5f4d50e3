#ifndef BERTH_BROKER_GATEWAY_LOGIN_NAME_H_
#define BERTH_BROKER_GATEWAY_LOGIN_NAME_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::gateway {

// What an SSH client gives as the user to log in as:
//
//   alice                 to the gateway itself
//   alice+web01           to a session on web01 that ends with the connection
//   alice+web01/deploy    to her session there of that name, which goes on
//
// "+" and "/" can't be in the names themselves, and need no quotes in a shell,
// in ssh_config, or before the "@" and ":" of scp and rsync.
struct LoginName {
  std::string user;
  std::string computer;
  std::string session;
};

// InvalidArgument says what is wrong.
absl::StatusOr<LoginName> ParseLoginName(absl::string_view text);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_LOGIN_NAME_H_

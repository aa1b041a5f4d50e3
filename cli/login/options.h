#ifndef BERTH_CLI_LOGIN_OPTIONS_H_
#define BERTH_CLI_LOGIN_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// What `berth login` is told.
struct LoginOptions {
  std::string gateway;  // Empty: by a token.
  std::vector<std::string> identities;
  std::string known_hosts;
  bool accept_new = false;
  // How to reach the broker, and for a token whom to believe that it is.
  std::string broker;
  std::string ca;
  std::string token_file;  // "-": standard input.
  std::string context;     // Empty: the host's name.
};

// Reads the words behind "login". Returns the exit status if that was all.
std::optional<int> ParseLoginOptions(Invocation& invocation,
                                     std::vector<std::string> words,
                                     LoginOptions& options);

}  // namespace berth::cli

#endif  // BERTH_CLI_LOGIN_OPTIONS_H_

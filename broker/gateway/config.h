#ifndef BERTH_BROKER_GATEWAY_CONFIG_H_
#define BERTH_BROKER_GATEWAY_CONFIG_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth::gateway {

// What gateway.toml says. The defaults are those of a file that says nothing.
struct Config {
  // Where SSH clients connect to.
  std::string listen = "0.0.0.0:2222";
  // The broker's address.
  std::string broker = "localhost:7780";
  // The same for clients that log in by `berth login`. Empty: the same.
  std::string public_broker;
  std::string log_level = "info";
  // Connections at a time; those of them that have not logged in, of all and of
  // one address; how long logging in may take.
  size_t connections = 1000;
  size_t strangers = 300;
  size_t strangers_per_address = 100;
  absl::Duration login_grace = absl::Seconds(30);
  // Keys that may be tried on one connection.
  size_t auth_tries = 6;
  // Channels of one connection at a time.
  size_t channels = 64;
  // Variables that clients may set, with wildcards.
  std::vector<std::string> environment = {"LANG", "LC_*", "COLORTERM"};
  // Where connections may be forwarded to, HOST:PORT with wildcards, as seen
  // from the computer that forwards. Empty: nowhere.
  std::vector<std::string> forward;
};

// Reads the text of a gateway.toml. InvalidArgument names `path` and the line,
// also for a key that does not exist.
absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path);

// A gateway.toml that says what `config` does, with a comment for every key.
std::string FormatConfig(const Config& config);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_CONFIG_H_

#ifndef BERTH_CLI_CONFIG_CONTEXTS_H_
#define BERTH_CLI_CONFIG_CONTEXTS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// How to reach one broker, and as whom.
struct Context {
  std::string broker;       // "host:port".
  std::string ca;           // Path of the fleet's CA certificates (PEM).
  std::string certificate;  // Path of the user's certificate (PEM).
  std::string key;          // Path of its private key (PEM).
};

// The contexts a user has: config.toml.
struct Contexts {
  std::string current;
  std::map<std::string, Context> contexts;
};

// Reads config.toml; empty if there is none. InvalidArgument names the line
// that can't be read.
absl::StatusOr<Contexts> LoadContexts(const Environment& environment);

// Replaces config.toml, with mode 0600 in a private directory.
absl::Status SaveContexts(const Environment& environment,
                          const Contexts& contexts);

// As it stands in the file.
std::string ToToml(const Contexts& contexts);
absl::StatusOr<Contexts> ParseContexts(absl::string_view toml,
                                       const std::string& path);

// The context to use: `name`, else BERTH_CONTEXT, else the current one; with
// BERTH_BROKER, BERTH_CA, BERTH_CERTIFICATE and BERTH_KEY instead of what it
// says. NotFound: no such context. FailedPrecondition: something is missing
// (the message says how to add it).
absl::StatusOr<Context> ResolveContext(const Environment& environment,
                                       absl::string_view name);

}  // namespace berth::cli

#endif  // BERTH_CLI_CONFIG_CONTEXTS_H_

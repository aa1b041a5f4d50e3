#ifndef BERTH_CLI_INVOCATION_ENVIRONMENT_H_
#define BERTH_CLI_INVOCATION_ENVIRONMENT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::cli {

// The environment variables of an invocation: those that Berth looks at.
class Environment {
 public:
  Environment() = default;

  // Takes what Berth looks at (BERTH_*, XDG_*, HOME, USER, TERM and few more)
  // from a null-terminated list of NAME=VALUE.
  static Environment FromProcess(char** environ);

  // The same, and what the options `--using` among `args` name.
  static Environment FromProcess(char** environ,
                                 const std::vector<std::string>& args);

  void Set(absl::string_view name, absl::string_view value);

  // Empty if it is not set.
  absl::string_view Get(absl::string_view name) const;

  const std::map<std::string, std::string, std::less<>>& variables() const {
    return variables_;
  }

 private:
  std::map<std::string, std::string, std::less<>> variables_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_ENVIRONMENT_H_

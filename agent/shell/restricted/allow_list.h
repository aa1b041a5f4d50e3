#ifndef BERTH_AGENT_SHELL_RESTRICTED_ALLOW_LIST_H_
#define BERTH_AGENT_SHELL_RESTRICTED_ALLOW_LIST_H_

#include <regex.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::shell {

// A program that may be run.
struct AllowedProgram {
  std::string name;  // What commands call it.
  std::string path;  // Absolute.
  // Each argument must match the pattern at its place, as a whole (POSIX
  // extended regular expressions). One that begins with '-' must also have a
  // pattern of which an alternative begins so: ".*" allows no option.
  std::vector<std::string> arguments;
  // The last pattern may match any number of arguments, also none.
  bool repeat_last = false;
};

// What a restricted session may run.
class AllowList {
 public:
  // Longer arguments are refused, as matching takes time and memory.
  static constexpr size_t kMaxArgument = 16 << 10;

  // INVALID_ARGUMENT: a name is missing or there twice, a path is not
  // absolute, or a pattern is none; or nothing at all is allowed.
  static absl::StatusOr<AllowList> Create(std::vector<AllowedProgram> programs);

  // The path of the program that `words` (at least one) call.
  // PERMISSION_DENIED: that is not allowed; says what is.
  absl::StatusOr<std::string> Check(
      const std::vector<std::string>& words) const;

 private:
  struct FreePattern {
    void operator()(regex_t* pattern) const;
  };
  using Pattern = std::unique_ptr<regex_t, FreePattern>;
  struct Entry {
    AllowedProgram program;
    std::vector<Pattern> patterns;
  };

  static absl::StatusOr<Pattern> Compile(const std::string& pattern);
  static bool Matches(const Pattern& pattern, const std::string& text);
  const Entry* Find(absl::string_view name) const;
  std::string Names() const;

  std::vector<Entry> entries_;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_RESTRICTED_ALLOW_LIST_H_

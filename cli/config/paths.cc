#include "cli/config/paths.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace berth::cli {
namespace {

// Relative paths are to be ignored, by the XDG rules.
bool IsAbsolute(absl::string_view path) { return absl::StartsWith(path, "/"); }

absl::StatusOr<std::string> Directory(const Environment& environment,
                                      absl::string_view variable,
                                      absl::string_view below_home) {
  const absl::string_view base = environment.Get(variable);
  if (IsAbsolute(base)) return absl::StrCat(base, "/berth");
  const absl::string_view home = environment.Get("HOME");
  if (IsAbsolute(home)) return absl::StrCat(home, below_home, "/berth");
  return absl::FailedPreconditionError(
      absl::StrCat("no place for Berth's files: set HOME or ", variable));
}

}  // namespace

absl::StatusOr<std::string> ConfigDirectory(const Environment& environment) {
  return Directory(environment, "XDG_CONFIG_HOME", "/.config");
}

absl::StatusOr<std::string> StateDirectory(const Environment& environment) {
  return Directory(environment, "XDG_STATE_HOME", "/.local/state");
}

absl::StatusOr<std::string> RuntimeDirectory(const Environment& environment) {
  const absl::string_view base = environment.Get("XDG_RUNTIME_DIR");
  if (IsAbsolute(base)) return absl::StrCat(base, "/berth");
  absl::StatusOr<std::string> state = StateDirectory(environment);
  if (!state.ok()) return state;
  return absl::StrCat(*state, "/run");
}

}  // namespace berth::cli

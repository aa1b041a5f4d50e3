#include "agent/sessions/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxEntries = 256;
constexpr size_t kMaxBytes = 64 << 10;
constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool IsForShells(absl::string_view name) {
  return name == "PATH" || name == "HOME" || name == "USER" ||
         name == "LOGNAME" || name == "LANG" || name == "TZ" ||
         name == "XDG_RUNTIME_DIR" || absl::StartsWith(name, "LC_");
}

void AddUser(std::map<std::string, std::string>& variables) {
  char buffer[4096];
  passwd entry;
  passwd* found = nullptr;
  const bool known =
      getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 &&
      found != nullptr;
  variables.try_emplace("HOME", known ? found->pw_dir : "/");
  if (!known) return;
  variables.try_emplace("USER", found->pw_name);
  variables.try_emplace("LOGNAME", found->pw_name);
}

}  // namespace

absl::Status CheckVariable(absl::string_view name, absl::string_view value) {
  const auto good = [](char c) { return absl::ascii_isalnum(c) || c == '_'; };
  if (name.empty() || absl::ascii_isdigit(name[0]) ||
      !std::all_of(name.begin(), name.end(), good)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", EscapeForTerminal(name), "' is no name of a variable"));
  }
  if (absl::StrContains(value, '\0')) {
    return absl::InvalidArgumentError(
        absl::StrCat("the value of ", name, " has a NUL in it"));
  }
  if (absl::StartsWith(name, "LD_") || name == "BASH_ENV" || name == "ENV") {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " can't be set for a session: set it in the shell"));
  }
  return absl::OkStatus();
}

absl::Status CheckVariables(
    const std::map<std::string, std::string>& variables) {
  size_t bytes = 0;
  for (const auto& [name, value] : variables) {
    BERTH_RETURN_IF_ERROR(CheckVariable(name, value));
    bytes += name.size() + value.size();
  }
  if (variables.size() <= kMaxEntries && bytes <= kMaxBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a session's environment of ", variables.size(), " variables and ", bytes,
      " bytes is too large: at most ", kMaxEntries, " and ", kMaxBytes));
}

absl::StatusOr<ShellEnvironment> MakeShellEnvironment(
    const std::map<std::string, std::string>& own,
    const std::map<std::string, std::string>& configured,
    const std::map<std::string, std::string>& requested,
    const std::string& shell, absl::string_view instance_id) {
  std::map<std::string, std::string> variables;
  for (const auto& [name, value] : own) {
    if (IsForShells(name)) variables[name] = value;
  }
  AddUser(variables);
  variables.try_emplace("PATH", kDefaultPath);
  variables["SHELL"] = shell;
  variables["TERM"] = "xterm-256color";
  BERTH_RETURN_IF_ERROR(CheckVariables(requested));
  for (const auto& [name, value] : configured) variables[name] = value;
  for (const auto& [name, value] : requested) variables[name] = value;
  variables["BERTH_SESSION"] = std::string(instance_id);
  ShellEnvironment environment;
  environment.home = variables["HOME"];
  for (const auto& [name, value] : variables) {
    environment.variables.push_back(absl::StrCat(name, "=", value));
  }
  return environment;
}

std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == absl::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace berth::agent

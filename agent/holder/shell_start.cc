#include "agent/holder/shell_start.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/holder/startup_script.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// Enough for all connections, waiting commands, and many that left processes.
constexpr rlim_t kOpenFiles = 4096;

// Returns what the limit was.
std::optional<uint64_t> RaiseOpenFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  uint64_t before = limit.rlim_cur;
  if (before >= kOpenFiles) return std::nullopt;
  limit.rlim_cur = std::min(limit.rlim_max, kOpenFiles);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return before;
}

// The configuration's limit and the login's hold both: the lower one does.
void GiveLimit(const agent::LoginRights::Limit& limit, bool restricted,
               shell::TerminalProcessOptions& process) {
  shell::ResourceLimit given{limit.resource, limit.soft, limit.hard};
  // What is started later, when the holder may raise nothing any more.
  rlimit own;
  if (restricted &&
      getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &own) == 0) {
    given.limit = std::min<uint64_t>(given.limit, own.rlim_max);
    given.hard = std::min<uint64_t>(limit.hard, own.rlim_max);
  }
  for (shell::ResourceLimit& set : process.limits) {
    if (set.resource != limit.resource) continue;
    set.hard = std::min(set.hard.value_or(set.limit), *given.hard);
    set.limit = std::min(set.limit, given.limit);
    return;
  }
  process.limits.push_back(given);
}

// Berth's own variables, and those that run code in every program, are not.
bool MayBeGiven(const std::string& name) {
  return !name.empty() && !absl::StartsWith(name, "BERTH_") &&
         !absl::StartsWith(name, "LD_") && name != "BASH_ENV" && name != "ENV";
}

absl::StatusOr<shell::ShellKind> KindOf(const v1::HolderStart& start) {
  switch (start.kind()) {
    case v1::HolderStart::SHELL_KIND_UNSPECIFIED:
    case v1::HolderStart::BASH:
      return shell::ShellKind::kBash;
    case v1::HolderStart::ZSH:
      return shell::ShellKind::kZsh;
    case v1::HolderStart::PYTHON:
      return shell::ShellKind::kPython;
    case v1::HolderStart::RESTRICTED:
      return shell::ShellKind::kRestricted;
    default:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("this holder knows no shells of kind ", start.kind()));
}

absl::Status CheckStartupScript(const v1::HolderStart& start) {
  if (start.startup_script().empty()) return absl::OkStatus();
  if (start.kind() == v1::HolderStart::RESTRICTED) {
    return absl::InvalidArgumentError(
        "a restricted session has no shell for a startup script");
  }
  if (start.startup_script().size() > StartupScript::kMaxScript) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the startup script has ", start.startup_script().size(),
        " bytes; at most ", StartupScript::kMaxScript, " are allowed"));
  }
  if (absl::StrContains(start.startup_script(), '\0')) {
    return absl::InvalidArgumentError("the startup script has a NUL byte");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<shell::ShellOptions> ShellOptionsOf(
    const v1::HolderStart& start) {
  BERTH_RETURN_IF_ERROR(CheckStartupScript(start));
  shell::ShellOptions options;
  BERTH_ASSIGN_OR_RETURN(options.kind, KindOf(start));
  options.directory = start.directory();
  shell::TerminalProcessOptions& process = options.process;
  process.open_files = RaiseOpenFiles();
  process.program = start.shell();
  process.arguments.assign(start.arguments().begin(), start.arguments().end());
  process.environment.assign(start.environment().begin(),
                             start.environment().end());
  process.cwd = start.cwd();
  for (const v1::ResourceLimit& limit : start.resource_limits()) {
    process.limits.push_back({limit.resource(), limit.limit()});
  }
  process.cgroup = start.cgroup();
  process.no_new_privileges = start.no_new_privileges();
  if (start.has_run_as()) {
    const v1::RunAs& who = start.run_as();
    process.credentials = {
        who.user(), who.group(), {who.groups().begin(), who.groups().end()}};
  }
  for (const v1::AllowedProgram& allowed : start.allowed()) {
    options.allowed.push_back(
        {allowed.name(),
         allowed.path(),
         {allowed.arguments().begin(), allowed.arguments().end()},
         allowed.repeat_last()});
  }
  if (start.login_session()) {
    BERTH_ASSIGN_OR_RETURN(const agent::LoginRights rights,
                           agent::LoginRights::FromEnvironment(environ));
    GiveLogin(rights, options.kind == shell::ShellKind::kRestricted, process);
  }
  if (start.rows() > 0) process.rows = static_cast<uint16_t>(start.rows());
  if (start.columns() > 0) {
    process.columns = static_cast<uint16_t>(start.columns());
  }
  return options;
}

void GiveLogin(const agent::LoginRights& rights, bool restricted,
               shell::TerminalProcessOptions& process) {
  process.umask = rights.umask;
  for (const agent::LoginRights::Limit& limit : rights.limits) {
    GiveLimit(limit, restricted, process);
  }
  if (restricted) return;
  absl::flat_hash_set<std::string> names;
  for (const std::string& entry : process.environment) {
    names.insert(entry.substr(0, entry.find('=')));
  }
  for (const std::string& variable : rights.variables) {
    const std::string name = variable.substr(0, variable.find('='));
    if (MayBeGiven(name) && names.insert(name).second) {
      process.environment.push_back(variable);
    }
  }
}

}  // namespace berth::holder

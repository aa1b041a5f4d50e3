// How what is asked for becomes what a holder is told.

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sessions/cgroups.h"
#include "agent/sessions/environment.h"
#include "agent/sessions/holder_process.h"
#include "agent/sessions/holder_version.h"
#include "agent/sessions/scoped_credentials.h"
#include "agent/sessions/session_service.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// A shell with slow start-up files takes some seconds.
constexpr absl::Duration kHelloLimit = absl::Seconds(9);
constexpr absl::Duration kStartLimit = absl::Seconds(10);
constexpr uint32_t kRows = 24;
constexpr uint32_t kColumns = 80;

void AddLimit(uint32_t resource, const std::optional<uint64_t>& limit,
              holder::v1::HolderStart& start) {
  if (!limit.has_value()) return;
  holder::v1::ResourceLimit& to = *start.add_resource_limits();
  to.set_resource(resource);
  to.set_limit(*limit);
}

// Of restricted sessions: what programs would start when a person asks them
// for a shell, a pager or an editor, if they know no better. A configuration
// may say otherwise.
std::map<std::string, std::string> WithoutWaysOut(
    const std::map<std::string, std::string>& configured) {
  std::map<std::string, std::string> variables = {
      {"SHELL", "/usr/sbin/nologin"},
      {"EDITOR", "/bin/false"},
      {"VISUAL", "/bin/false"},
      {"GIT_EDITOR", "/bin/false"},
      {"BROWSER", "/bin/false"},
      {"PAGER", "/bin/cat"},
      {"GIT_PAGER", "/bin/cat"},
      {"MANPAGER", "/bin/cat"},
      {"SYSTEMD_PAGER", "/bin/cat"},
      {"SYSTEMD_PAGERSECURE", "1"},
      {"LESSSECURE", "1"},
  };
  for (const auto& [name, value] : configured) variables[name] = value;
  return variables;
}

// What the shell's environment is made from: the agent's own, but with what
// tells of its user told of the session's.
std::map<std::string, std::string> EnvironmentOf(const Account& account,
                                                 bool other) {
  std::map<std::string, std::string> variables = OwnEnvironment();
  if (!other) return variables;
  variables["HOME"] = account.home;
  variables["USER"] = account.name;
  variables["LOGNAME"] = account.name;
  const std::string runtime = absl::StrCat("/run/user/", account.user);
  variables.erase("XDG_RUNTIME_DIR");
  struct stat info;
  if (lstat(runtime.c_str(), &info) == 0 && info.st_uid == account.user) {
    variables["XDG_RUNTIME_DIR"] = runtime;
  }
  return variables;
}

void SetRunAs(const Account& account, const Account& holder,
              holder::v1::RunAs& run_as) {
  run_as.set_user(account.user);
  run_as.set_group(account.group);
  run_as.mutable_groups()->Assign(account.groups.begin(), account.groups.end());
  run_as.set_holder_user(holder.user);
  run_as.set_holder_group(holder.group);
}

// Where a session's shell starts. Looked up with the rights of its user.
absl::StatusOr<std::string> FirstDirectory(
    const link::v1::CreateRequest& request, const Configuration& configuration,
    const Account& account, const std::string& home,
    const std::string& computer) {
  BERTH_ASSIGN_OR_RETURN(const auto rights, ScopedCredentials::Take(account));
  std::string cwd = request.cwd().empty() ? configuration.cwd : request.cwd();
  if (cwd.empty()) return home;
  if (cwd == "~" || absl::StartsWith(cwd, "~/")) cwd.replace(0, 1, home);
  std::error_code error;
  if (cwd[0] != '/' || cwd.find('\0') != std::string::npos ||
      !std::filesystem::is_directory(cwd, error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", EscapeForTerminal(cwd.substr(0, 200)),
        "' is no directory on computer '", computer,
        "'; a session's first directory must be an absolute path"));
  }
  return cwd;
}

// The user of a restricted session sets neither its directory nor variables:
// what arguments a program may have says little where those can be chosen.
absl::Status CheckRestricted(const link::v1::CreateRequest& request,
                             const std::string& name) {
  if (request.cwd().empty() && request.environment().empty()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat("configuration '", name,
                   "' is restricted: its directory and variables are its own; "
                   "leave out --cwd and --env"));
}

holder::v1::HolderStart::ShellKind ToHolder(ShellKind kind) {
  switch (kind) {
    case ShellKind::kBash:
      return holder::v1::HolderStart::BASH;
    case ShellKind::kZsh:
      return holder::v1::HolderStart::ZSH;
    case ShellKind::kPython:
      return holder::v1::HolderStart::PYTHON;
    case ShellKind::kRestricted:
      return holder::v1::HolderStart::RESTRICTED;
  }
  return holder::v1::HolderStart::SHELL_KIND_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<holder::v1::HolderStart> SessionService::MakeStart(
    const link::v1::CreateRequest& request, const Source& source,
    const v1::Session& session) const {
  const Configuration& configuration = source.configuration;
  const bool restricted = configuration.kind == ShellKind::kRestricted;
  if (restricted) BERTH_RETURN_IF_ERROR(CheckRestricted(request, source.name));
  const std::map<std::string, std::string> requested(
      request.environment().begin(), request.environment().end());
  BERTH_ASSIGN_OR_RETURN(
      const ShellEnvironment environment,
      MakeShellEnvironment(
          EnvironmentOf(source.account, source.other),
          restricted ? WithoutWaysOut(configuration.environment)
                     : configuration.environment,
          requested, configuration.shell, session.instance_id()));
  holder::v1::HolderStart start;
  start.set_version(kHolderVersion);
  start.set_instance_id(session.instance_id());
  start.set_directory(DirectoryOf(session.instance_id()));
  start.set_shell(configuration.shell);
  start.set_kind(ToHolder(configuration.kind));
  if (configuration.login) start.add_arguments("-l");
  for (const std::string& argument : configuration.arguments) {
    start.add_arguments(argument);
  }
  for (const std::string& variable : environment.variables) {
    start.add_environment(variable);
  }
  if (restricted && configuration.cwd.empty()) {
    // With the files that are copied to it.
    start.set_cwd(start.directory() + "/files");
    if (mkdir(start.cwd().c_str(), 0700) != 0 ||
        (source.other && lchown(start.cwd().c_str(), source.account.user,
                                source.account.group) != 0)) {
      return ErrnoToStatus(errno, start.cwd());
    }
  } else {
    BERTH_ASSIGN_OR_RETURN(
        *start.mutable_cwd(),
        FirstDirectory(request, configuration, source.account, environment.home,
                       options_.computer));
  }
  BERTH_ASSIGN_OR_RETURN(*start.mutable_startup_script(),
                         StartupScript(configuration));
  start.set_log_limit(configuration.log_limit);
  start.set_when_full(WhenFull(session.buffering()));
  start.set_rows(kRows);
  start.set_columns(kColumns);
  start.set_hello_timeout_ms(absl::ToInt64Milliseconds(kHelloLimit));
  for (const AllowedProgram& program : configuration.allowed) {
    holder::v1::AllowedProgram& to = *start.add_allowed();
    to.set_name(program.name);
    to.set_path(program.path);
    to.mutable_arguments()->Assign(program.arguments.begin(),
                                   program.arguments.end());
    to.set_repeat_last(program.repeat_last);
  }
  start.set_log_terminal(configuration.record_terminal);
  start.set_keep_until_recorded(configuration.record_commands);
  start.set_no_new_privileges(restricted || configuration.no_new_privileges);
  if (source.other) {
    BERTH_ASSIGN_OR_RETURN(
        const Account holder,
        HolderAccount(source.run_as, [](const std::string& name) {
          return FindAccount(name);
        }));
    SetRunAs(source.account, holder, *start.mutable_run_as());
  }
  start.set_login_session(!source.run_as.pam.empty());
  if (start.has_run_as() || start.no_new_privileges()) {
    start.set_version(kStrictStartVersion);
  }
  if (start.login_session()) start.set_version(kLoginStartVersion);
  return start;
}

absl::Status SessionService::StartShell(const link::v1::CreateRequest& request,
                                        const Source& source,
                                        v1::Session& session) {
  BERTH_ASSIGN_OR_RETURN(holder::v1::HolderStart start,
                         MakeStart(request, source, session));
  BERTH_RETURN_IF_ERROR(AddLimits(source.configuration.limits, start));
  std::optional<Login> login;
  if (start.login_session()) {
    login = {options_.login, source.run_as.pam, source.account.name};
  }
  const auto started = StartHolder(options_.holder, start, kStartLimit, login);
  if (!started.ok()) {
    RemoveCgroup(start.directory());
    return started.status();
  }
  session.set_shell_pid(started->shell_pid());
  return absl::OkStatus();
}

absl::Status SessionService::AddLimits(const Limits& limits,
                                       holder::v1::HolderStart& start) const {
  AddLimit(RLIMIT_NOFILE, limits.open_files, start);
  AddLimit(RLIMIT_FSIZE, limits.file_size, start);
  const CgroupControllers controllers = cgroups_.Controllers();
  if (!controllers.memory) AddLimit(RLIMIT_AS, limits.memory, start);
  if (!controllers.processes) AddLimit(RLIMIT_NPROC, limits.processes, start);
  BERTH_ASSIGN_OR_RETURN(const std::string cgroup,
                         cgroups_.Make(start.instance_id(), limits));
  if (cgroup.empty()) return absl::OkStatus();
  start.set_cgroup(cgroup);
  // Before there is anything in it: it is found again whatever happens.
  const absl::Status saved =
      WriteFileAtomically(start.directory() + "/cgroup", cgroup);
  if (!saved.ok()) Cgroups::Remove(cgroup);
  return saved;
}

}  // namespace berth::agent

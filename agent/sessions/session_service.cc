#include "agent/sessions/session_service.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/cgroups.h"
#include "agent/sessions/environment.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/holder_process.h"
#include "agent/sessions/holder_version.h"
#include "agent/sessions/session_journal.h"
#include "agent/sessions/session_record.h"
#include "agent/sessions/shell_trial.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// A shell with slow start-up files takes some seconds.
constexpr absl::Duration kHelloLimit = absl::Seconds(9);
constexpr absl::Duration kStartLimit = absl::Seconds(10);
// A holder gives its shell some seconds, too; then it is killed.
constexpr absl::Duration kTerminateLimit = absl::Seconds(5);
constexpr absl::Duration kKillLimit = absl::Seconds(2);
// Longer than anything that runs on a worker takes.
constexpr absl::Duration kStopLimit = absl::Seconds(30);
constexpr uint32_t kRows = 24;
constexpr uint32_t kColumns = 80;

std::string CgroupBase(const std::string& configured) {
  if (!configured.empty()) return configured;
  return FindOwnCgroup(ReadFile("/proc/self/cgroup").value_or(""),
                       ReadFile("/proc/self/mounts").value_or(""));
}

void AddLimit(uint32_t resource, const std::optional<uint64_t>& limit,
              holder::v1::HolderStart& start) {
  if (!limit.has_value()) return;
  holder::v1::ResourceLimit& to = *start.add_resource_limits();
  to.set_resource(resource);
  to.set_limit(*limit);
}

}  // namespace

SessionService::SessionService(Options options,
                               const Configurations& configurations,
                               WorkerPool& workers, Listener listener)
    : options_(std::move(options)),
      configurations_(configurations),
      workers_(workers),
      listener_(std::move(listener)),
      cgroups_(CgroupBase(configurations.Get()->cgroup)),
      shells_(options_.directory + "/shells",
              [this](const std::string& shell, ShellKind kind) {
                return TryShell(shell, options_.holder, options_.directory,
                                ShellCases(kind), kind);
              }),
      monitor_({
          [this](const Session& session, bool details) {
            if (details) FindCommandText(session);
            listener_.changed(session, details);
          },
          [this](const Session& session) {
            if (!workers_.Run([this, session] { OnHolderGone(session); })) {
              OnHolderGone(session);
            }
          },
          [this](const Session& session) { OnIdle(session); },
      }) {}

SessionService::~SessionService() { Stop(); }

void SessionService::Stop() {
  monitor_.Stop();
  // What still runs there uses this object.
  workers_.WaitIdle(kStopLimit);
}

std::string SessionService::DirectoryOf(absl::string_view instance_id) const {
  return absl::StrCat(options_.directory, "/sessions/", instance_id);
}

v1::Configuration SessionService::ProfileOf(const v1::Session& session) const {
  auto profile = LoadSessionProfile(DirectoryOf(session.instance_id()));
  if (profile.ok()) return *std::move(profile);
  // It was made by an agent that did not write one.
  const auto snapshot = configurations_.Get();
  const auto it = snapshot->entries.find(session.configuration());
  return DescribeConfiguration(session.configuration(),
                               it == snapshot->entries.end()
                                   ? Configuration()
                                   : it->second.configuration);
}

absl::Status SessionService::Start() {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(options_.directory));
  const std::string sessions = options_.directory + "/sessions";
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(sessions));
  EndLeftTrials(options_.directory);
  shells_.Load();
  BERTH_RETURN_IF_ERROR(monitor_.Start());
  return TakeUpAll(sessions);
}

absl::StatusOr<SessionService::Source> SessionService::FindSource(
    const std::string& name) const {
  const auto snapshot = configurations_.Get();
  Source source{name.empty() ? snapshot->default_name : name, Configuration(),
                snapshot->max_sessions};
  const std::string shown =
      absl::StrCat("configuration '", EscapeForTerminal(source.name),
                   "' on computer '", options_.computer, "'");
  const auto it = snapshot->entries.find(source.name);
  if (it == snapshot->entries.end()) {
    return absl::NotFoundError(
        absl::StrCat("no ", shown, "; see 'berth configurations'"));
  }
  if (!it->second.usable) {
    return absl::FailedPreconditionError(
        absl::StrCat(shown, " can't be used: ", it->second.problem));
  }
  if (!it->second.configuration.enabled) {
    return absl::FailedPreconditionError(absl::StrCat(
        shown, " is disabled; there: berth-agent configuration enable ",
        source.name));
  }
  source.configuration = it->second.configuration;
  return source;
}

namespace {

// The idle timeout of a new session; infinite if it asks for none.
absl::StatusOr<absl::Duration> IdleTimeout(
    const link::v1::CreateRequest& request, const std::string& name,
    const Configuration& configuration) {
  if (request.never_idles()) {
    if (configuration.may_never_idle) return absl::InfiniteDuration();
    return absl::PermissionDeniedError(absl::StrCat(
        "sessions of configuration '", name,
        "' must have an idle timeout: it has no may_never_idle; at most ",
        absl::FormatDuration(configuration.max_idle_timeout)));
  }
  const absl::Duration timeout = request.has_idle_timeout()
                                     ? FromProto(request.idle_timeout())
                                     : configuration.idle_timeout;
  if (timeout < kMinIdleTimeout || timeout > configuration.max_idle_timeout) {
    return absl::InvalidArgumentError(
        absl::StrCat("an idle timeout of ", absl::FormatDuration(timeout),
                     " is out of bounds for configuration '", name,
                     "': ", absl::FormatDuration(kMinIdleTimeout), " to ",
                     absl::FormatDuration(configuration.max_idle_timeout)));
  }
  return timeout;
}

// Where a session's shell starts.
absl::StatusOr<std::string> FirstDirectory(
    const link::v1::CreateRequest& request, const Configuration& configuration,
    const std::string& home, const std::string& computer) {
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

holder::v1::HolderStart::WhenFull ToHolder(v1::BufferingMode mode) {
  return mode == v1::BUFFERING_MODE_DROP ? holder::v1::HolderStart::DROP
                                         : holder::v1::HolderStart::BLOCK;
}

}  // namespace

absl::StatusOr<v1::Session> SessionService::NewSession(
    const link::v1::CreateRequest& request, const Source& source) const {
  if (!IsUuid(request.instance_id())) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", EscapeForTerminal(request.instance_id()),
                     "' is not a UUID in lower case"));
  }
  BERTH_RETURN_IF_ERROR(CheckName("session", request.name()));
  if (request.temporary() && request.holder().id().empty()) {
    return absl::InvalidArgumentError(
        "a temporary session needs a client that it is for");
  }
  BERTH_ASSIGN_OR_RETURN(
      const absl::Duration timeout,
      IdleTimeout(request, source.name, source.configuration));
  v1::Session session;
  session.set_instance_id(request.instance_id());
  session.set_id(request.id());
  session.set_name(request.name());
  session.set_computer(options_.computer);
  session.set_owner(request.owner());
  session.set_configuration(source.name);
  const v1::Configuration profile =
      DescribeConfiguration(source.name, source.configuration);
  session.set_shell(profile.shell());
  session.set_log_limit(profile.log_limit());
  session.set_buffering(v1::BufferingMode_IsValid(request.buffering()) &&
                                request.buffering() !=
                                    v1::BUFFERING_MODE_UNSPECIFIED
                            ? request.buffering()
                            : profile.buffering());
  session.set_temporary(request.temporary());
  *session.mutable_created_at() = ToProto(absl::Now());
  session.set_never_idles(timeout == absl::InfiniteDuration());
  if (!session.never_idles()) {
    *session.mutable_idle_timeout() = ToProto(timeout);
  }
  if (request.has_holder()) {
    *session.mutable_holder()->mutable_client() = request.holder();
    *session.mutable_holder()->mutable_since() = session.created_at();
  } else {
    *session.mutable_disconnected_at() = session.created_at();
  }
  return session;
}

absl::StatusOr<SessionService::Session> SessionService::Create(
    const link::v1::CreateRequest& request) {
  // The same request again, after its answer was lost.
  if (Session session = table_.Find(request.instance_id());
      session != nullptr && session->owner() == request.owner()) {
    return session;
  }
  BERTH_ASSIGN_OR_RETURN(const Source source,
                         FindSource(request.configuration()));
  BERTH_ASSIGN_OR_RETURN(v1::Session session, NewSession(request, source));
  const Limits& limits = source.configuration.limits;
  BERTH_RETURN_IF_ERROR(
      table_.Reserve({request.instance_id(), source.name, request.owner()},
                     {options_.computer, source.max_sessions,
                      limits.max_sessions, limits.max_sessions_per_user}));
  absl::StatusOr<Session> made = Make(request, source, std::move(session));
  if (!made.ok()) table_.Release(request.instance_id());
  return made;
}

absl::StatusOr<SessionService::Session> SessionService::Make(
    const link::v1::CreateRequest& request, const Source& source,
    v1::Session session) {
  // Restricted sessions have none.
  if (source.configuration.kind != ShellKind::kRestricted) {
    BERTH_RETURN_IF_ERROR(
        shells_.Check(source.configuration.shell, source.configuration.kind));
  }
  const std::string directory = DirectoryOf(request.instance_id());
  if (mkdir(directory.c_str(), 0700) != 0) {
    return ErrnoToStatus(errno, directory);
  }
  const v1::Configuration profile =
      DescribeConfiguration(source.name, source.configuration);
  absl::Status status = SaveSessionRecord(directory, session);
  if (status.ok()) status = SaveSessionProfile(directory, profile);
  if (status.ok()) status = StartShell(request, source, session);
  if (!status.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    return status;
  }
  auto managed = std::make_shared<ManagedSession>(directory, session, profile);
  status = Watch(managed);
  if (!status.ok()) {
    const auto identity =
        holder::ReadIdentityFile(absl::StrCat(directory, "/holder"));
    if (identity.ok()) KillHolder(*identity, session.shell_pid());
    RemoveCgroup(directory);
    managed->Forget();
    return absl::FailedPreconditionError(
        absl::StrCat("the session ended at once: ", status.message()));
  }
  table_.Add(managed);
  Save(managed);
  monitor_.Touch(managed);
  SPDLOG_INFO("session {} of {} made", session.instance_id(), session.owner());
  return managed;
}

absl::StatusOr<holder::v1::HolderStart> SessionService::MakeStart(
    const link::v1::CreateRequest& request, const Source& source,
    const v1::Session& session) const {
  const Configuration& configuration = source.configuration;
  const std::map<std::string, std::string> requested(
      request.environment().begin(), request.environment().end());
  BERTH_ASSIGN_OR_RETURN(
      const ShellEnvironment environment,
      MakeShellEnvironment(OwnEnvironment(), configuration.environment,
                           requested, configuration.shell,
                           session.instance_id()));
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
  const bool restricted = configuration.kind == ShellKind::kRestricted;
  if (restricted) BERTH_RETURN_IF_ERROR(CheckRestricted(request, source.name));
  if (restricted && configuration.cwd.empty()) {
    // With the files that are copied to it.
    start.set_cwd(start.directory() + "/files");
    if (mkdir(start.cwd().c_str(), 0700) != 0) {
      return ErrnoToStatus(errno, start.cwd());
    }
  } else {
    BERTH_ASSIGN_OR_RETURN(*start.mutable_cwd(),
                           FirstDirectory(request, configuration,
                                          environment.home, options_.computer));
  }
  BERTH_ASSIGN_OR_RETURN(*start.mutable_startup_script(),
                         StartupScript(configuration));
  start.set_log_limit(configuration.log_limit);
  start.set_when_full(ToHolder(session.buffering()));
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
  return start;
}

absl::Status SessionService::StartShell(const link::v1::CreateRequest& request,
                                        const Source& source,
                                        v1::Session& session) {
  BERTH_ASSIGN_OR_RETURN(holder::v1::HolderStart start,
                         MakeStart(request, source, session));
  BERTH_RETURN_IF_ERROR(AddLimits(source.configuration.limits, start));
  const auto started = StartHolder(options_.holder, start, kStartLimit);
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

void SessionService::RemoveCgroup(const std::string& directory) const {
  const absl::StatusOr<std::string> path = ReadFile(directory + "/cgroup");
  if (path.ok()) Cgroups::Remove(*path);
}

void SessionService::EndVisit(const Session& session, Hold::Tenure tenure,
                              bool complete) {
  const bool was_temporary = session->temporary();
  if (!session->Leave(tenure, complete)) {
    if (was_temporary && !session->temporary()) {
      SPDLOG_INFO("session {} outlives what it was made for",
                  session->instance_id());
      Save(session);
    }
    return;
  }
  // Nobody waits for it: the client has all that it came for.
  const auto end = [this, session] {
    const absl::Status ended = EndAndForget(session);
    if (!ended.ok()) {
      session->Promote();
      Save(session);
      monitor_.Touch(session);
      SPDLOG_ERROR("{}", ended.ToString());
    }
  };
  if (!workers_.Run(end)) end();
}

absl::Status SessionService::SetBuffering(const Session& session,
                                          v1::BufferingMode mode) {
  if (mode == session->Snapshot().buffering()) return absl::OkStatus();
  if (HolderVersionOf(session->directory()) < kScreensVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "session ", session->Snapshot().id(),
        " was made by an older agent: its buffering mode can't be changed"));
  }
  BERTH_ASSIGN_OR_RETURN(HolderConnection connection,
                         HolderConnection::Connect(session->directory()));
  holder::v1::Request request;
  request.mutable_set_buffering()->set_when_full(ToHolder(mode));
  BERTH_RETURN_IF_ERROR(connection.Send(request));
  session->SetBuffering(mode);
  return absl::OkStatus();
}

absl::StatusOr<SessionService::Session> SessionService::SetHolder(
    absl::string_view user, const link::v1::SetHolderRequest& request) {
  BERTH_ASSIGN_OR_RETURN(Session session,
                         table_.FindOwned(user, request.instance_id()));
  BERTH_RETURN_IF_ERROR(session->SetHolder(request));
  if (request.has_holder() && request.take()) {
    session->terminals().SessionTaken(request.holder(), absl::Now());
  }
  // What was said of the session so far holds, whatever its holder says.
  const absl::Status buffering =
      v1::BufferingMode_IsValid(request.buffering()) &&
              request.buffering() != v1::BUFFERING_MODE_UNSPECIFIED &&
              !session->ended()
          ? SetBuffering(session, request.buffering())
          : absl::OkStatus();
  Save(session);
  monitor_.Touch(session);
  BERTH_RETURN_IF_ERROR(buffering);
  return session;
}

absl::Status SessionService::Remove(absl::string_view user,
                                    const link::v1::RemoveRequest& request) {
  BERTH_ASSIGN_OR_RETURN(const Session session,
                         table_.FindOwned(user, request.instance_id()));
  return EndAndForget(session);
}

absl::Status SessionService::EndAndForget(const Session& session) {
  if (!Terminate(session, v1::END_REASON_REMOVED)) {
    return absl::DeadlineExceededError(
        absl::StrCat("session ", session->Snapshot().id(),
                     " did not end in time, though it was killed"));
  }
  session->Forget();
  table_.Remove(session->instance_id());
  listener_.gone(session->instance_id());
  SPDLOG_INFO("session {} removed", session->instance_id());
  return absl::OkStatus();
}

bool SessionService::Terminate(const Session& session, v1::EndReason reason) {
  if (session->ended()) return true;
  auto connection = HolderConnection::Connect(session->directory());
  if (connection.ok()) {
    holder::v1::Request request;
    request.mutable_terminate()->set_reason(reason);
    // If it does not take this, it is killed below.
    connection->Send(request).IgnoreError();
  }
  // One that can't be spoken to need not be waited for.
  const bool asked = !absl::IsFailedPrecondition(connection.status());
  if (asked && session->WaitEnded(kTerminateLimit)) return true;
  const auto identity =
      holder::ReadIdentityFile(absl::StrCat(session->directory(), "/holder"));
  if (identity.ok()) KillHolder(*identity, session->Snapshot().shell_pid());
  return session->WaitEnded(kKillLimit);
}

void SessionService::OnIdle(const Session& session) {
  if (!session->StartEnding()) return;
  SPDLOG_INFO("session {} was idle for its time", session->instance_id());
  workers_.Run(
      [this, session] { Terminate(session, v1::END_REASON_IDLE_TIMEOUT); });
}

void SessionService::SetEnd(const Session& session, v1::SessionEnd end) {
  RemoveCgroup(session->directory());
  if (!session->End(end)) {
    SPDLOG_WARN("session {} ended before, and not: {}", session->instance_id(),
                v1::EndReason_Name(end.reason()));
    return;
  }
  SPDLOG_INFO("session {} ended: {}", session->instance_id(),
              v1::EndReason_Name(end.reason()));
  Save(session);
  monitor_.Touch(session);
  DeleteAfter(kKeepEnded, session);
}

void SessionService::DeleteAfter(absl::Duration delay, const Session& session) {
  monitor_.After(std::max(delay, absl::ZeroDuration()), [this, session] {
    if (table_.Find(session->instance_id()) != session) return;
    session->Forget();
    table_.Remove(session->instance_id());
    listener_.gone(session->instance_id());
  });
}

void SessionService::FindCommandText(const Session& session) {
  const uint64_t sequence = session->CommandOfUnknownText();
  if (sequence == 0) return;
  const auto journal = ReadSessionJournal(session->directory());
  std::string what;
  if (journal.ok()) {
    const auto it = journal->commands.find(sequence);
    if (it != journal->commands.end()) what = it->second.what;
  }
  session->SetCommandText(sequence, what);
}

void SessionService::Save(const Session& session) {
  const absl::Status saved = session->Save();
  if (!saved.ok()) {
    SPDLOG_ERROR("session {}: its record can't be written: {}",
                 session->instance_id(), saved.ToString());
  }
}

}  // namespace berth::agent

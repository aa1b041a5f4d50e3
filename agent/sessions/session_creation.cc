#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/holder_process.h"
#include "agent/sessions/session_record.h"
#include "agent/sessions/session_service.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"

namespace berth::agent {

absl::StatusOr<SessionService::Source> SessionService::FindSource(
    const std::string& name) const {
  const auto snapshot = configurations_.Get();
  Source source;
  source.name = name.empty() ? snapshot->default_name : name;
  source.max_sessions = snapshot->max_sessions;
  source.run_as = snapshot->run_as;
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

absl::Status SessionService::CheckNotFrozen() const {
  const std::string frozen = Frozen();
  if (frozen.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "computer '", options_.computer, "' is frozen (", frozen,
      "): no sessions are made there until 'berth-agent unfreeze'"));
}

absl::Status SessionService::FindAccountOf(
    const link::v1::CreateRequest& request, Source& source) const {
  const Account own = OwnAccount();
  const AccountFinder find = [](const std::string& name) {
    return FindAccount(name);
  };
  BERTH_ASSIGN_OR_RETURN(
      source.account,
      DecideRunAs(source.run_as,
                  {request.owner(), request.run_as(),
                   source.configuration.run_as, options_.computer},
                  own, find));
  source.other = source.account.user != own.user;
  return absl::OkStatus();
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
  session.set_run_as(source.account.name);
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
  BERTH_RETURN_IF_ERROR(CheckNotFrozen());
  BERTH_ASSIGN_OR_RETURN(Source source, FindSource(request.configuration()));
  BERTH_RETURN_IF_ERROR(FindAccountOf(request, source));
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
  if (status.ok()) status = BeginRecording(source, session);
  if (status.ok()) status = StartShell(request, source, session);
  if (!status.ok()) {
    DiscardRecording(request.instance_id());
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
    DiscardRecording(request.instance_id());
    return absl::FailedPreconditionError(
        absl::StrCat("the session ended at once: ", status.message()));
  }
  table_.Add(managed);
  Save(managed);
  monitor_.Touch(managed);
  SPDLOG_INFO("session {} of {} made", session.instance_id(), session.owner());
  return managed;
}

absl::Status SessionService::BeginRecording(const Source& source,
                                            const v1::Session& session) {
  const Configuration& configuration = source.configuration;
  if (!configuration.record_terminal && !configuration.record_commands) {
    return absl::OkStatus();
  }
  if (options_.recorder == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("configuration '", source.name,
                     "' is recorded, and this agent records nothing"));
  }
  v1::RecordingInfo info;
  info.set_instance_id(session.instance_id());
  info.set_id(session.id());
  info.set_name(session.name());
  info.set_owner(session.owner());
  info.set_computer(session.computer());
  info.set_configuration(session.configuration());
  info.set_run_as(session.run_as());
  *info.mutable_created_at() = session.created_at();
  info.set_terminal(configuration.record_terminal);
  info.set_commands(configuration.record_commands);
  const absl::Status begun = options_.recorder->Begin(
      info, DirectoryOf(session.instance_id()), configuration.log_limit);
  if (begun.ok()) return begun;
  return absl::Status(
      begun.code(),
      absl::StrCat("the session can't be recorded, so it is not made: ",
                   begun.message()));
}

void SessionService::DiscardRecording(const std::string& instance_id) {
  if (options_.recorder != nullptr) options_.recorder->Discard(instance_id);
}

}  // namespace berth::agent

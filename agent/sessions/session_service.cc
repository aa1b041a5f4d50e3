#include "agent/sessions/session_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/cgroups.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/holder_process.h"
#include "agent/sessions/holder_version.h"
#include "agent/sessions/session_journal.h"
#include "agent/sessions/session_record.h"
#include "agent/sessions/shell_trial.h"
#include "base/end_reason.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// A holder gives its shell some seconds, too; then it is killed.
constexpr absl::Duration kTerminateLimit = absl::Seconds(5);
// For the rest of a recording to be read and sealed.
constexpr absl::Duration kRecordLimit = absl::Seconds(20);
constexpr absl::Duration kKillLimit = absl::Seconds(2);
// Longer than anything that runs on a worker takes.
constexpr absl::Duration kStopLimit = absl::Seconds(30);

std::string CgroupBase(const std::string& configured) {
  if (!configured.empty()) return configured;
  return FindOwnCgroup(ReadFile("/proc/self/cgroup").value_or(""),
                       ReadFile("/proc/self/mounts").value_or(""));
}

// The name of what deletes an ended session.
std::string Deletion(const std::shared_ptr<ManagedSession>& session) {
  return absl::StrCat("delete ", session->instance_id());
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

holder::v1::HolderStart::WhenFull SessionService::WhenFull(
    v1::BufferingMode mode) {
  return mode == v1::BUFFERING_MODE_DROP ? holder::v1::HolderStart::DROP
                                         : holder::v1::HolderStart::BLOCK;
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
  request.mutable_set_buffering()->set_when_full(WhenFull(mode));
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
  if (options_.recorder != nullptr &&
      !options_.recorder->Finish(
          session->instance_id(),
          std::string(EndReasonText(v1::END_REASON_REMOVED)), kRecordLimit)) {
    return absl::UnavailableError(absl::StrCat(
        "session ", session->Snapshot().id(),
        " has ended, but the end of its recording can't be written (the log of "
        "computer '",
        options_.computer, "' says why): it is kept; try again"));
  }
  session->Forget();
  table_.Remove(session->instance_id());
  monitor_.Drop(Deletion(session));
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
  if (options_.recorder != nullptr) {
    options_.recorder->Finish(session->instance_id(),
                              std::string(EndReasonText(end.reason())),
                              absl::ZeroDuration());
  }
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
  const std::string name = Deletion(session);
  monitor_.AfterAs(name, std::max(delay, absl::ZeroDuration()),
                   [this, session] {
                     if (table_.Find(session->instance_id()) != session) return;
                     session->Forget();
                     table_.Remove(session->instance_id());
                     listener_.gone(session->instance_id());
                   });
  // Removed in between: then whoever did it has dropped nothing.
  if (table_.Find(session->instance_id()) != session) monitor_.Drop(name);
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

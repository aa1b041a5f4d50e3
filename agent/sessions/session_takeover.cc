// How an agent takes up the sessions of the one before it, and keeps hold of
// them. Only a holder that is dead has ended its session: one that is slow,
// stopped, or of a version that can't be spoken to has not.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/holder_process.h"
#include "agent/sessions/session_journal.h"
#include "agent/sessions/session_record.h"
#include "agent/sessions/session_service.h"
#include "base/end_reason.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// How long a new session's holder may take to say what its shell does.
constexpr absl::Duration kFirstStateLimit = absl::Seconds(2);
// The same for all sessions of the last run together, before the agent is
// ready without knowing it of some.
constexpr absl::Duration kAllStatesLimit = absl::Seconds(1);
constexpr absl::Duration kRejoinPause = absl::Milliseconds(500);
// From the end of its last connection to that of a holder.
constexpr absl::Duration kExitLimit = absl::Seconds(2);
// The directory of a session that is being deleted begins with this.
constexpr absl::string_view kAway = ".away-";

// Connects to a session's holder, which then tells what its shell does.
absl::StatusOr<HolderConnection> Attach(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(HolderConnection connection,
                         HolderConnection::Connect(directory));
  holder::v1::Request request;
  request.mutable_attach();
  BERTH_RETURN_IF_ERROR(connection.Send(request));
  return connection;
}

// What became of a session's holder. One whose file is damaged lives if it
// listens.
holder::HolderFate FateIn(const std::string& directory) {
  const auto identity =
      holder::ReadIdentityFile(absl::StrCat(directory, "/holder"));
  if (identity.ok()) return holder::FateOf(*identity);
  return HolderConnection::Connect(directory).ok() ? holder::HolderFate::kAlive
                                                   : holder::HolderFate::kDead;
}

bool JournalSaysEnded(const std::string& directory) {
  const absl::StatusOr<SessionJournal> journal = ReadSessionJournal(directory);
  return journal.ok() && journal->end.has_value();
}

void RemoveAll(const std::string& directory) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

// Says of a session that its holder can't be asked, and why.
void ShowProblem(ManagedSession& session, const absl::Status& why) {
  holder::v1::State state;
  state.set_kind(holder::v1::State::STARTING);
  state.set_what(std::string(why.message()));
  state.set_since_ns(absl::GetCurrentTimeNanos());
  state.set_cwd(session.Snapshot().cwd());
  session.OnState(state);
}

}  // namespace

v1::SessionEnd FindEnd(const std::string& directory, holder::HolderFate fate) {
  v1::SessionEnd end;
  const absl::StatusOr<SessionJournal> journal = ReadSessionJournal(directory);
  if (!journal.ok() || !journal->end.has_value()) {
    end.set_reason(fate == holder::HolderFate::kRebooted
                       ? v1::END_REASON_COMPUTER_RESTARTED
                       : v1::END_REASON_HOLDER_LOST);
    *end.mutable_at() = ToProto(absl::Now());
    return end;
  }
  const holder::v1::SessionEnded& ended = *journal->end;
  end.set_reason(v1::EndReason_IsValid(ended.reason())
                     ? static_cast<v1::EndReason>(ended.reason())
                     : v1::END_REASON_SHELL_EXITED);
  *end.mutable_at() = ToProto(absl::FromUnixNanos(ended.at_ns()));
  end.set_detail(ended.detail());
  if (ended.wait_status() >= 0) {
    if (WIFSIGNALED(ended.wait_status())) {
      end.mutable_exit_status()->set_signal(WTERMSIG(ended.wait_status()));
    } else {
      end.mutable_exit_status()->set_code(WEXITSTATUS(ended.wait_status()));
    }
  }
  return end;
}

absl::Status SessionService::TakeUpAll(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    names.push_back(entry.path().filename());
  }
  if (error) {
    return ErrnoToStatus(error.value(), absl::StrCat("read ", directory));
  }
  std::vector<std::pair<Session, HolderConnection>> attached;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, kAway)) RemoveAll(DirectoryOf(name));
    const Session session = IsUuid(name) ? TakeUp(name) : nullptr;
    if (session == nullptr) continue;
    auto connection = Attach(session->directory());
    if (connection.ok()) {
      attached.emplace_back(session, *std::move(connection));
    } else {
      Rejoin(session, /*first=*/true);
    }
  }
  const absl::Time deadline = MonotonicNow() + kAllStatesLimit;
  for (auto& [session, connection] : attached) {
    const auto event = connection.Receive(deadline - MonotonicNow());
    // The monitor takes what comes later, and sees that a holder has ended.
    if (event.ok() && event->has_state()) session->OnState(event->state());
    const absl::Status followed =
        monitor_.Follow(session, std::move(connection));
    if (!followed.ok()) Rejoin(session, /*first=*/true);
  }
  return absl::OkStatus();
}

SessionService::Session SessionService::TakeUp(const std::string& instance_id) {
  const std::string directory = DirectoryOf(instance_id);
  const auto record = LoadSessionRecord(directory);
  const bool began =
      access(absl::StrCat(directory, "/holder").c_str(), F_OK) == 0;
  const bool unmade = record.ok()
                          ? record->shell_pid() == 0 && !record->has_end()
                          : absl::IsNotFound(record.status());
  if (unmade && !began && Discard(instance_id)) {
    DiscardRecording(instance_id);
    return nullptr;
  }
  if (!record.ok()) {
    SPDLOG_ERROR("session {}: {}", instance_id, record.status().ToString());
    return nullptr;
  }
  if (record->instance_id() != instance_id) {
    SPDLOG_ERROR("session {}: its record is of another", instance_id);
    return nullptr;
  }
  auto session =
      std::make_shared<ManagedSession>(directory, *record, ProfileOf(*record));
  // Whatever it was made for broke when the last agent ended.
  session->Promote();
  table_.Add(session);
  if (session->ended()) {
    if (options_.recorder != nullptr) {  // The last agent may have died of it.
      options_.recorder->Finish(
          instance_id, std::string(EndReasonText(record->end().reason())),
          absl::ZeroDuration());
    }
    DeleteAfter(FromProto(record->end().at()) + kKeepEnded - absl::Now(),
                session);
    return nullptr;
  }
  const holder::HolderFate fate = FateIn(directory);
  if (fate == holder::HolderFate::kAlive) return session;
  SetEnd(session, FindEnd(directory, fate));
  return nullptr;
}

bool SessionService::Discard(const std::string& instance_id) {
  // Its holder may begin at any moment, and finds no directory then.
  const std::string away = DirectoryOf(absl::StrCat(kAway, instance_id));
  if (rename(DirectoryOf(instance_id).c_str(), away.c_str()) != 0) return false;
  const auto identity = holder::ReadIdentityFile(absl::StrCat(away, "/holder"));
  if (identity.ok()) KillHolder(*identity, /*shell_pid=*/0);
  RemoveCgroup(away);
  RemoveAll(away);
  SPDLOG_WARN("session {} was being made when the last agent ended: forgotten",
              instance_id);
  return true;
}

absl::Status SessionService::Watch(const Session& session) {
  BERTH_ASSIGN_OR_RETURN(HolderConnection connection,
                         Attach(session->directory()));
  BERTH_ASSIGN_OR_RETURN(const auto event,
                         connection.Receive(kFirstStateLimit));
  if (event.has_state()) session->OnState(event.state());
  return monitor_.Follow(session, std::move(connection));
}

void SessionService::Rejoin(const Session& session, bool first) {
  if (session->ended()) return;
  auto connection = Attach(session->directory());
  absl::Status status = connection.status();
  if (status.ok()) status = monitor_.Follow(session, *std::move(connection));
  if (status.ok()) return monitor_.Touch(session);
  const holder::HolderFate fate = FateIn(session->directory());
  if (fate != holder::HolderFate::kAlive) {
    return SetEnd(session, FindEnd(session->directory(), fate));
  }
  if (first) {
    SPDLOG_WARN("session {} lives, and can't be followed yet: {}",
                session->instance_id(), status.ToString());
    ShowProblem(*session, status);
    monitor_.Touch(session);
  }
  RejoinLater(session);
}

void SessionService::RejoinLater(const Session& session) {
  monitor_.After(kRejoinPause, [this, session] {
    // Not here: to connect may take a while.
    if (!workers_.Run([this, session] { Rejoin(session, /*first=*/false); })) {
      RejoinLater(session);
    }
  });
}

void SessionService::OnHolderGone(const Session& session) {
  const std::string& directory = session->directory();
  const auto identity =
      holder::ReadIdentityFile(absl::StrCat(directory, "/holder"));
  const bool exited = identity.ok()
                          ? WaitForExit(*identity, kExitLimit)
                          : FateIn(directory) != holder::HolderFate::kAlive;
  if (!exited) {
    // It is there, and only this connection is not.
    if (!JournalSaysEnded(directory)) return Rejoin(session, /*first=*/true);
    if (identity.ok()) KillHolder(*identity, session->Snapshot().shell_pid());
  }
  SetEnd(session, FindEnd(directory, holder::HolderFate::kDead));
}

}  // namespace berth::agent

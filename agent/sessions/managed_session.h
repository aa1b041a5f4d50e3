#ifndef BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_
#define BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sessions/hold.h"
#include "agent/sessions/idle_clock.h"
#include "agent/sessions/terminals.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/state/session_life.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// A time that never jumps, since the computer's start; it goes on while the
// computer sleeps, as an idle session does.
absl::Duration SteadyNow();

// What the agent knows about one session. Thread-safe. Shared by the table and
// by whatever works on the session, which may go on after it was removed.
class ManagedSession {
 public:
  // `session` is as its record has it, `profile` its configuration as it was
  // when the session was made: what it allows bounds SetHolder.
  ManagedSession(std::string directory, v1::Session session,
                 const v1::Configuration& profile);

  const std::string& directory() const { return directory_; }
  const std::string& instance_id() const { return instance_id_; }
  const std::string& owner() const { return owner_; }

  // The session as it is reported to the broker.
  v1::Session Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);

  // The same, and remembers that it was reported. Nothing if the last report
  // said the same, or the session was forgotten. Unless `details`, what changes
  // with every short command makes no report of its own: times, sizes, and how
  // the last command ended. A temporary session makes none.
  std::optional<v1::Session> TakeReport(bool details = false)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The number of the last command, if its end was told and not what it was: a
  // holder tells only what is newest. 0: nothing is missing.
  uint64_t CommandOfUnknownText() const ABSL_LOCKS_EXCLUDED(mu_);
  // `what` may be empty: it was not found, and is not missing any more.
  void SetCommandText(uint64_t sequence, const std::string& what)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Whether there are such details to report.
  bool HasNewDetails() const ABSL_LOCKS_EXCLUDED(mu_);

  // The holder says what the shell does.
  void OnState(const holder::v1::State& state) ABSL_LOCKS_EXCLUDED(mu_);

  // See Hold. FAILED_PRECONDITION also: the session has ended, or is temporary.
  // INVALID_ARGUMENT: a bad idle timeout. PERMISSION_DENIED: it may not do
  // without one. Lets go of a temporary session as of any: it becomes an
  // ordinary one. `buffering` is not seen to here.
  absl::Status SetHolder(const link::v1::SetHolderRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);

  // A call of `client` begins. A temporary session takes one `visit` of the
  // client that it was made for: the id of its first command, or of a terminal;
  // a stream that broke may be opened anew for it. FAILED_PRECONDITION: see
  // Hold; it has ended; it is temporary, and not for this.
  absl::StatusOr<Hold::Tenure> Enter(const v1::Client& client,
                                     absl::string_view visit = "")
      ABSL_LOCKS_EXCLUDED(mu_);
  // The call that Enter() gave `tenure` ends. True: a temporary session has
  // done what it was made for
  // (`complete`) and is to be removed. If its last call leaves otherwise, it
  // becomes an ordinary session that nobody holds.
  bool Leave(Hold::Tenure tenure, bool complete = false)
      ABSL_LOCKS_EXCLUDED(mu_);
  // FAILED_PRECONDITION: the session is temporary.
  absl::Status CheckNotTemporary() const ABSL_LOCKS_EXCLUDED(mu_);
  bool temporary() const ABSL_LOCKS_EXCLUDED(mu_);
  // Makes a temporary session an ordinary one that nobody holds.
  void Promote() ABSL_LOCKS_EXCLUDED(mu_);

  // The holder was told of a new buffering mode.
  void SetBuffering(v1::BufferingMode mode) ABSL_LOCKS_EXCLUDED(mu_);

  // FAILED_PRECONDITION: the session has ended.
  absl::Status CheckLives() const ABSL_LOCKS_EXCLUDED(mu_);

  // The terminals attached to it. To be told of every change of who is.
  Terminals& terminals() { return terminals_; }
  void TerminalsChanged() ABSL_LOCKS_EXCLUDED(mu_);

  // How long until the idle clock ends it; not set while that does not run.
  std::optional<absl::Duration> IdleLeft() const ABSL_LOCKS_EXCLUDED(mu_);

  // Tells the attached terminals when that will be; each once, unless somebody
  // uses the session in between.
  void WarnOfIdleEnd() ABSL_LOCKS_EXCLUDED(mu_);

  // The session's shell is gone. The first end stays: false if there is one.
  bool End(const v1::SessionEnd& end) ABSL_LOCKS_EXCLUDED(mu_);
  bool ended() const ABSL_LOCKS_EXCLUDED(mu_);
  // False if it still lives after `limit`.
  bool WaitEnded(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

  // Claims the right to end it. False if somebody has it already.
  bool StartEnding() ABSL_LOCKS_EXCLUDED(mu_);

  // Writes the record. After Forget() nothing is written any more.
  absl::Status Save() ABSL_LOCKS_EXCLUDED(mu_, io_mu_);
  // Deletes the directory. Nothing is saved or reported after this.
  void Forget() ABSL_LOCKS_EXCLUDED(mu_, io_mu_);

 private:
  v1::Session SnapshotLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings the idle clock up to date with hold and state.
  void UpdateClockLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckLivesLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckNotTemporaryLocked() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The idle timeout that a request asks for; the present one if it does not.
  absl::StatusOr<absl::Duration> NewTimeoutLocked(
      const link::v1::SetHolderRequest& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetTimeoutLocked(absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint64_t CommandOfUnknownTextLocked() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PromoteLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string EssenceLocked(const v1::Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string DetailsLocked(const v1::Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string directory_;
  const std::string instance_id_;
  const std::string owner_;
  const absl::Duration max_idle_timeout_;
  const bool may_never_idle_;
  const bool idle_while_busy_;

  Terminals terminals_;

  // Orders writers of the record; held during I/O on purpose.
  Mutex io_mu_;
  bool forgotten_ ABSL_GUARDED_BY(io_mu_) = false;

  mutable Mutex mu_;
  CondVar ended_;
  v1::Session session_ ABSL_GUARDED_BY(mu_);
  Hold hold_ ABSL_GUARDED_BY(mu_);
  IdleClock clock_ ABSL_GUARDED_BY(mu_);
  holder::v1::State state_ ABSL_GUARDED_BY(mu_);
  // Forgotten: nothing is reported any more.
  state::SessionLife life_ ABSL_GUARDED_BY(mu_);
  std::string reported_ ABSL_GUARDED_BY(mu_);
  std::string reported_details_ ABSL_GUARDED_BY(mu_);
  // What the command of the latest COMMAND state was: its end doesn't tell.
  std::string command_id_ ABSL_GUARDED_BY(mu_);
  std::string command_what_ ABSL_GUARDED_BY(mu_);
  uint64_t text_sought_ ABSL_GUARDED_BY(mu_) = 0;
  // While temporary: for whom, the one visit, and how many calls it has open.
  std::string made_for_ ABSL_GUARDED_BY(mu_);
  std::optional<std::string> visit_ ABSL_GUARDED_BY(mu_);
  int visits_open_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_

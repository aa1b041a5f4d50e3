#ifndef BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_
#define BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/sessions/hold.h"
#include "agent/sessions/idle_clock.h"
#include "agent/sessions/terminals.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// A time that never jumps, since the computer's start; it goes on while the
// computer sleeps, as an idle session does.
absl::Duration SteadyNow();

// What the agent knows about one session. Thread-safe. Shared by the table and
// by whatever works on the session, which may go on after it was removed.
class ManagedSession {
 public:
  // `session` is as its record has it. `max_idle_timeout` bounds SetHolder.
  ManagedSession(std::string directory, v1::Session session,
                 absl::Duration max_idle_timeout);

  const std::string& directory() const { return directory_; }
  const std::string& instance_id() const { return instance_id_; }
  const std::string& owner() const { return owner_; }

  // The session as it is reported to the broker.
  v1::Session Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);

  // The same, and remembers that it was reported. Nothing if the last report
  // said the same, or the session was forgotten.
  std::optional<v1::Session> TakeReport() ABSL_LOCKS_EXCLUDED(mu_);

  // The holder says what the shell does.
  void OnState(const holder::v1::State& state) ABSL_LOCKS_EXCLUDED(mu_);

  // See Hold. FAILED_PRECONDITION also: the session has ended.
  // INVALID_ARGUMENT: a bad idle timeout.
  absl::Status SetHolder(const link::v1::SetHolderRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Enter(const v1::Client& client) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(const v1::Client& client) ABSL_LOCKS_EXCLUDED(mu_);

  // FAILED_PRECONDITION: the session has ended.
  absl::Status CheckLives() const ABSL_LOCKS_EXCLUDED(mu_);

  // The terminals attached to it. To be told of every change of who is.
  Terminals& terminals() { return terminals_; }
  void TerminalsChanged() ABSL_LOCKS_EXCLUDED(mu_);

  // How long until the idle clock ends it; not set while that does not run.
  std::optional<absl::Duration> IdleLeft() const ABSL_LOCKS_EXCLUDED(mu_);

  // The session's shell is gone. The first end stays.
  void End(const v1::SessionEnd& end) ABSL_LOCKS_EXCLUDED(mu_);
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

  const std::string directory_;
  const std::string instance_id_;
  const std::string owner_;
  const absl::Duration max_idle_timeout_;

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
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  bool gone_ ABSL_GUARDED_BY(mu_) = false;  // Nothing is reported any more.
  std::string reported_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_MANAGED_SESSION_H_

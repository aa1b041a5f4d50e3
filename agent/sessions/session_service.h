#ifndef BERTH_AGENT_SESSIONS_SESSION_SERVICE_H_
#define BERTH_AGENT_SESSIONS_SESSION_SERVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/holder/identity_file.h"
#include "agent/recording/recorder.h"
#include "agent/sessions/configurations.h"
#include "agent/sessions/freeze.h"
#include "agent/sessions/managed_session.h"
#include "agent/sessions/run_as.h"
#include "agent/sessions/session_monitor.h"
#include "agent/sessions/session_table.h"
#include "agent/sessions/shell_check.h"
#include "agent/sessions/worker_pool.h"
#include "proto/berth/link/v1/link.pb.h"

namespace berth::agent {

// SessionService makes, finds again, watches and ends the sessions of this
// computer. Thread-safe. Its methods wait for holders, but for seconds at most.
class SessionService {
 public:
  using Session = std::shared_ptr<ManagedSession>;

  // How long the output of a session that ended can be received.
  static constexpr absl::Duration kKeepEnded = absl::Hours(24);

  struct Options {
    std::string directory;  // Of the agent's state; sessions are below it.
    std::string holder;     // Path of the berth-holder program.
    std::string computer;   // This computer's name in the fleet.
    // Records sessions; outlives this. Null: none can be recorded.
    Recorder* recorder = nullptr;
    std::string login = {};  // Path of the berth-login program.
  };
  // Called without locks, by any thread, when a session may look different
  // from its last report (see SessionMonitor), and when one is no more.
  struct Listener {
    std::function<void(const Session&, bool details)> changed;
    std::function<void(const std::string& instance_id)> gone;
  };

  // `configurations` are loaded, and outlive this. Which cgroups there are is
  // found out once.
  SessionService(Options options, const Configurations& configurations,
                 WorkerPool& workers, Listener listener);
  ~SessionService();

  // Finds the sessions of the last run, and starts to watch.
  absl::Status Start();
  // Stops watching. Sessions live on.
  void Stop();

  // CreateRequest etc. of link.proto; the errors are those of berth.v1.
  absl::StatusOr<Session> Create(const link::v1::CreateRequest& request);
  absl::Status Remove(absl::string_view user,
                      const link::v1::RemoveRequest& request);
  absl::StatusOr<Session> SetHolder(absl::string_view user,
                                    const link::v1::SetHolderRequest& request);

  const SessionTable& table() const { return table_; }
  // What sessions can be made from, as brokers are told.
  std::vector<v1::Configuration> DescribeConfigurations() const {
    return configurations_.Get()->Describe(cgroups_.Controllers());
  }
  const Configurations& configurations() const { return configurations_; }
  // Why no new sessions are made here; empty: they are.
  std::string Frozen() const { return FrozenReason(options_.directory); }

  // A call that entered a session is over. `complete`: it did all that it came
  // for, so that a temporary session is removed; else that becomes an ordinary
  // one. (Calls of sessions that can't be temporary may Leave() by themselves.)
  void EndVisit(const Session& session, Hold::Tenure tenure, bool complete);

  // After an open call changed something about a session (see
  // SessionMonitor).
  void Touch(const Session& session) { monitor_.Touch(session); }
  void Flush(const Session& session) { monitor_.Flush(session); }

  // Runs `task` later, on the thread that watches. It must not wait.
  void After(absl::Duration delay, std::function<void()> task) {
    monitor_.After(delay, std::move(task));
  }

 private:
  // What a session is made from.
  struct Source {
    std::string name;
    Configuration configuration;
    uint64_t max_sessions = 0;  // Of the computer.
    RunAsRules run_as;          // Of the computer.
    Account account;            // That the shell runs as.
    bool other = false;         // It is not the agent's.
  };

  absl::Status CheckNotFrozen() const;
  absl::StatusOr<Source> FindSource(const std::string& name) const;
  // Finds who the shell runs as.
  absl::Status FindAccountOf(const link::v1::CreateRequest& request,
                             Source& source) const;
  absl::StatusOr<v1::Session> NewSession(const link::v1::CreateRequest& request,
                                         const Source& source) const;
  absl::StatusOr<Session> Make(const link::v1::CreateRequest& request,
                               const Source& source, v1::Session session);
  absl::Status StartShell(const link::v1::CreateRequest& request,
                          const Source& source, v1::Session& session);
  absl::StatusOr<holder::v1::HolderStart> MakeStart(
      const link::v1::CreateRequest& request, const Source& source,
      const v1::Session& session) const;
  // What a session of the last run was made from.
  v1::Configuration ProfileOf(const v1::Session& session) const;

  // Takes up the sessions of the last run, below `directory`: all at once, so
  // that none waits for a holder that is slow.
  absl::Status TakeUpAll(const std::string& directory);
  // Lists one of them. Null: there is nothing to follow.
  Session TakeUp(const std::string& instance_id);
  // Deletes what is left of a session that was being made when the last agent
  // ended. False: its holder has begun, so it is a session.
  bool Discard(const std::string& instance_id);
  // From now on what a session prints is recorded, if its configuration says
  // so.
  absl::Status BeginRecording(const Source& source, const v1::Session& session);
  void DiscardRecording(const std::string& instance_id);
  // Connects to the holder of a new session and watches it.
  absl::Status Watch(const Session& session);
  // Follows a session that was made before. One that can't be reached now is
  // tried again for as long as its holder lives: nothing else has ended it.
  void Rejoin(const Session& session, bool first);
  void RejoinLater(const Session& session);

  // Finds out why a holder went away, and notes how its session ended.
  void OnHolderGone(const Session& session);
  void SetEnd(const Session& session, v1::SessionEnd end);
  // Limits by cgroup where there are any, else by RLIMIT.
  absl::Status AddLimits(const Limits& limits,
                         holder::v1::HolderStart& start) const;
  // Ends what is left in the cgroup of a session whose holder is gone.
  void RemoveCgroup(const std::string& directory) const;
  void DeleteAfter(absl::Duration delay, const Session& session);
  // Ends a live session; true once it has ended.
  bool Terminate(const Session& session, v1::EndReason reason);
  // The same, and forgets it with its logs.
  absl::Status EndAndForget(const Session& session);
  // What a holder does when the log is full.
  static holder::v1::HolderStart::WhenFull WhenFull(v1::BufferingMode mode);
  // Tells the holder so.
  absl::Status SetBuffering(const Session& session, v1::BufferingMode mode);
  void OnIdle(const Session& session);
  void Save(const Session& session);
  // Looks up what the last command of a session was, if that is not known.
  void FindCommandText(const Session& session);

  std::string DirectoryOf(absl::string_view instance_id) const;

  const Options options_;
  const Configurations& configurations_;
  WorkerPool& workers_;
  const Listener listener_;
  const Cgroups cgroups_;
  SessionTable table_;
  ShellCheck shells_;
  SessionMonitor monitor_;
};

// How a session ended, by its journal or, if that doesn't say, by what became
// of its holder.
v1::SessionEnd FindEnd(const std::string& directory, holder::HolderFate fate);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SESSION_SERVICE_H_

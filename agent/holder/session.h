#ifndef BERTH_AGENT_HOLDER_SESSION_H_
#define BERTH_AGENT_HOLDER_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/holder/commands.h"
#include "agent/holder/connection.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/listener.h"
#include "agent/holder/session_end.h"
#include "agent/holder/startup_script.h"
#include "agent/holder/terminal.h"
#include "agent/holder/typed_visits.h"
#include "agent/log/journal.h"
#include "agent/log/session_logs.h"
#include "agent/shell/shell.h"
#include "base/state/session_life.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// One session: its shell, terminal and commands, and the connections of agents
// to them. Lives until its shell does not. One thread.
class Session final : public shell::ShellObserver,
                      public CommandsHost,
                      public Connection::Observer {
 public:
  // Connections at a time; more are closed at once.
  static constexpr size_t kMaxConnections = 256;

  // Starts the shell. `on_ready` is called once, when it can take commands, or
  // with the reason why it never will; then the session ends by itself. Stops
  // `loop` when it has ended.
  static absl::StatusOr<std::unique_ptr<Session>> Create(
      EventLoop& loop, const v1::HolderStart& start,
      std::function<void(const absl::Status&)> on_ready);
  ~Session() override;

  pid_t shell_pid() const { return shell_->pid(); }

  // Ends it. `reason` is an EndReason of berth.v1.
  void End(uint32_t reason, const std::string& detail);

  // Takes in that children have changed state (SIGCHLD).
  void Reap();

  // ShellObserver.
  void OnHello() override;
  void OnUnusable(const std::string& why) override;
  void OnStateChange() override;
  void OnRunStarted(uint64_t id) override;
  void OnRunEnded(const shell::RunEnd& end) override;
  void OnRunDropped(uint64_t id, const std::string& why) override;
  void OnExitTyped() override;

  // CommandsHost.
  void Send(uint64_t connection, const v1::Event& event) override;
  void SendAdvanced(uint64_t connection, uint64_t sequence,
                    uint64_t offset) override;
  v1::State CurrentState() override;
  void OnCommandsChange() override;
  void Complain(const std::string& what) override;

  // Connection::Observer.
  void OnRequest(Connection& connection, const v1::Request& request,
                 UniqueFd fd) override;
  void OnClosed(Connection& connection) override;

 private:
  Session(EventLoop& loop, agent::Journal journal,
          std::function<void(const absl::Status&)> on_ready)
      : loop_(loop),
        journal_(std::move(journal)),
        on_ready_(std::move(on_ready)) {}

  absl::Status Init(const v1::HolderStart& start);
  absl::Status StartShell(const v1::HolderStart& start);
  void HelloTimedOut();
  void OnStartedUp(const absl::Status& status);
  void FailStart(const absl::Status& why);
  void Ready(const absl::Status& status);
  void HandleControl();
  void ScheduleShellStep();
  void OnShellExit(int wait_status);
  void OnAllEnded();
  // Makes a step of the table of sessions; `reason` and `detail` count if they
  // are the first. False: there is no such step; it was told.
  bool Step(state::SessionEvent event, uint32_t reason,
            const std::string& detail);
  void BeginEnd(state::SessionEvent event, uint32_t reason,
                const std::string& detail);

  void Accept(UniqueFd fd);
  bool HasTerminal(Connection& connection);
  void Type(Connection& connection, const v1::TerminalInput& input);
  // Tells whoever types how much of it was taken.
  void ReportTakenSoon();
  void ReportTaken();
  void UpdateExitLeaves();
  void OnTerminalOutput();
  void CheckTerminalWait(uint64_t offset);
  void UpdateHold();

  v1::State::Kind CurrentKind() const;
  std::string DescribeForeground() const;
  void AnnounceState();
  void RefreshStateLater();

  EventLoop& loop_;
  agent::Journal journal_;
  std::function<void(const absl::Status&)> on_ready_;
  std::string shell_path_;
  absl::Duration hello_timeout_;
  std::unique_ptr<agent::SessionLogs> logs_;
  std::unique_ptr<shell::Shell> shell_;
  std::unique_ptr<StartupScript> startup_;  // Null: there is none.
  std::unique_ptr<Terminal> terminal_;
  std::unique_ptr<Commands> commands_;
  std::unique_ptr<SessionEnd> end_;
  std::unique_ptr<Listener> listener_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_connection_ = 0;
  TypedVisits visits_;
  std::optional<EventLoop::TimerId> taken_timer_;
  bool exit_leaves_ = false;
  int control_ = -1;  // As long as it is watched.
  std::optional<EventLoop::TimerId> hello_timer_;
  std::optional<EventLoop::TimerId> shell_timer_;
  std::optional<EventLoop::TimerId> refresh_timer_;
  std::optional<EventLoop::TimerId> terminal_wait_timer_;
  // The running command waits for something to be typed.
  bool terminal_wait_ = false;
  // What was last announced, and since when it is so.
  v1::State announced_;
  int64_t since_ns_ = 0;
  bool shell_exited_ = false;
  int wait_status_ = -1;
  state::SessionLife life_;
  std::string end_detail_;  // Of life_.reason().
  int complaints_ = 0;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_SESSION_H_

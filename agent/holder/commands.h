#ifndef BERTH_AGENT_HOLDER_COMMANDS_H_
#define BERTH_AGENT_HOLDER_COMMANDS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/holder/command.h"
#include "agent/holder/command_table.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/output_pipes.h"
#include "agent/holder/terminal.h"
#include "agent/log/journal.h"
#include "agent/log/session_logs.h"
#include "agent/shell/shell.h"
#include "base/state/command_lane.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// What the commands need of the session around them.
class CommandsHost {
 public:
  virtual ~CommandsHost() = default;
  // Sends to a connection, if it is still there.
  virtual void Send(uint64_t connection, const v1::Event& event) = 0;
  virtual void SendAdvanced(uint64_t connection, uint64_t sequence,
                            uint64_t offset) = 0;
  virtual v1::State CurrentState() = 0;
  // CurrentState() may have changed.
  virtual void OnCommandsChange() = 0;
  // For the agent's log.
  virtual void Complain(const std::string& what) = 0;
};

// A session's commands: takes them, one after the other has the shell run them,
// logs what they print, and tells those who follow them. What it promises is in
// the journal before it is done. One thread.
class Commands final : public OutputPipes::Observer {
 public:
  // Commands that may wait at a time.
  static constexpr size_t kMaxWaiting = 64;
  static constexpr size_t kMaxScript = 1 << 20;

  // All of these must outlive this.
  Commands(EventLoop& loop, shell::Shell& shell, Terminal& terminal,
           agent::SessionLogs& logs, agent::Journal& journal,
           std::string journal_path, CommandsHost& host);
  ~Commands() override;

  // Requests of connection `connection`.
  void Start(uint64_t connection, const v1::Start& request, UniqueFd script);
  void Stdin(uint64_t connection, const v1::Stdin& request);
  void Interrupt(const v1::Interrupt& request);
  void Withdraw(const v1::Withdraw& request);
  void Ack(const v1::Ack& request);
  void Recorded(const v1::Recorded& request);
  void SetBuffering(const v1::SetBuffering& request);

  // From the shell.
  void OnShellStateChange();
  void OnRunStarted(uint64_t sequence);
  void OnRunEnded(const shell::RunEnd& end);
  void OnRunDropped(uint64_t sequence, const std::string& why);
  // The shell has ended as `wait_status` says, or ends now: so do all commands.
  void OnShellEnd(int wait_status);

  // No command is taken or started any more.
  void Close() { lane_.Close(); }

  // The command that the shell has; null if there is none.
  Command* running() { return FindActive(lane_.running()); }
  size_t waiting() const { return lane_.waiting(); }
  // Fills in what `state` says of output, and of the latest end.
  void DescribeOutput(v1::State& state) const;
  // Interrupts what runs, if anything does.
  void InterruptRunning(bool force);
  // Tells those who follow the running command.
  void NotifyRunning(const std::string& text);

  // OutputPipes::Observer.
  void OnAdvanced(uint64_t sequence) override;
  void OnDrained(uint64_t sequence, uint64_t dropped) override;
  void OnStalled(uint64_t sequence, const absl::Status& why) override;
  void OnClosed(uint64_t sequence) override;

 private:
  // Makes a step of the table of commands. False: there is none; it was told.
  bool Step(uint64_t sequence, state::CommandEvent event);
  bool IsRunning(const Command* command) const {
    return command != nullptr && command->sequence == lane_.running();
  }
  state::ShellReadiness Readiness() const;

  // Starting.
  void Follow(uint64_t connection, Command& command);
  bool FollowExisting(uint64_t connection, const v1::Start& request);
  // Of a command that is no longer remembered, what the journal says.
  Command Recall(uint64_t sequence);
  absl::Status Check(const v1::Start& request, const UniqueFd& script) const;
  absl::Status CheckBusy(const v1::Start& request);
  absl::Status Reserve(const v1::Start& request);
  absl::Status RecordHandingOver(uint64_t sequence);
  void Enqueue(uint64_t connection, Command& command, uint64_t wait_ms);
  void NoteTerminal(Command& command);
  void SendQueued(uint64_t connection, const Command& command);
  void SendCredit(uint64_t sequence);
  void StartNext();
  absl::Status HandOver(Command& command);
  absl::Status OpenStreams(Command& command, shell::Run& run,
                           OutputPipes::Writers& writers);
  // The user's Enter came before the command that the shell has.
  void OnOvertaken();
  void LimitWait(Command& command);
  void GiveUpWaiting(uint64_t sequence);
  // Takes back a command that has not started.
  void TakeBack(Command& command, const absl::Status& why);
  // Ends a command that never started, as a refusal to those who wait for it.
  void EndUnstarted(Command& command, const absl::Status& why);

  // Ending.
  void StopTimers(ActiveCommand& active);
  v1::Ended ShellEnded(const Command& command, int wait_status) const;
  void BeginEnd(Command& command, v1::Ended ended);
  void DropStalledEnds();
  void FinishEnd(Command& command);
  void Record(const v1::JournalRecord& record);
  void ReleaseOutput(Command& command);
  void BoundLeftovers();

  // Output.
  void ResumeStalled();
  void RetryStalled();
  void JournalAck(uint64_t sequence);
  void JournalAcks();

  void Refuse(uint64_t connection, const std::string& id,
              const absl::Status& why);
  void Broadcast(const Command& command, const v1::Event& event);
  Command* FindActive(uint64_t sequence);

  EventLoop& loop_;
  shell::Shell& shell_;
  Terminal& terminal_;
  agent::SessionLogs& logs_;
  agent::Journal& journal_;
  const std::string journal_path_;
  CommandsHost& host_;
  const size_t max_leftovers_;
  CommandTable table_;
  state::CommandLane lane_{kMaxWaiting};
  // Of the latest command that ran and ended; null if there is none.
  std::unique_ptr<v1::Ended> last_ended_;
  // The user's Enter came before the run that the shell has.
  bool overtaken_ = false;
  bool shell_ended_ = false;
  std::optional<EventLoop::TimerId> quiet_timer_;
  // Commands that the shell is done with and whose processes have their pipes.
  std::deque<uint64_t> leftovers_;
  absl::flat_hash_set<uint64_t> stalled_;
  std::string stalled_by_;  // What the last one waits for.
  std::optional<EventLoop::TimerId> stall_timer_;
  // Commands whose acknowledged offset is not in the journal yet.
  absl::flat_hash_set<uint64_t> unrecorded_acks_;
  std::optional<EventLoop::TimerId> ack_timer_;
  UniqueFd null_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_COMMANDS_H_

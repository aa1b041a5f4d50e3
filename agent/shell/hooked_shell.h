#ifndef BERTH_AGENT_SHELL_HOOKED_SHELL_H_
#define BERTH_AGENT_SHELL_HOOKED_SHELL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/shell/canceller.h"
#include "agent/shell/control_channel.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

// A shell that something of ours in its own process serves, which speaks
// hook/packet.h. What differs between kinds of shells is in derived classes.
class HookedShell : public Shell {
 public:
  pid_t pid() const override { return process_.pid; }
  int terminal() const override { return process_.terminal.get(); }
  int control() const override { return channel_->fd(); }
  void HandleControl() override;
  ShellState state() const override { return state_; }
  const std::string& cwd() const override { return cwd_; }
  absl::Status Start(const Run& run) override;
  void Withdraw(uint64_t id) override;
  void Acknowledge(uint64_t id, bool redraw) override;
  void Cancel(bool force) override;
  absl::Time next_step() const override;
  void Step(absl::Time now) override;
  void HandleExit() override;
  void HandleChildExit(pid_t, int) override {}

 protected:
  // `observer` must outlive this.
  HookedShell(TerminalProcess process, std::unique_ptr<ControlChannel> channel,
              ShellObserver& observer)
      : process_(std::move(process)),
        channel_(std::move(channel)),
        observer_(observer) {}

  // Makes the shell interrupt run `id`, if it executes it.
  virtual void Interrupt(uint64_t id, bool force) = 0;
  // Whether Interrupt() leaves children in the shell's own group alone.
  virtual bool SparesOwnGroup() const { return true; }
  // Something was sent that the shell is to look at now.
  virtual void Wake() {}
  // The shell does not answer in state(): tries for the `attempt`th time, from
  // 0 on, to make it look. Returns when to try again.
  virtual absl::Duration Poke(int attempt);
  // The shell would take the run that it was sent.
  virtual void OnReady() {}
  // It came back to its prompt, and has a run that it could not take before.
  virtual void OnPromptBeforeRun() {}

  // Sends a packet without descriptors. What can't be sent is lost: then the
  // shell is gone, or does not read and has enough of them.
  void Send(berth_packet_type type, uint64_t id, uint32_t flags = 0);
  void Change(ShellEvent event);

 private:
  void Handle(const ControlPacket& packet);
  void HandleStarted(uint64_t id);
  void HandleDone(const ControlPacket& packet);
  void PokeFrom(absl::Time now);
  // The run is no longer the shell's.
  void ForgetRun();
  void StepCancel(absl::Time now);

  TerminalProcess process_;
  const std::unique_ptr<ControlChannel> channel_;
  ShellObserver& observer_;
  ShellState state_ = ShellState::kStarting;
  std::string cwd_;
  uint64_t run_id_ = 0;  // Of the run that was sent and hasn't ended, or 0.
  bool run_started_ = false;
  uint64_t run_started_ticks_ = 0;
  absl::Time run_started_at_;
  std::optional<Canceller> canceller_;
  absl::Time next_cancel_step_ = absl::InfiniteFuture();
  absl::Time next_poke_ = absl::InfiniteFuture();
  int pokes_ = 0;
};

// Sets a variable in an environment of "NAME=value". Returns what it was.
std::optional<std::string> SetVariable(std::vector<std::string>& environment,
                                       const std::string& name,
                                       const std::string& value);

// Adds a TERM that terminals of our days understand, if there is none.
void AddDefaultTerm(std::vector<std::string>& environment);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_HOOKED_SHELL_H_

#ifndef BERTH_TESTS_MODEL_WALK_H_
#define BERTH_TESTS_MODEL_WALK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/agent/fake_broker.h"
#include "tests/model/walk_model.h"

namespace berth::model {

// Does one thing after another with a real agent, drawn from a seed, and
// compares each answer with what WalkSession says.
class Walk {
 public:
  // `restart` kills the agent and starts it again; returns its hello.
  Walk(agent::FakeBroker& broker, uint64_t seed,
       std::function<link::v1::Hello()> restart);

  void Step();
  // Ends all sessions.
  void Finish();

  // The latest steps, for when one failed.
  std::string History() const;
  const std::map<std::string, uint64_t>& counts() const { return counts_; }

 private:
  struct Real {
    WalkSession model;
    uint32_t shell_pid = 0;
    // The call that shows what runs, and what the model gave for it.
    std::optional<agent::FakeBroker::ClientCall> call;
    int tenure = 0;
  };
  using Sessions = std::map<std::string, Real>;

  void New();
  void Remove(const std::string& id, Real& real);
  void Connect(const std::string& id, Real& real);
  void Disconnect(const std::string& id, Real& real);
  void Run(const std::string& id, Real& real);
  void RunDetached(const std::string& id, Real& real);
  void RunForever(const std::string& id, Real& real);
  void RunAgain(const std::string& id, Real& real);
  void RunOtherText(const std::string& id, Real& real);
  void Receive(const std::string& id, Real& real);
  void Interrupt(const std::string& id, Real& real);
  void KillClient(Real& real);
  void KillShell(const std::string& id, Real& real);
  void RestartAgent();

  void SetHolder(const std::string& id, Real& real,
                 const link::v1::SetHolderRequest& request,
                 absl::StatusCode want);
  agent::FakeBroker::ClientCall OpenRun(const std::string& id,
                                        const std::string& client,
                                        const v1::RunRequest& request);
  // All that the call shows until its command's end, which has to be as the
  // model says.
  void ShowsEnd(const std::string& id, agent::FakeBroker::ClientCall& call,
                const WalkSession::Command& command);
  // All that a command printed, and its end, over a stream of its own.
  void ReadAgain(const std::string& id, const std::string& command,
                 const WalkSession::Command& known);
  // The client goes away.
  void Leave(agent::FakeBroker::ClientCall& call);
  // The call is over, with this code.
  void Over(agent::FakeBroker::ClientCall& call, absl::StatusCode want);
  // What the model has done at once, the real one has done, too.
  void Settle(const std::string& id, Real& real,
              const std::map<std::string, WalkSession::Command>& before);
  void Note(const char* what, const std::string& more = "");
  int Draw(int below);
  std::string Client();
  std::string AnyCommand(const Real& real, WalkSession::Command::State state);

  agent::FakeBroker& broker_;
  std::mt19937_64 random_;
  const std::function<link::v1::Hello()> restart_;
  uint32_t next_id_ = 0;
  uint64_t steps_ = 0;
  Sessions sessions_;
  std::deque<std::string> history_;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace berth::model

#endif  // BERTH_TESTS_MODEL_WALK_H_

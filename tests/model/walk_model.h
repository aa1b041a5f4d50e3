#ifndef BERTH_TESTS_MODEL_WALK_MODEL_H_
#define BERTH_TESTS_MODEL_WALK_MODEL_H_

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::model {

// What a session should do, in the simplest words. No processes, no time.
class WalkSession {
 public:
  struct Command {
    std::string script;
    enum class State { kQueued, kRunning, kEnded } state = State::kQueued;
    // Of one that has ended.
    v1::CommandEnded::How how = v1::CommandEnded::HOW_UNSPECIFIED;
    int exit_code = 0;
    std::string output;
  };

  // How the real one should answer; OK: it does it.
  absl::StatusCode Connect(const std::string& client, bool take);
  absl::StatusCode Disconnect(const std::string& client);
  // A call of `client` for a command begins; `known`: one that is there.
  absl::StatusCode Enter(const std::string& client, bool known) const;
  absl::StatusCode Start(const std::string& client, const std::string& id,
                         const std::string& script, bool waits);
  // A call that shows the command stays open: what to tell when it is over.
  int OpenCall(const std::string& client);
  void CloseCall(int tenure);

  // What runs is interrupted.
  void Interrupt();
  // The shell is gone, with what runs in it.
  void EndShell(int exit_code);
  // The agent starts anew: all calls are over.
  void CutCalls();

  bool ended() const { return ended_; }
  // The command that runs; null if none does.
  const std::string* running() const { return running_ ? &*running_ : nullptr; }
  const std::string& holder() const { return holder_; }
  size_t queued() const { return queue_.size(); }
  const std::map<std::string, Command>& commands() const { return commands_; }

 private:
  void RunNext();
  void Execute(const std::string& id);
  void Finish(const std::string& id, v1::CommandEnded::How how, int exit_code);
  bool HeldByOther(const std::string& client) const {
    return !holder_.empty() && holder_ != client;
  }
  void LetGo();

  bool ended_ = false;
  std::string holder_;
  bool lasting_ = false;
  int tenure_ = 0;  // Another each time that somebody lets go.
  int calls_ = 0;   // That are open, of this tenure.
  std::map<std::string, Command> commands_;
  std::deque<std::string> queue_;
  std::optional<std::string> running_;
  int counter_ = 0;  // A variable in the shell.
};

// What scripts there are: one that counts, one that exits, one that runs until
// it is interrupted, one that ends the shell.
inline constexpr char kCount[] = "X=$((X + 1)); echo $X; echo e$X >&2";
inline constexpr char kExit[] = "echo out; exit 3";
inline constexpr char kForever[] = "echo on; sleep 600";
inline constexpr char kEnd[] = "echo bye; exit 4";

}  // namespace berth::model

#endif  // BERTH_TESTS_MODEL_WALK_MODEL_H_

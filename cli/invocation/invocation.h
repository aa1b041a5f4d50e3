#ifndef BERTH_CLI_INVOCATION_INVOCATION_H_
#define BERTH_CLI_INVOCATION_INVOCATION_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/invocation/environment.h"
#include "cli/invocation/input.h"
#include "cli/invocation/output.h"
#include "cli/invocation/signals.h"

namespace CLI {
class App;
}  // namespace CLI

namespace berth::cli {

class Connector;

// One `berth` command line at work, in its own process or in the keeper, where
// many work at once. So commands take everything that belongs to a process
// from here: arguments, environment, directory, descriptors, signals.
class Invocation {
 public:
  struct Params {
    // Without the program's name.
    std::vector<std::string> args;
    std::string cwd;
    Environment environment;
    // Not owned; they must outlive the invocation.
    int in = 0;
    int out = 1;
    int err = 2;
  };

  Invocation(Params params, Connector& connector)
      : params_(std::move(params)),
        connector_(connector),
        in_(params_.in),
        out_(params_.out, signals_),
        err_(params_.err, signals_) {}

  const std::vector<std::string>& args() const { return params_.args; }
  const std::string& cwd() const { return params_.cwd; }
  const Environment& environment() const { return params_.environment; }
  // The descriptor of standard input, for what a terminal needs of it.
  int in_fd() const { return params_.in; }
  int out_fd() const { return params_.out; }
  int err_fd() const { return params_.err; }
  SignalSource& signals() { return signals_; }
  Connector& connector() { return connector_; }
  Input& in() { return in_; }
  Output& out() { return out_; }
  Output& err() { return err_; }

  // An absolute path for what the user wrote.
  std::string AbsolutePath(absl::string_view path) const;

  // Lets the process that asked end with this exit status, although there are
  // streams to close yet: everything is printed, and nothing can be any more.
  // Does nothing where command and process are one.
  void Conclude(int exit_status);
  // Who lets the process end. Call before the command begins.
  void OnConclude(std::function<void(int)> let_go) {
    let_go_ = std::move(let_go);
  }

  // Stops the process that asked, as Ctrl-Z would. SignalSource counts it once
  // it goes on.
  void Suspend() {
    if (suspend_) suspend_();
  }
  // Who can. Call before the command begins.
  void OnSuspend(std::function<void()> suspend) {
    suspend_ = std::move(suspend);
  }

  // Executes another program in the place of this process, with its
  // environment and descriptors. Returns only if that can't be done.
  // FAILED_PRECONDITION: this process is not only the command's.
  absl::Status Become(const std::vector<std::string>& command);
  // Who can. Call before the command begins.
  void OnBecome(
      std::function<absl::Status(const std::vector<std::string>&)> become) {
    become_ = std::move(become);
  }

  // Set: the command does nothing, but shows its options to this. It is how
  // help, manual pages and completion know them.
  using Inspector = std::function<void(const CLI::App&)>;
  void OnInspect(Inspector inspector) { inspector_ = std::move(inspector); }
  const Inspector& inspector() const { return inspector_; }

  // Tells the user, as "berth: <text>". Control bytes are escaped.
  void Say(absl::string_view text);

  // Writes the result of a command. Returns the exit status to end with: 0, or
  // 141 if its reader is gone, as SIGPIPE would have it; the code for a signal
  // if left; 1 if it can't be written, having told the user.
  int Print(absl::string_view text);

  // Tells the user why the command failed and returns `exit_code`; or the code
  // for a signal if the invocation was left, which is then the reason.
  int Fail(const absl::Status& status, int exit_code = 1);

 private:
  const Params params_;
  std::function<void(int)> let_go_;
  std::function<void()> suspend_;
  std::function<absl::Status(const std::vector<std::string>&)> become_;
  Inspector inspector_;
  Connector& connector_;
  SignalSource signals_;
  Input in_;
  Output out_;
  Output err_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_INVOCATION_H_

#ifndef BERTH_AGENT_HOLDER_STARTUP_SCRIPT_H_
#define BERTH_AGENT_HOLDER_STARTUP_SCRIPT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/holder/event_loop.h"
#include "agent/shell/shell.h"
#include "base/unique_fd.h"

namespace berth::holder {

// A script that prepares a session's shell before its first command. If it
// fails, there is no session. One thread.
class StartupScript {
 public:
  static constexpr size_t kMaxScript = 64 << 10;
  // What is told of its stderr, from the end.
  static constexpr size_t kShownErrors = 1024;
  // Of its run. No command has it.
  static constexpr uint64_t kRunId = (uint64_t{1} << 62) - 1;

  // `limit` is for the shell to come to its prompt and for the script,
  // together. `done` is called once. Must outlive what the script leaves
  // running: that may write to its stderr.
  StartupScript(EventLoop& loop, std::string script, absl::Duration limit,
                std::function<void(const absl::Status&)> done)
      : loop_(loop),
        script_(std::move(script)),
        limit_(limit),
        done_(std::move(done)) {}
  ~StartupScript();
  StartupScript(const StartupScript&) = delete;
  StartupScript& operator=(const StartupScript&) = delete;

  // The shell said hello.
  void Begin();
  // The script is not done yet: what the shell tells is for this.
  bool pending() const { return done_ != nullptr; }
  void OnStateChange(shell::Shell& shell);
  void OnRunEnded(const shell::RunEnd& end);
  void OnRunDropped(const std::string& why);
  // `text`, and the end of what the script wrote to stderr.
  std::string WithErrors(const std::string& text);

 private:
  void OnReplaced();
  absl::Status Start(shell::Shell& shell);
  void Finish(const absl::Status& status);
  void ReadErrors();

  EventLoop& loop_;
  const std::string script_;
  const absl::Duration limit_;
  std::function<void(const absl::Status&)> done_;
  bool begun_ = false;
  bool started_ = false;
  std::optional<EventLoop::TimerId> timer_;
  UniqueFd errors_;
  std::string shown_errors_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_STARTUP_SCRIPT_H_

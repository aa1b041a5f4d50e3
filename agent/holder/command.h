#ifndef BERTH_AGENT_HOLDER_COMMAND_H_
#define BERTH_AGENT_HOLDER_COMMAND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/output_pipes.h"
#include "agent/holder/stdin_pipe.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// berth.v1.CommandEnded.How, which the protocol carries as a number.
enum class How : uint32_t {
  kCompleted = 1,
  kInterrupted = 2,
  kTimedOut = 3,
  kExited = 4,
  kShellEnded = 5,
  kNotStarted = 6,
};

// What is only there while a command waits, runs, or has processes left.
struct ActiveCommand {
  // Until it is sent to the shell.
  UniqueFd script;
  UniqueFd stdin_reader;
  std::vector<UniqueFd> secrets;
  bool exit_ends_session = false;
  uint64_t timeout_ms = 0;
  // Until when it may wait, of the monotonic clock.
  absl::Time wait_deadline = absl::InfiniteFuture();
  bool waits = false;  // Rather than being refused.
  // Why the shell was asked to give it back: its time to wait is over.
  absl::Status withdrawn;
  std::optional<EventLoop::TimerId> wait_timer;
  // While it runs.
  std::optional<EventLoop::TimerId> timeout_timer;
  uint64_t terminal_offset = 0;  // Where the terminal was when it was sent.
  bool interrupted = false;
  bool timed_out = false;
  // What its end will say, from when the shell is done with it.
  std::optional<v1::Ended> ending;
  std::unique_ptr<StdinPipe> stdin_pipe;
  std::unique_ptr<OutputPipes> output;
  // Since when its output waits without any of it being logged.
  std::optional<absl::Time> stalled_since;
  bool stall_noticed = false;
  // Its end had to wait for its output.
  bool ends_late = false;
  // Connections that started or follow it.
  std::vector<uint64_t> followers;
};

// One command of the session, from its reservation on. Its state is in the
// CommandLane.
struct Command {
  uint64_t sequence = 0;
  std::string id;
  std::string digest;
  std::string what;
  std::string user;  // Who runs it, if the agent said so.
  int64_t started_at_ns = 0;
  uint64_t log_end = 0;
  uint64_t acked_offset = 0;
  bool acked_end = false;
  // If it has ended.
  std::unique_ptr<v1::Ended> ended;
  // Null once it has ended and no process has its pipes.
  std::unique_ptr<ActiveCommand> active;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_COMMAND_H_

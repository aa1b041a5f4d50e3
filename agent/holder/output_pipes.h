#ifndef BERTH_AGENT_HOLDER_OUTPUT_PIPES_H_
#define BERTH_AGENT_HOLDER_OUTPUT_PIPES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/holder/event_loop.h"
#include "agent/log/command_log.h"
#include "agent/log/record.h"
#include "base/unique_fd.h"

namespace berth::holder {

// What a command writes: moved from its two pipes to its log, until both pipes
// are closed by all processes that have them. One thread.
class OutputPipes {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    // The log has grown.
    virtual void OnAdvanced(uint64_t sequence) = 0;
    // All that was in the pipes at Snapshot() is in the log, but for `dropped`
    // bytes, which are a gap at its end; and nothing that came later.
    virtual void OnDrained(uint64_t sequence, uint64_t dropped) = 0;
    // The log takes nothing more; nothing is read until Resume().
    virtual void OnStalled(uint64_t sequence, const absl::Status& why) = 0;
    // Both pipes are closed. May delete the OutputPipes.
    virtual void OnClosed(uint64_t sequence) = 0;
  };

  struct Writers {
    UniqueFd out;
    UniqueFd err;
  };

  // `log` and `observer` must outlive this. The command's ends go to `writers`.
  static absl::StatusOr<std::unique_ptr<OutputPipes>> Create(
      EventLoop& loop, uint64_t sequence, agent::CommandLog& log,
      Observer& observer, Writers& writers);
  ~OutputPipes();
  OutputPipes(const OutputPipes&) = delete;
  OutputPipes& operator=(const OutputPipes&) = delete;

  // The command is done, and so has written all it will; what comes into the
  // pipes from now on is of processes that it left behind. Answered by
  // OnDrained(), at once or when the log has room.
  void Snapshot();

  // From now on OnDrained() waits for no room: what was in the pipes at
  // Snapshot() and doesn't fit into the log is dropped.
  void DropRest();

  bool stalled() const { return stalled_; }
  void Resume();

  // Moves what is there now, as far as the log takes it.
  void DrainNow();

 private:
  struct Pipe {
    UniqueFd fd;
    agent::Stream stream;
    bool watched = false;
    bool enlarged = false;
    uint64_t moved = 0;
    uint64_t snapshot = 0;  // Bytes still to be moved for OnDrained().
  };

  OutputPipes(EventLoop& loop, uint64_t sequence, agent::CommandLog& log,
              Observer& observer)
      : loop_(loop), sequence_(sequence), log_(log), observer_(observer) {}

  absl::Status OpenPipe(Pipe& pipe, agent::Stream stream, UniqueFd& writer);
  absl::Status Watch(Pipe& pipe);
  void WatchAll();
  void Unwatch(Pipe& pipe);
  void HandleEvents(Pipe& pipe, uint32_t events);
  // Moves at most `max` bytes; false if the log is full.
  bool Move(Pipe& pipe, uint64_t max);
  void Stall(const absl::Status& why);
  void ContinueSnapshot();
  // Throws away what is left of the snapshot in a pipe.
  void Drop(Pipe& pipe);
  void CloseIfEnded(Pipe& pipe);
  void ReportIfClosed();

  EventLoop& loop_;
  const uint64_t sequence_;
  agent::CommandLog& log_;
  Observer& observer_;
  std::array<Pipe, 2> pipes_;
  bool in_snapshot_ = false;
  bool drop_rest_ = false;
  uint64_t dropped_ = 0;
  bool stalled_ = false;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_OUTPUT_PIPES_H_

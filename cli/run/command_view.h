#ifndef BERTH_CLI_RUN_COMMAND_VIEW_H_
#define BERTH_CLI_RUN_COMMAND_VIEW_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "cli/client/event_stream.h"
#include "cli/invocation/invocation.h"
#include "cli/run/output_sink.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What has been seen of the commands of one session, over all streams that it
// took: passes each byte of output to the sink once, and knows what may be
// acknowledged. Take() is for one thread; the rest is thread-safe.
class CommandView {
 public:
  CommandView(Invocation& invocation, OutputSink& sink)
      : invocation_(invocation), sink_(sink) {}

  // Only looks on: acknowledges nothing, and takes output that was skipped for
  // what was not asked for. Call it before anything else.
  void Peek() { peeks_ = true; }

  // Goes on where this process stopped writing each command's output, even if
  // the session has not heard of that. Call it before anything else.
  void GoOn() { goes_on_ = true; }

  // Makes that known, for those that go on: how far output was written.
  void NoteReceipt() ABSL_LOCKS_EXCLUDED(mu_);

  // Takes the next frame of a stream. Errors as Output::Write(): the output
  // can't be written.
  absl::Status Take(EventStream::Frame& frame);

  // Writes what was kept back, as far as it can be.
  absl::Status Flush() ABSL_LOCKS_EXCLUDED(mu_);

  // Told since the last call, one for each command.
  std::vector<v1::Ack> TakeAcks() ABSL_LOCKS_EXCLUDED(mu_);
  // Bytes taken that TakeAcks() has not told of.
  uint64_t unacknowledged() const ABSL_LOCKS_EXCLUDED(mu_);

  // For the thread of Take() alone:
  const std::optional<v1::Session>& session() const { return session_; }
  const std::optional<v1::CommandStarted>& started() const { return started_; }
  // How the latest command ended; not set while it runs.
  const std::optional<v1::CommandEnded>& ended() const { return ended_; }
  // Where its output goes on.
  uint64_t next_offset() const { return next_; }
  // Output that the session did not send, since the user did not want to wait
  // for it: how much, and the first of it.
  uint64_t skipped() const { return skipped_; }
  uint64_t skipped_from() const { return skipped_from_; }
  // "web01", or what the user called it as long as that is not known.
  std::string session_name() const;

 private:
  absl::Status TakeOutput(EventStream::Frame& frame);
  absl::Status TakeEvent(const v1::CommandEvent& event);
  void TakeQueued(const v1::CommandQueued& queued);
  void TakeStarted(const v1::CommandStarted& started);
  void TakeGap(const v1::OutputGap& gap);
  void TakeSkipped(const v1::OutputSkipped& skipped);
  // Output goes on at `end`: what is missing counts as written.
  void PassTo(uint64_t end);
  absl::Status TakeEnded(const v1::CommandEnded& ended);
  void Acknowledge(bool at_end) ABSL_LOCKS_EXCLUDED(mu_);

  Invocation& invocation_;
  OutputSink& sink_;
  bool peeks_ = false;
  bool goes_on_ = false;
  std::optional<v1::Session> session_;
  std::optional<v1::CommandStarted> started_;
  std::optional<v1::CommandEnded> ended_;
  uint64_t next_ = 0;
  // Output before this came over the present stream, new or not.
  uint64_t taken_ = 0;
  uint64_t skipped_ = 0;
  uint64_t skipped_from_ = 0;
  // How far earlier commands got, by their sequence: a new stream may repeat.
  std::map<uint64_t, uint64_t> earlier_;

  mutable Mutex mu_;
  std::vector<v1::Ack> acks_ ABSL_GUARDED_BY(mu_);
  uint64_t unacknowledged_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mu_) = 0;
  std::string command_id_ ABSL_GUARDED_BY(mu_);  // That it is of.
  uint64_t shown_ ABSL_GUARDED_BY(mu_) = 0;      // How much of taken_ was told.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_COMMAND_VIEW_H_

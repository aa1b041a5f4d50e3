#ifndef BERTH_AGENT_LINK_COMMAND_FOLLOWER_H_
#define BERTH_AGENT_LINK_COMMAND_FOLLOWER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/link/frame_writer.h"
#include "agent/link/output_window.h"
#include "agent/log/log_reader.h"
#include "agent/sessions/session_journal.h"
#include "base/state/tables.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// Shows one command after another on a Call stream: turns what the holder or
// the journal says, and what is in the log, into CommandEvents, in the order
// that Run and Receive promise. One thread.
class CommandFollower {
 public:
  // Shown of output that is skipped: enough for what was said at the end.
  static constexpr uint64_t kTail = 4 << 10;

  // Both outlive this.
  CommandFollower(std::string directory, FrameWriter& stream)
      : directory_(std::move(directory)), stream_(stream) {}

  // The next command. `from_offset` not set: from where acknowledged output
  // ends.
  void Expect(std::string command_id, std::optional<uint64_t> from_offset);

  // Shows only output of this stream from now on; unspecified: all.
  void Only(v1::OutputStream stream) { only_ = stream; }

  // Output goes no faster than the client shows it. For good.
  void Pace() { paces_ = true; }
  // The client has shown output of that command up to there. True: Pump() has
  // something to do that had to wait. Any thread.
  bool Shown(uint64_t sequence, uint64_t offset);

  // The client wants to see the end of this command, not all that comes before:
  // skips what would have to wait, but for the last kTail.
  void SkipAhead() { skips_ = true; }

  // Takes an event of the holder's. An error ends the call: the command was
  // refused, or the offset wanted is past its end.
  absl::Status OnEvent(const holder::v1::Event& event);

  // The command as the journal has it, and nobody adds to it any more. With
  // no end in it: its end is not known, unless `running`, when just what there
  // is now is shown.
  absl::Status OnJournal(uint64_t sequence, const JournalCommand& command,
                         bool running);

  // A frame that goes before all that is not sent yet.
  void Send(const v1::CommandEvent& event);

  // Whether Pump() has something to do.
  bool HasWork();
  // There is output, which has to wait until Shown().
  bool waits() const { return frames_.empty() && HasOutput(); }
  // What is waiting is just good to know, and may wait for what follows it.
  bool CanWait() const;
  // Sends something. CANCELLED: the stream is broken. DATA_LOSS: the log.
  absl::Status Pump();

  const std::string& command_id() const { return command_id_; }
  // Sends what is known, and no output.
  absl::Status Flush() { return WriteFrames(/*more=*/false); }

  // The command's number, once that is known; 0 before.
  uint64_t number() const { return number_; }
  bool started() const { return sequence_ != 0; }
  // The next Pump() sends its end, if nothing else comes.
  bool ends_next() const { return last_.has_value() && !HasOutput(); }
  // Where that is.
  uint64_t end_offset() const { return ended_offset_; }
  // All of it was sent, or it was refused.
  bool finished() const { return view_ == state::View::kOver; }

 private:
  // Makes a step of the table of views. False: there is none, so what is behind
  // it must not be told.
  bool Step(state::ViewEvent event);
  absl::Status Begin(const v1::CommandStarted& started, uint64_t acked_offset);
  absl::Status SetEnded(const holder::v1::Ended& ended);
  absl::Status PumpOutput();
  // How many bytes of output may be sent now.
  size_t Room();
  void SkipToTail();
  bool asked_beyond_end() const;
  absl::Status BeyondEnd() const;
  absl::Status WriteFrames(bool more);
  bool HasOutput() const;
  bool Wants(Stream stream) const;

  const std::string directory_;
  FrameWriter& stream_;

  std::string command_id_;
  std::optional<uint64_t> from_offset_;
  uint64_t number_ = 0;
  uint64_t sequence_ = 0;  // The same, once it has started.
  std::optional<LogReader> reader_;
  uint64_t offset_ = 0;       // Of the next byte to send.
  uint64_t logged_end_ = 0;   // How far the log reaches.
  bool end_unknown_ = false;  // The log has to be read to tell.
  uint64_t ended_offset_ = 0;
  state::View view_ = state::View::kOver;
  bool shows_end_ = true;

  bool paces_ = false;
  bool skips_ = false;
  OutputWindow window_;
  // Of the command that the window is for; 0: none.
  std::atomic<uint64_t> paced_sequence_ = 0;

  v1::OutputStream only_ = v1::OUTPUT_STREAM_UNSPECIFIED;
  std::deque<v1::CommandEvent> frames_;   // Before the output.
  std::optional<v1::CommandEvent> last_;  // After it.
  bool only_start_ = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_COMMAND_FOLLOWER_H_

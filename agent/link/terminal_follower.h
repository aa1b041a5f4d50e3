#ifndef BERTH_AGENT_LINK_TERMINAL_FOLLOWER_H_
#define BERTH_AGENT_LINK_TERMINAL_FOLLOWER_H_

#include <cstdint>
#include <optional>

#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// Turns what a holder says of its terminal into what a client is sent: every
// byte once and in order, or a new screen in place of those that are lost.
// Thread-compatible.
class TerminalFollower {
 public:
  // `screens`: the holder knows what its terminal looks like (version 2).
  // Without that a client gets what is remembered of the output, and gaps.
  explicit TerminalFollower(bool screens) : screens_(screens) {}

  // The request that begins, for a client that has the output before
  // `from_offset`, or nothing.
  holder::v1::Request Begin(std::optional<uint64_t> from_offset);

  // The request for the screen anew: output that comes before it is dropped.
  // Nothing if the holder has none.
  std::optional<holder::v1::Request> Redraw();

  // What to send to the client for an event; nothing if there is nothing new
  // in it. Both take the data out of the event.
  std::optional<v1::TerminalEvent> OnScreen(holder::v1::TerminalScreen& screen);
  std::optional<v1::TerminalEvent> OnOutput(holder::v1::TerminalOutput& output);

  // Output that came from here was not sent, nor will what follows be: as if it
  // were lost.
  void Lost() { needs_screen_ = screens_; }

  // Output was lost: Redraw() is due.
  bool needs_screen() const { return needs_screen_; }

 private:
  const bool screens_;
  // Where output goes on. Not set: wherever it begins.
  std::optional<uint64_t> next_;
  bool awaits_screen_ = false;
  bool needs_screen_ = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_TERMINAL_FOLLOWER_H_

#ifndef BERTH_AGENT_HOLDER_TERMINAL_WATCH_H_
#define BERTH_AGENT_HOLDER_TERMINAL_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "agent/holder/terminal.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// What one watcher of a terminal is still to be sent: its output, and before
// that, if the watcher does not have what came before, the screen. One thread.
class TerminalWatch {
 public:
  // `terminal` must outlive this.
  explicit TerminalWatch(Terminal& terminal) : terminal_(terminal) {}

  // Begins, or begins again. `from_offset`: as in WatchTerminal.
  void Begin(std::optional<uint64_t> from_offset);
  bool begun() const { return begun_; }

  // The next packet; nothing if there is none now. The same one again until
  // Sent(), or a newer one.
  std::optional<v1::Event> Next();
  // What Next() returned last was sent.
  void Sent();

 private:
  void Draw();
  v1::Event ScreenPart();

  Terminal& terminal_;
  bool begun_ = false;
  uint64_t offset_ = 0;  // Of what the watcher has.
  bool needs_screen_ = false;
  bool has_scrollback_ = false;
  // The screen, as long as it is not all sent.
  std::optional<Terminal::Drawing> drawing_;
  size_t drawn_ = 0;  // Bytes of it that were sent.
  size_t part_ = 0;   // Bytes in the packet that Next() returned.
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_TERMINAL_WATCH_H_

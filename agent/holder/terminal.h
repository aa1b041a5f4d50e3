#ifndef BERTH_AGENT_HOLDER_TERMINAL_H_
#define BERTH_AGENT_HOLDER_TERMINAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/holder/event_loop.h"
#include "agent/log/command_log.h"
#include "agent/log/session_logs.h"
#include "agent/screen/terminal_screen.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// The master side of a session's terminal: takes everything that is printed, at
// once, as programs would wait otherwise, and remembers the end of it; passes
// on what is typed. One thread.
class Terminal {
 public:
  // What is remembered of the output.
  static constexpr size_t kRemembered = 64 << 10;
  // What may be typed ahead while nothing takes it.
  static constexpr size_t kMaxPending = 64 << 10;

  // `on_output` is called when something was printed. `master` is
  // non-blocking, and stays the caller's.
  Terminal(EventLoop& loop, int master, std::function<void()> on_output);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  absl::Status Open();

  // From now on also logs what is printed, and sizes, as HolderStart says:
  // in `directory`, or fails as that does.
  absl::Status LogTo(const std::string& directory);
  void Recorded(const v1::Recorded& recorded);

  // Takes what is there now.
  void Drain();

  // Bytes that were ever printed.
  uint64_t end() const { return end_; }

  // What was printed from `offset` on. Raises `offset` to where that begins, if
  // it is no longer remembered. Valid until the next call of any method.
  absl::string_view From(uint64_t& offset) const;

  // Whether all that was printed from `offset` on is remembered.
  bool Remembers(uint64_t offset) const {
    return offset <= end_ && offset >= end_ - remembered_.size();
  }

  // What puts another terminal into the state of this one.
  struct Drawing {
    std::string bytes;
    uint64_t offset = 0;  // What is printed from here on follows.
    uint32_t rows = 0;
    uint32_t columns = 0;
  };
  // From the first time on a model of what is shown is kept.
  // `with_scrollback`: also of what was scrolled out.
  Drawing Draw(bool with_scrollback);
  // Nobody wants Draw() soon. Forgets the model if it can be made again.
  void ForgetScreen();

  // Passes typed bytes on; RESOURCE_EXHAUSTED: too many wait, and these were
  // dropped.
  absl::Status Type(absl::string_view data);

  // How many typed bytes wait. `on_room` is called whenever there are so few
  // that more are welcome, after there were more.
  static constexpr size_t kRoomyPending = 16 << 10;
  size_t pending() const { return pending_.size(); }
  void OnRoom(std::function<void()> on_room) { on_room_ = std::move(on_room); }

  // While held, typed bytes wait.
  void Hold(bool held);
  bool held() const { return held_; }

  // When something typed was last passed on, of the monotonic clock.
  absl::Time last_typed() const { return last_typed_; }

  // What was printed before is of the size before.
  void Resize(uint16_t rows, uint16_t columns);

  // The process group in front; -1 if there is none.
  pid_t Foreground() const;

  // Whether a program that reads single keys, such as readline, has it now.
  bool IsRaw() const;

 private:
  void HandleEvents(uint32_t events);
  void Remember(absl::string_view data);
  void Log(agent::Stream stream, absl::string_view data);
  void LogSize();
  void Write();
  // Gives the model the terminal's size, which programs can change, too.
  void SizeScreen();

  EventLoop& loop_;
  const int master_;
  const std::function<void()> on_output_;
  bool watched_ = false;
  std::unique_ptr<agent::SessionLogs> logs_;  // Null: nothing is logged.
  agent::CommandLog* log_ = nullptr;
  std::string logged_size_;
  std::string remembered_;
  uint64_t end_ = 0;
  // Null as long as nobody watches.
  std::unique_ptr<screen::TerminalScreen> screen_;
  std::string pending_;
  std::function<void()> on_room_;
  bool held_ = false;
  absl::Time last_typed_ = absl::InfinitePast();
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_TERMINAL_H_

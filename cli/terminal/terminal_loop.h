#ifndef BERTH_CLI_TERMINAL_TERMINAL_LOOP_H_
#define BERTH_CLI_TERMINAL_TERMINAL_LOOP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/terminal/display.h"
#include "cli/terminal/escape_filter.h"
#include "cli/terminal/tty.h"
#include "cli/terminal/visit.h"

namespace berth::cli {

// The user's side of a visit: what they type, what they ask of Berth, what they
// are told. Never waits for the network, so that escapes always work. One
// thread; the visit has another.
class TerminalLoop {
 public:
  // `open` as for Visit.
  TerminalLoop(Invocation& invocation, Connection& connection,
               v1::OpenTerminal open, std::optional<char> escape);
  ~TerminalLoop();

  // From attaching to the end. The terminal is as it was, then.
  Visit::Outcome Run();

 private:
  bool Step();
  // When to look again, if nothing happens.
  absl::Duration Timeout(const Visit::State& state) const;
  void TakeKeys();
  void Type(absl::string_view typed);
  void Do(Escape escape);
  void Suspend();
  void Continue();
  void HandleSignals();
  void Wake();

  // What to tell the user now; empty if there is nothing.
  std::vector<std::string> Lines(const Visit::State& state);
  void UpdateOverlay(const Visit::State& state);
  std::vector<std::string> HelpLines() const;
  void Tell(std::vector<std::string> lines, absl::Duration time);

  Invocation& invocation_;
  const bool peeks_;
  const std::optional<char> escape_;
  const UniqueFd wake_;
  Tty tty_;
  Display display_;
  EscapeFilter filter_;
  Visit visit_;

  bool detaching_ = false;
  absl::Time leave_at_ = absl::InfiniteFuture();
  bool suspended_ = false;
  int resizes_ = 0;
  int continues_ = 0;
  // What the user was told, until then.
  std::vector<std::string> told_;
  absl::Time told_until_ = absl::InfinitePast();
  // What is drawn.
  std::vector<std::string> drawn_;
  bool was_lost_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_TERMINAL_LOOP_H_

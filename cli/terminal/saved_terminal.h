#ifndef BERTH_CLI_TERMINAL_SAVED_TERMINAL_H_
#define BERTH_CLI_TERMINAL_SAVED_TERMINAL_H_

#include <termios.h>

namespace berth::cli {

// How the user's terminal was before somebody else got it, so that it can be
// put right if they die with it.
class SavedTerminal {
 public:
  // Neither descriptor is owned, nor has to be a terminal.
  SavedTerminal(int in, int out);

  // Makes it usable again, if it is not as it was.
  void Restore() const;

 private:
  const int in_;
  const int out_;
  termios modes_ = {};
  const bool is_terminal_;
};

// Stops this process, as the kernel stops one that reads from a terminal in
// front of which it is not, until it is in front of the one that is `fd`; at
// once if it is, or there is none.
void WaitForForeground(int fd);

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_SAVED_TERMINAL_H_

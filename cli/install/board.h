#ifndef BERTH_CLI_INSTALL_BOARD_H_
#define BERTH_CLI_INSTALL_BOARD_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// Shows how far many hosts are. On a terminal that has room for it, a table of
// one line each that changes; else one line for each that is done. Workers tell
// it, and one thread shows. Thread-safe.
class Board {
 public:
  Board(Invocation& invocation, std::vector<std::string> names);

  // What is being done with a host.
  void Doing(size_t host, std::string what) ABSL_LOCKS_EXCLUDED(mu_);
  // How it ended. Once for each.
  void Done(size_t host, bool ok, std::string what) ABSL_LOCKS_EXCLUDED(mu_);

  // Asks the user a question that takes "yes". False: no, no answer within a
  // minute, the user left, or there is no terminal to ask on. One at a time.
  bool Ask(const std::string& question) ABSL_LOCKS_EXCLUDED(mu_);
  bool can_ask() const { return can_ask_; }

  // Shows it until all hosts are done. Returns 0, 1 if some failed, or what
  // Print() returned if nobody sees it any more.
  int Show() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Row {
    std::string what = "waiting";
    enum { kBusy, kOk, kFailed } state = kBusy;
  };
  struct Question {
    std::string text;
    bool answered = false;
    bool yes = false;
  };

  std::string Line(size_t host, const Row& row) const;
  std::string Table(const std::vector<Row>& rows);
  void TellWhatWasCut() ABSL_LOCKS_EXCLUDED(mu_);

  Invocation& invocation_;
  const std::vector<std::string> names_;
  size_t name_width_ = 0;
  bool can_ask_ = false;
  size_t columns_ = 0;  // 0: no table, but lines.
  size_t shown_ = 0;    // Lines of the table on the screen. Of Show()'s thread.

  Mutex mu_;
  CondVar changed_;
  CondVar answered_;
  std::vector<Row> rows_ ABSL_GUARDED_BY(mu_);
  std::deque<size_t> finished_ ABSL_GUARDED_BY(mu_);  // Not yet shown.
  std::deque<Question*> questions_ ABSL_GUARDED_BY(mu_);
  bool dirty_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_BOARD_H_

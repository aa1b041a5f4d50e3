#ifndef BERTH_CLI_FANOUT_WRITER_H_
#define BERTH_CLI_FANOUT_WRITER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/invocation/output.h"

namespace berth::cli {

// Writes what many targets print, on a thread of its own: a reader that reads
// nothing then holds up neither interrupts nor deadlines. Keeps a line with
// the progress below what it writes, if that goes to the same terminal.
// Thread-safe.
class Writer {
 public:
  // Past this, nothing more should be read until it is less.
  static constexpr size_t kMuch = 4 << 20;

  // `on_written` is called on the thread when something was written after
  // WantsNews(), or can't be. `progress_on_out`: standard output goes to the
  // terminal that has the progress.
  Writer(Output& out, Output& err, bool progress_on_out,
         std::function<void()> on_written);
  // Writes what is left, unless the invocation was left.
  ~Writer();

  // Writes `text` later. Returns its ticket: it is written once written() has
  // come that far.
  uint64_t Write(bool to_err, std::string text) ABSL_LOCKS_EXCLUDED(mu_);

  uint64_t written() const { return written_; }
  // Bytes that wait.
  size_t waiting() const { return waiting_; }
  // Calls on_written once more.
  void WantsNews() { wants_news_ = true; }

  // Why something could not be written: as Output::Write().
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);

  // Shows a line at the bottom of the terminal; empty: none.
  void ShowProgress(std::string line) ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until all is written, or can't be, and the progress is as it was said
  // last: what others write to the terminal after that begins on a line.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Piece {
    uint64_t ticket;
    bool to_err;
    std::string text;
  };

  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WriteBatch(std::deque<Piece>& batch);
  void EraseProgress(bool to_err);
  void DrawProgress(std::string line);

  Output& out_;
  Output& err_;
  const bool progress_on_out_;
  const std::function<void()> on_written_;
  std::atomic<uint64_t> written_ = 0;
  std::atomic<size_t> waiting_ = 0;
  std::atomic<bool> wants_news_ = false;

  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Piece> queue_ ABSL_GUARDED_BY(mu_);
  uint64_t next_ ABSL_GUARDED_BY(mu_) = 1;
  std::string progress_ ABSL_GUARDED_BY(mu_);
  std::string drawn_ ABSL_GUARDED_BY(mu_);  // As shown_, when last looked.
  bool busy_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);

  std::string shown_;  // On the terminal now. Of the thread alone.
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_WRITER_H_

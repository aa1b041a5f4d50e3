#include "cli/fanout/writer.h"

#include <sys/uio.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace berth::cli {
namespace {

// Erases the line that the cursor is in.
constexpr char kErase[] = "\r\x1b[K";

}  // namespace

Writer::Writer(Output& out, Output& err, bool progress_on_out,
               std::function<void()> on_written)
    : out_(out),
      err_(err),
      progress_on_out_(progress_on_out),
      on_written_(std::move(on_written)),
      thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    progress_.clear();
    changed_.NotifyAll();
  }
  thread_.join();
}

uint64_t Writer::Write(bool to_err, std::string text) {
  waiting_ += text.size();
  MutexLock lock(mu_);
  queue_.push_back({next_, to_err, std::move(text)});
  if (!busy_) changed_.NotifyAll();
  return next_++;
}

absl::Status Writer::status() const {
  MutexLock lock(mu_);
  return status_;
}

void Writer::ShowProgress(std::string line) {
  MutexLock lock(mu_);
  if (progress_ == line) return;
  progress_ = std::move(line);
  if (!busy_) changed_.NotifyAll();
}

void Writer::Drain() {
  MutexLock lock(mu_);
  while ((busy_ || !queue_.empty() || drawn_ != progress_) && status_.ok()) {
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
}

void Writer::Loop() {
  for (;;) {
    std::deque<Piece> batch;
    std::string progress;
    {
      MutexLock lock(mu_);
      busy_ = false;
      drawn_ = shown_;
      changed_.NotifyAll();
      while (queue_.empty() && progress_ == shown_ && !stopping_) {
        changed_.WaitFor(mu_, absl::Seconds(10));
      }
      if (queue_.empty() && progress_ == shown_) return;
      busy_ = true;
      batch.swap(queue_);
      progress = progress_;
    }
    size_t bytes = 0;
    for (const Piece& piece : batch) bytes += piece.text.size();
    const uint64_t ticket = batch.empty() ? 0 : batch.back().ticket;
    const absl::Status status = WriteBatch(batch);
    if (shown_ != progress) DrawProgress(std::move(progress));
    if (ticket != 0) {
      waiting_ -= bytes;
      if (status.ok()) written_ = ticket;
    }
    if (!status.ok()) {
      MutexLock lock(mu_);
      if (status_.ok()) status_ = status;
    }
    if (!status.ok() || (ticket != 0 && wants_news_.exchange(false))) {
      on_written_();
    }
  }
}

// Pieces for the same descriptor go together, as far as order allows.
absl::Status Writer::WriteBatch(std::deque<Piece>& batch) {
  absl::Status status;
  for (size_t i = 0; i < batch.size() && status.ok();) {
    const bool to_err = batch[i].to_err;
    std::vector<iovec> pieces;
    for (; i < batch.size() && batch[i].to_err == to_err; ++i) {
      pieces.push_back({batch[i].text.data(), batch[i].text.size()});
    }
    EraseProgress(to_err);
    status = (to_err ? err_ : out_).Write(absl::MakeSpan(pieces)).status;
  }
  return status;
}

void Writer::EraseProgress(bool to_err) {
  if (shown_.empty() || !(to_err || progress_on_out_)) return;
  shown_.clear();
  err_.Write(kErase).IgnoreError();
}

void Writer::DrawProgress(std::string line) {
  err_.Write(absl::StrCat(kErase, line)).IgnoreError();
  shown_ = std::move(line);
}

}  // namespace berth::cli

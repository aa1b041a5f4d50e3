#ifndef BERTH_BASE_COPY_SENDER_H_
#define BERTH_BASE_COPY_SENDER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/cond_var.h"
#include "base/copy/checksum.h"
#include "base/copy/counter.h"
#include "base/copy/frame.h"
#include "base/copy/progress.h"
#include "base/copy/walker.h"
#include "base/mutex.h"

namespace berth::copy {

// Sends what a walk finds: small files many to a frame, large ones as frames of
// their bytes. Run() works on one thread while another hands in the receiver's
// reports.
class Sender {
 public:
  struct Options {
    Walker::Options walk;
    // Writes a frame; `more`: another one follows at once. False: the stream is
    // broken.
    std::function<bool(const grpc::ByteBuffer& frame, bool more)> write;
    // Whether the stream is fine; asked while waiting for a report.
    std::function<absl::Status()> check = [] { return absl::OkStatus(); };
    // What could not be read. For people.
    std::function<void(const std::string&)> problem = [](const std::string&) {};
    Progress* progress = nullptr;
    // Counts everything first, on a thread of its own, and tells.
    bool count = false;
  };

  explicit Sender(Options options);
  // Takes out of the progress what is to be sent again.
  ~Sender();

  // Sends everything. OK: the frame with `finished` was written. UNAVAILABLE:
  // the stream is broken. Else what Stop() said.
  absl::Status Run() ABSL_LOCKS_EXCLUDED(mu_);

  // A report of the receiver. FAILED_PRECONDITION: one that makes no sense. Any
  // thread.
  absl::Status OnReport(const v1::CopyReport& report) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes Run() end soon. Any thread.
  void Stop(const absl::Status& reason) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the receiver is done with everything that was sent.
  bool all_done() const ABSL_LOCKS_EXCLUDED(mu_);
  // An entry up to which all is done, to go on after it on another stream.
  std::optional<v1::CopyPosition> position() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Remembering each entry would take as much memory as the tree.
  static constexpr uint64_t kMarkEvery = 64;

  struct Mark {
    uint64_t entry;
    v1::CopyPosition position;
    // In the progress, of this stream.
    uint64_t bytes;
    uint64_t files;
  };

  absl::Status SendStep(Step step);
  absl::Status SendEnter(const Step& step);
  absl::Status SendFile(Step step);
  absl::Status SendContent(const Step& step);
  absl::Status SendLarge(const Step& step);
  // `sent`: of the file's bytes, and whether all is well.
  absl::Status SendData(const Step& step, uint64_t entry, std::string& problem);
  absl::Status SkipHole(int fd, uint64_t size, uint64_t& at);
  absl::Status AnswerReady(const Step& step, const v1::CopyReady& ready,
                           uint64_t& at);
  absl::Status SendProblem(const Step& step);
  absl::Status SendTotal();
  absl::Status Add(v1::CopyPart part, size_t size);
  absl::Status Flush(bool more);
  absl::Status Write(const grpc::ByteBuffer& frame, bool more);
  absl::Status CheckStopped() const ABSL_LOCKS_EXCLUDED(mu_);
  void EntrySent() ABSL_LOCKS_EXCLUDED(mu_);
  void Count(int64_t bytes);
  void CountFile();
  std::optional<v1::CopyReady> TakeReady(uint64_t entry)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool Refused(uint64_t entry) const ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WaitForReady(uint64_t entry) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WaitForReports() ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  Walker walker_;
  const std::string key_;
  Checksum checksum_;
  v1::CopyFrame frame_;
  size_t frame_size_ = 0;
  uint64_t entries_ = 0;  // Sent so far.
  uint64_t bytes_ = 0;    // In the progress.
  uint64_t files_ = 0;
  bool mark_ = false;                 // The entry at hand is worth remembering.
  std::unique_ptr<Counter> counter_;  // Until it has counted all.
  std::vector<uint64_t> folders_;     // The entries that the walk is in.

  mutable Mutex mu_;
  CondVar changed_;
  absl::Status stopped_ ABSL_GUARDED_BY(mu_);
  uint64_t sent_ ABSL_GUARDED_BY(mu_) = 0;  // As `entries_`.
  uint64_t done_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<v1::CopyReady> ready_ ABSL_GUARDED_BY(mu_);
  // Failed, and not done: those at hand and few others.
  absl::flat_hash_set<uint64_t> refused_ ABSL_GUARDED_BY(mu_);
  // Positions of some entries that were sent and are not done.
  std::deque<Mark> marks_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::CopyPosition> position_ ABSL_GUARDED_BY(mu_);
  uint64_t done_bytes_ ABSL_GUARDED_BY(mu_) = 0;  // Up to `position_`.
  uint64_t done_files_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_SENDER_H_

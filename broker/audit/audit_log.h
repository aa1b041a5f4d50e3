#ifndef BERTH_BROKER_AUDIT_AUDIT_LOG_H_
#define BERTH_BROKER_AUDIT_AUDIT_LOG_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "broker/audit/event.h"
#include "broker/audit/log_file.h"

namespace berth::broker {

// AuditLog takes events from any thread, and writes them on one of its own, so
// that nobody else ever waits for the disk: what came meanwhile is written and
// synced as one group. Thread-safe; knows nothing of gRPC.
//
// While the log can't be written, it tries again every second; what it could
// not keep is counted, and said in the log when it goes on.
class AuditLog {
 public:
  enum class Mode {
    // Work goes on without waiting; what can't be written is counted.
    kBestEffort,
    // Work waits until its event is on the disk, and is refused if it can't be.
    kStrict,
  };
  using Done = std::function<void(const absl::Status&)>;

  struct Options {
    Mode mode = Mode::kBestEffort;
    // Events that wait for the disk, in bytes; over it they are dropped.
    size_t max_waiting_bytes = 8 << 20;
    // How often what was written is signed, at the least.
    absl::Duration checkpoint_interval = absl::Minutes(1);
    // Whether the texts of commands are kept.
    bool command_text = true;
    // Gets every group of lines that was written. Runs on the log's thread.
    std::function<void(absl::string_view lines)> copy;
  };

  // Best effort gathers events for this long, so that they cost no wake-up
  // each, and asks the disk to have them this often.
  static constexpr absl::Duration kGather = absl::Milliseconds(50);
  static constexpr absl::Duration kSyncInterval = absl::Seconds(1);
  static constexpr absl::Duration kRetry = absl::Seconds(1);

  // What happened since the start.
  struct Counts {
    uint64_t written = 0;
    uint64_t dropped = 0;  // Events that are in no line.
    uint64_t refused = 0;  // Work that was not done for want of its event.
  };

  // Opens the log on its own thread, and goes on trying if that fails.
  AuditLog(const Options& options, const AuditLogFile::Options& file,
           AuditKey key);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Tells operators that the log can't be written, or can be again. Runs on
  // the log's thread; must not block.
  void SetAlarm(std::function<void(const std::string&)> alarm)
      ABSL_LOCKS_EXCLUDED(mu_);

  // An event of something that happened, whatever becomes of it.
  void Record(AuditEvent event) ABSL_LOCKS_EXCLUDED(mu_);

  // An event of something that may only happen once it is kept. Runs `done`
  // once: with OK at once (best effort), or from the log's thread when the
  // disk has it (strict). Unavailable names the log and what is wrong: then the
  // work must not be done.
  void Require(AuditEvent event, Done done) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether Require() would be refused now.
  absl::Status Check() const ABSL_LOCKS_EXCLUDED(mu_);

  // Work of others, known by an address, that must not be done because its
  // event could not be kept: whoever is about to do it asks (once).
  void Refuse(const void* work, absl::Status status)
      ABSL_LOCKS_EXCLUDED(refused_mu_);
  absl::Status TakeRefusal(const void* work) ABSL_LOCKS_EXCLUDED(refused_mu_);

  // Writes what is left, signs it, and stops. Later events are dropped, and
  // later work is refused if strict.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // How the last group went.
  absl::Status health() const ABSL_LOCKS_EXCLUDED(mu_);
  Counts counts() const ABSL_LOCKS_EXCLUDED(mu_);
  // The last line that was written.
  AuditHead head() const ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until the log has more than `seq` lines, for `limit` at most or
  // until it stops. False: it has not.
  bool WaitBeyond(uint64_t seq, absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether Stop() was called.
  bool stopping() const ABSL_LOCKS_EXCLUDED(mu_);

  Mode mode() const { return options_.mode; }
  const std::string& directory() const { return file_options_.directory; }

 private:
  struct Item {
    AuditEvent event;
    Done done;
    size_t bytes = 0;
  };

  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until there is something to do, and takes what waits. False: stop.
  bool TakeAll(std::vector<Item>* items) ABSL_LOCKS_EXCLUDED(mu_);
  // How long the thread may sleep while nothing comes.
  absl::Duration Patience() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Queues `item`; false: there is no room.
  bool Add(Item& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WriteGroup(const std::vector<Item>& items)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Finish(std::vector<Item> items, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Keeps or counts what was not written.
  void PutBack(std::vector<Item>& items) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(const absl::Status& before, const absl::Status& now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The event that says what is missing before it.
  AuditEvent GapEvent() const ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  const AuditLogFile::Options file_options_;
  const AuditKey key_;

  // Of the thread alone.
  std::unique_ptr<AuditLogFile> file_;
  std::vector<AuditEvent> own_;  // The log's own, to be written first.
  bool appended_ = false;        // The last group is in the file.
  bool unsynced_ = false;
  absl::Time synced_at_ = absl::InfinitePast();
  absl::Time signed_at_ = absl::InfinitePast();

  mutable Mutex mu_;
  CondVar changed_;  // The thread waits here.
  CondVar written_;  // Those that follow the log.
  std::vector<Item> waiting_ ABSL_GUARDED_BY(mu_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  Counts counts_ ABSL_GUARDED_BY(mu_);
  Counts told_ ABSL_GUARDED_BY(mu_);  // Of these, what the log says.
  absl::Time gap_since_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  std::string gap_reason_ ABSL_GUARDED_BY(mu_);
  AuditHead head_ ABSL_GUARDED_BY(mu_);
  std::function<void(const std::string&)> alarm_ ABSL_GUARDED_BY(mu_);
  bool has_unsigned_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;

  Mutex refused_mu_;
  absl::flat_hash_map<const void*, absl::Status> refused_
      ABSL_GUARDED_BY(refused_mu_);
  std::atomic<size_t> refused_count_ = 0;

  std::thread thread_;  // Last: it uses the others.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_AUDIT_LOG_H_

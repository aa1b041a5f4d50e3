#include "broker/audit/audit_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

// What an event takes while it waits; the texts in it are short.
size_t BytesOf(const AuditEvent& event) {
  return sizeof(AuditEvent) + event.reason.size() + event.text.size() +
         event.detail.size();
}

absl::Status Unwritable(const std::string& directory,
                        const absl::Status& status) {
  return absl::UnavailableError(absl::StrCat(
      "the audit log in ", directory, " can't be written: ", status.message()));
}

}  // namespace

AuditLog::AuditLog(const Options& options, const AuditLogFile::Options& file,
                   AuditKey key)
    : options_(options),
      file_options_(file),
      key_(std::move(key)),
      thread_([this] { Run(); }) {}

AuditLog::~AuditLog() { Stop(); }

void AuditLog::SetAlarm(std::function<void(const std::string&)> alarm) {
  MutexLock lock(mu_);
  alarm_ = std::move(alarm);
}

void AuditLog::Stop() {
  {
    MutexLock lock(mu_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.NotifyAll();
  thread_.join();
  written_.NotifyAll();
}

bool AuditLog::Add(Item& item) {
  if (!options_.command_text) item.event.text.clear();
  item.bytes = BytesOf(item.event);
  if (stopped_ || waiting_bytes_ + item.bytes > options_.max_waiting_bytes) {
    return false;
  }
  waiting_bytes_ += item.bytes;
  waiting_.push_back(std::move(item));
  return true;
}

void AuditLog::Record(AuditEvent event) {
  if (event.time == absl::InfinitePast()) event.time = absl::Now();
  bool wake = false;
  {
    MutexLock lock(mu_);
    Item item{std::move(event), nullptr};
    wake = waiting_.empty();
    if (!Add(item)) {
      ++counts_.dropped;
      if (gap_since_ == absl::InfinitePast()) {
        gap_since_ = item.event.time;
        gap_reason_ = "more events came than the disk took";
      }
    }
  }
  if (wake) changed_.NotifyOne();
}

absl::Status AuditLog::Check() const {
  if (options_.mode == Mode::kBestEffort) return absl::OkStatus();
  MutexLock lock(mu_);
  if (stopping_) {
    return absl::UnavailableError("the broker is going down, try again");
  }
  return health_;
}

void AuditLog::Require(AuditEvent event, Done done) {
  if (options_.mode == Mode::kBestEffort) {
    Record(std::move(event));
    return done(absl::OkStatus());
  }
  absl::Status status = Check();
  if (event.time == absl::InfinitePast()) event.time = absl::Now();
  {
    MutexLock lock(mu_);
    Item item{std::move(event), std::move(done)};
    if (status.ok() && !Add(item)) {
      status = Unwritable(directory(), absl::ResourceExhaustedError(
                                           "too much waits for its disk"));
    }
    if (!status.ok()) {
      ++counts_.refused;
      done = std::move(item.done);
    }
  }
  if (!status.ok()) return done(status);
  changed_.NotifyOne();
}

void AuditLog::Refuse(const void* work, absl::Status status) {
  MutexLock lock(refused_mu_);
  refused_[work] = std::move(status);
  refused_count_ = refused_.size();
}

absl::Status AuditLog::TakeRefusal(const void* work) {
  if (refused_count_ == 0) return absl::OkStatus();  // Nearly always.
  MutexLock lock(refused_mu_);
  auto found = refused_.find(work);
  if (found == refused_.end()) return absl::OkStatus();
  absl::Status status = std::move(found->second);
  refused_.erase(found);
  refused_count_ = refused_.size();
  return status;
}

bool AuditLog::stopping() const {
  MutexLock lock(mu_);
  return stopping_;
}

absl::Status AuditLog::health() const {
  MutexLock lock(mu_);
  return health_;
}

AuditLog::Counts AuditLog::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

AuditHead AuditLog::head() const {
  MutexLock lock(mu_);
  return head_;
}

bool AuditLog::WaitBeyond(uint64_t seq, absl::Duration limit) {
  const absl::Time until = MonotonicNow() + limit;
  MutexLock lock(mu_);
  while (head_.seq <= seq && !stopping_) {
    const absl::Duration left = until - MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    written_.WaitFor(mu_, left);
  }
  return head_.seq > seq;
}

void AuditLog::Run() {
  std::vector<Item> items;
  bool more = true;
  // The first group is what opening the log has to say.
  while (more) {
    absl::Status status = WriteGroup(items);
    if (!status.ok()) status = Unwritable(directory(), status);
    Finish(std::exchange(items, {}), status);
    more = TakeAll(&items);
  }
  const absl::Status status = WriteGroup(items);
  Finish(std::move(items), status);
  MutexLock lock(mu_);
  stopped_ = true;
  // What came after the last group; nobody may wait for it for ever.
  for (Item& item : waiting_) ++(item.done ? counts_.refused : counts_.dropped);
}

absl::Duration AuditLog::Patience() const {
  if (!health_.ok()) return kRetry;
  if (unsynced_) return kSyncInterval;
  return has_unsigned_ ? options_.checkpoint_interval : absl::Hours(1);
}

bool AuditLog::TakeAll(std::vector<Item>* items) {
  MutexLock lock(mu_);
  const absl::Time until = MonotonicNow() + Patience();
  // After a failure, new events are no reason to try again at once.
  while (!stopping_ && (waiting_.empty() || !health_.ok())) {
    const absl::Duration left = until - MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mu_, left);
  }
  if (options_.mode == Mode::kBestEffort && !stopping_ && !waiting_.empty()) {
    changed_.WaitFor(mu_, kGather);
  }
  *items = std::exchange(waiting_, {});
  waiting_bytes_ = 0;
  return !stopping_;
}

AuditEvent AuditLog::GapEvent() const {
  MutexLock lock(mu_);
  AuditEvent event;
  event.time = absl::Now();
  event.verb = std::string(kGapVerb);
  event.outcome = "done";
  event.reason = gap_reason_;
  event.detail = absl::StrCat(
      counts_.dropped - told_.dropped, " events dropped, ",
      counts_.refused - told_.refused, " requests refused since ",
      absl::FormatTime(absl::RFC3339_sec, gap_since_, absl::UTCTimeZone()));
  return event;
}

absl::Status AuditLog::WriteGroup(const std::vector<Item>& items) {
  appended_ = false;
  const bool opened = file_ == nullptr;
  if (opened) {
    BERTH_ASSIGN_OR_RETURN(file_,
                           AuditLogFile::Open(file_options_, key_, &own_));
  }
  std::vector<AuditEvent> events = own_;
  Counts now;
  bool gap = false, stopping = false;
  {
    MutexLock lock(mu_);
    now = counts_;
    gap = gap_since_ != absl::InfinitePast();
    stopping = stopping_;
  }
  if (gap) events.push_back(GapEvent());
  for (const Item& item : items) events.push_back(item.event);
  const absl::Time time = MonotonicNow();
  const bool sign =
      opened || stopping || time - signed_at_ >= options_.checkpoint_interval;
  std::string lines;
  absl::Status status = file_->Append(events, &lines);
  if (status.ok()) {
    appended_ = true;
    own_.clear();
    const bool any = file_->unsigned_lines() > 0;
    if (sign) status = file_->Checkpoint(&lines);
    // Of a log that is only opened there is nothing to sign yet.
    if (status.ok() && sign && any) signed_at_ = time;
  }
  unsynced_ = unsynced_ || !lines.empty();
  if (options_.copy && !lines.empty()) options_.copy(lines);
  if (status.ok() && unsynced_ &&
      (options_.mode == Mode::kStrict || sign ||
       time - synced_at_ >= kSyncInterval)) {
    status = file_->Sync();
    if (status.ok()) {
      unsynced_ = false;
      synced_at_ = time;
    }
  }
  MutexLock lock(mu_);
  head_ = file_->head();
  has_unsigned_ = file_->unsigned_lines() > 0;
  if (!status.ok()) return status;
  counts_.written += items.size();
  if (gap) told_ = now;
  if (gap) gap_since_ = absl::InfinitePast();
  return status;
}

void AuditLog::PutBack(std::vector<Item>& items) {
  std::vector<Item> kept;
  for (Item& item : items) {
    if (item.done) {
      ++counts_.refused;
    } else if (appended_) {
      ++counts_.written;  // Though the disk may not have it yet.
    } else if (!stopping_ &&
               waiting_bytes_ + item.bytes <= options_.max_waiting_bytes) {
      waiting_bytes_ += item.bytes;
      kept.push_back(std::move(item));
    } else {
      ++counts_.dropped;
    }
  }
  waiting_.insert(waiting_.begin(), std::make_move_iterator(kept.begin()),
                  std::make_move_iterator(kept.end()));
}

void AuditLog::Finish(std::vector<Item> items, const absl::Status& status) {
  std::vector<Done> dones;
  absl::Status before;
  {
    MutexLock lock(mu_);
    before = std::exchange(health_, status);
    for (Item& item : items) {
      if (item.done) dones.push_back(item.done);
    }
    if (!status.ok()) {
      if (gap_since_ == absl::InfinitePast()) gap_since_ = absl::Now();
      gap_reason_ = std::string(status.message());
      PutBack(items);
    }
  }
  for (const Done& done : dones) done(status);
  written_.NotifyAll();
  Tell(before, status);
}

void AuditLog::Tell(const absl::Status& before, const absl::Status& now) {
  if (before.ok() == now.ok()) return;
  std::function<void(const std::string&)> alarm;
  Counts counts;
  {
    MutexLock lock(mu_);
    alarm = alarm_;
    counts = counts_;
  }
  std::string text;
  if (now.ok()) {
    text = absl::StrCat("the audit log is written again; since the start ",
                        counts.dropped, " events were dropped and ",
                        counts.refused, " requests refused");
    SPDLOG_WARN("{}", text);
  } else {
    text = absl::StrCat(now.message(), options_.mode == Mode::kStrict
                                           ? "; new work is refused until it "
                                             "can be (`mode` in [audit])"
                                           : "; work goes on, and what is not "
                                             "written is counted");
    SPDLOG_ERROR("{}", text);
  }
  if (alarm) alarm(text);
}

}  // namespace berth::broker

#include "agent/recording/session_recorder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "agent/log/journal.h"
#include "agent/log/record.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/recording/segment.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr char kStateFile[] = "/state";
constexpr uint64_t kTerminal = 0;
// Of one log at a time, and from how many logs: a segment that is nearly full
// has room for them all.
constexpr uint64_t kPieceBytes = 128 << 10;
constexpr size_t kLogsAtATime = 4;
// Small records cost more than their bytes.
constexpr size_t kEntryBytes = 48;
// A command that ended may still print, by what it left behind; of so many it
// is recorded.
constexpr int kEndedKept = 256;
constexpr size_t kOpenReaders = 32;

constexpr char kTrimmed[] =
    "the session's log was full, and its oldest output went";
constexpr char kNoRoom[] =
    "the computer's space for recordings was full, as no broker took them";

}  // namespace

absl::Status SessionRecorder::Create(const Spool& spool,
                                     const v1::RecordingInfo& info,
                                     const std::string& session_directory,
                                     uint64_t log_limit) {
  const std::string directory = spool.DirectoryOf(info.instance_id());
  if (mkdir(directory.c_str(), 0700) != 0) {
    return ErrnoToStatus(errno, directory);
  }
  recorder::v1::RecordingState state;
  *state.mutable_info() = info;
  state.set_session_directory(session_directory);
  // The log must never wait for a segment that is not full.
  state.set_seal_bytes(std::min(kSealBytes, log_limit / 4));
  state.set_head_sha256(NoRecordingHash());
  if (info.terminal()) (*state.mutable_logs())[kTerminal] = 0;
  return WriteFileAtomically(directory + kStateFile, state.SerializeAsString());
}

absl::StatusOr<std::unique_ptr<SessionRecorder>> SessionRecorder::Open(
    Spool& spool, const std::string& instance_id) {
  const std::string path = spool.DirectoryOf(instance_id) + kStateFile;
  BERTH_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  recorder::v1::RecordingState state;
  if (!state.ParseFromString(bytes) ||
      state.info().instance_id() != instance_id) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  BERTH_RETURN_IF_ERROR(spool.Adopt(instance_id, state.next_index()));
  if (state.over()) spool.Finish(instance_id);
  return std::unique_ptr<SessionRecorder>(
      new SessionRecorder(spool, std::move(state)));
}

SessionRecorder::SessionRecorder(Spool& spool,
                                 recorder::v1::RecordingState state)
    : spool_(spool), state_(std::move(state)) {
  TouchAll();
}

void SessionRecorder::Touched(absl::string_view file) {
  if (file == "journal") journal_touched_ = true;
  const auto segment = ParseSegmentName(file);
  if (segment.has_value() && state_.logs().contains(segment->sequence)) {
    touched_.insert(segment->sequence);
  }
}

void SessionRecorder::TouchAll() {
  journal_touched_ = true;
  for (const auto& [sequence, offset] : state_.logs()) {
    touched_.insert(sequence);
  }
}

absl::Status SessionRecorder::Read() {
  std::vector<Timed> batch;
  absl::Status status;
  begun_.clear();
  awaited_.reset();
  if (journal_touched_) status.Update(ReadJournal(batch));
  if (awaited_.has_value()) {
    touched_.insert(awaited_->sequence);
    last_read_ = awaited_->sequence - 1;  // So that it is the next.
  }
  // Each log in its turn.
  for (size_t i = 0; i < kLogsAtATime && !touched_.empty(); ++i) {
    auto next = touched_.upper_bound(last_read_);
    if (next == touched_.end()) next = touched_.begin();
    last_read_ = *next;
    const absl::StatusOr<bool> more = ReadLog(last_read_, batch);
    if (!more.ok() || !*more) touched_.erase(last_read_);
    if (more.ok()) continue;
    status.Update(more.status());
    AppendGap(last_read_, 0, more.status().message());
    if (awaited_.has_value() && awaited_->sequence == last_read_) {
      (*state_.mutable_logs())[last_read_] = awaited_->offset;
    }
    readers_.erase(last_read_);
  }
  std::stable_sort(
      batch.begin(), batch.end(),
      [](const Timed& a, const Timed& b) { return a.first < b.first; });
  for (Timed& timed : batch) Append(std::move(timed.second));
  if (readers_.size() > kOpenReaders) readers_.clear();
  return status;
}

absl::Status SessionRecorder::ReadJournal(std::vector<Timed>& batch) {
  const uint64_t before = state_.journal_offset();
  const auto extent = ReadJournalPart(
      session_directory() + "/journal", before,
      [&](const holder::v1::JournalRecord& record) {
        return !state_.info().commands() || OnRecord(record, batch);
      });
  if (!extent.ok()) {
    journal_touched_ = false;
    // Before the holder has begun, there is none.
    return absl::IsNotFound(extent.status()) ? absl::OkStatus()
                                             : extent.status();
  }
  state_.set_journal_offset(extent->bytes);
  journal_touched_ = extent->bytes > before || awaited_.has_value();
  return absl::OkStatus();
}

bool SessionRecorder::OnRecord(const holder::v1::JournalRecord& record,
                               std::vector<Timed>& batch) {
  v1::RecordingEntry entry;
  if (record.has_started()) {
    const holder::v1::Started& from = record.started();
    entry.set_time_ns(from.started_at_ns());
    v1::RecordedStart& started = *entry.mutable_started();
    started.set_sequence(from.sequence());
    started.set_text(from.what());
    started.set_user(from.user());
    (*state_.mutable_logs())[from.sequence()] = 0;
    touched_.insert(from.sequence());
  } else if (record.has_ended() &&
             state_.logs().contains(record.ended().sequence())) {
    const holder::v1::Ended& from = record.ended();
    // The shell is done before the rest of the output is taken in.
    if (state_.logs().at(from.sequence()) < from.end_offset()) {
      awaited_ = {from.sequence(), from.end_offset()};
      return false;
    }
    entry.set_time_ns(from.ended_at_ns());
    v1::RecordedEnd& ended = *entry.mutable_ended();
    ended.set_sequence(from.sequence());
    ended.set_exit_code(from.exit_code());
    ended.set_how(from.how());
    state_.add_ended(from.sequence());
    touched_.insert(from.sequence());
  } else {
    return true;
  }
  const int64_t after = batch.empty() ? 0 : batch.back().first;
  const int64_t key = std::max(after, entry.time_ns());
  if (entry.has_started()) begun_[entry.started().sequence()] = key;
  batch.emplace_back(key, std::move(entry));
  return true;
}

absl::StatusOr<bool> SessionRecorder::ReadLog(uint64_t sequence,
                                              std::vector<Timed>& batch) {
  uint64_t& offset = (*state_.mutable_logs())[sequence];
  auto reader = readers_.find(sequence);
  if (reader == readers_.end()) {
    BERTH_ASSIGN_OR_RETURN(
        LogReader opened,
        LogReader::Open(session_directory(), sequence, offset));
    opened.ByRecord();
    reader = readers_.emplace(sequence, std::move(opened)).first;
  }
  char buffer[16 << 10];
  // Where it surely reaches to; else whatever there is.
  const uint64_t end = awaited_.has_value() && awaited_->sequence == sequence
                           ? awaited_->offset
                           : LogReader::kUnknownEnd;
  const auto begun = begun_.find(sequence);
  int64_t after = begun == begun_.end() ? 0 : begun->second;
  for (uint64_t bytes = 0; bytes < kPieceBytes;) {
    BERTH_ASSIGN_OR_RETURN(const LogReader::Chunk chunk,
                           reader->second.Read(absl::MakeSpan(buffer), end));
    if (chunk.kind == LogReader::Chunk::kEnd) return false;
    v1::RecordingEntry entry =
        EntryOf(sequence, chunk, absl::string_view(buffer, chunk.length));
    // In its log's order, also if the clock was put back.
    after = std::max(after, entry.time_ns());
    batch.emplace_back(after, std::move(entry));
    offset = reader->second.offset();
    bytes += chunk.kind == LogReader::Chunk::kGap ? kEntryBytes
                                                  : chunk.length + kEntryBytes;
  }
  return true;
}

v1::RecordingEntry SessionRecorder::EntryOf(uint64_t sequence,
                                            const LogReader::Chunk& chunk,
                                            absl::string_view bytes) const {
  v1::RecordingEntry entry;
  if (chunk.kind == LogReader::Chunk::kGap) {
    entry.set_time_ns(absl::GetCurrentTimeNanos());
    entry.mutable_gap()->set_sequence(sequence);
    entry.mutable_gap()->set_bytes(chunk.length);
    entry.mutable_gap()->set_reason(kTrimmed);
    return entry;
  }
  entry.set_time_ns(chunk.time_ns);
  if (sequence != kTerminal) {
    v1::RecordedOutput& output = *entry.mutable_output();
    output.set_sequence(sequence);
    output.set_is_error(chunk.stream == Stream::kStderr);
    output.set_offset(chunk.offset);
    output.set_data(std::string(bytes));
    return entry;
  }
  if (chunk.stream == Stream::kStdout) {
    entry.set_terminal(std::string(bytes));
    return entry;
  }
  const std::pair<absl::string_view, absl::string_view> size =
      absl::StrSplit(bytes, absl::MaxSplits(' ', 1));
  uint32_t rows = 0;
  uint32_t columns = 0;
  if (!absl::SimpleAtoi(size.first, &rows) ||
      !absl::SimpleAtoi(size.second, &columns)) {
    entry.mutable_gap()->set_reason("a size of the terminal is damaged");
    return entry;
  }
  entry.mutable_size()->set_rows(rows);
  entry.mutable_size()->set_columns(columns);
  return entry;
}

void SessionRecorder::Append(v1::RecordingEntry entry) {
  if (!has_open()) open_since_ = MonotonicNow();
  open_bytes_ += entry.ByteSizeLong() + 8;
  *open_.add_entries() = std::move(entry);
}

void SessionRecorder::AppendGap(uint64_t sequence, uint64_t bytes,
                                absl::string_view reason) {
  v1::RecordingEntry entry;
  entry.set_time_ns(absl::GetCurrentTimeNanos());
  entry.mutable_gap()->set_sequence(sequence);
  entry.mutable_gap()->set_bytes(bytes);
  entry.mutable_gap()->set_reason(std::string(reason.substr(0, 400)));
  Append(std::move(entry));
}

absl::Status SessionRecorder::Seal() {
  return has_open() ? SealNow(/*last=*/false) : absl::OkStatus();
}

absl::Status SessionRecorder::SealNow(bool last) {
  ForgetOld();
  recorder::v1::RecordingState state = state_;
  v1::RecordingSegment segment;
  segment.set_instance_id(instance_id());
  segment.set_index(state.next_index());
  segment.set_previous_sha256(state.head_sha256());
  *segment.mutable_info() = state.info();
  segment.set_last(last);
  if (!state.gap_reason().empty()) {
    v1::RecordingEntry& gap = *segment.add_entries();
    gap.set_time_ns(open_.entries(0).time_ns());
    gap.mutable_gap()->set_bytes(state.gap_bytes());
    gap.mutable_gap()->set_reason(state.gap_reason());
  }
  segment.mutable_entries()->MergeFrom(open_.entries());
  const std::string bytes = segment.SerializeAsString();
  // How it ended is told in any case.
  BERTH_ASSIGN_OR_RETURN(const bool added,
                         spool_.Add(instance_id(), segment.index(), bytes,
                                    last && open_.entries_size() == 1));
  if (added) {
    state.set_next_index(segment.index() + 1);
    state.set_head_sha256(RecordingHash(bytes));
    state.clear_gap_bytes();
    state.clear_gap_reason();
    state.set_over(last);
  } else {
    state.set_gap_bytes(state.gap_bytes() + open_bytes_);
    state.set_gap_reason(kNoRoom);
  }
  BERTH_RETURN_IF_ERROR(SaveState(state));
  state_ = std::move(state);
  if (added) spool_.Publish(instance_id(), segment.index());
  *recorded_.mutable_offsets() = state_.logs();
  if (!added && last) {
    // Only the end is left, which is stored whatever the limit says.
    open_.mutable_entries()->DeleteSubrange(0, open_.entries_size() - 1);
    return SealNow(last);
  }
  open_.Clear();
  open_bytes_ = 0;
  open_since_ = absl::InfiniteFuture();
  return absl::OkStatus();
}

absl::Status SessionRecorder::Finish(const std::string& reason) {
  if (over()) return absl::OkStatus();
  if (!end_noted_) {
    TouchAll();
    while (has_work()) {
      Read().IgnoreError();  // What is lost is noted.
      if (full()) BERTH_RETURN_IF_ERROR(Seal());
    }
    v1::RecordingEntry entry;
    entry.set_time_ns(absl::GetCurrentTimeNanos());
    entry.mutable_session_ended()->set_reason(reason);
    Append(std::move(entry));
    end_noted_ = true;
  }
  BERTH_RETURN_IF_ERROR(SealNow(/*last=*/true));
  spool_.Finish(instance_id());
  return absl::OkStatus();
}

void SessionRecorder::ForgetOld() {
  const int old = state_.ended_size() - kEndedKept;
  if (old <= 0) return;
  for (int i = 0; i < old; ++i) {
    state_.mutable_logs()->erase(state_.ended(i));
    readers_.erase(state_.ended(i));
    touched_.erase(state_.ended(i));
  }
  state_.mutable_ended()->erase(state_.ended().begin(),
                                state_.ended().begin() + old);
}

absl::Status SessionRecorder::SaveState(
    const recorder::v1::RecordingState& state) const {
  return WriteFileAtomically(spool_.DirectoryOf(instance_id()) + kStateFile,
                             state.SerializeAsString());
}

}  // namespace berth::agent

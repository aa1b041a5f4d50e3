// What becomes of commands' output: news of it, acknowledgements, full logs.

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/holder/commands.h"
#include "agent/holder/text.h"
#include "agent/log/command_log.h"
#include "agent/shell/monotonic.h"

namespace berth::holder {
namespace {

constexpr size_t kMaxText = 4096;
constexpr absl::Duration kStallRetry = absl::Seconds(1);
// Acknowledgements come with every piece of output; only the newest counts.
constexpr absl::Duration kAckDelay = absl::Milliseconds(200);

}  // namespace

void Commands::OnAdvanced(uint64_t sequence) {
  Command* command = FindActive(sequence);
  agent::CommandLog* log = logs_.Find(sequence);
  if (command == nullptr || log == nullptr) return;
  command->log_end = log->end();
  command->active->stall_noticed = false;
  command->active->stalled_since.reset();
  for (uint64_t connection : command->active->followers) {
    host_.SendAdvanced(connection, sequence, command->log_end);
  }
}

void Commands::OnStalled(uint64_t sequence, const absl::Status& why) {
  stalled_.insert(sequence);
  stalled_by_ = std::string(why.message());
  Command* command = FindActive(sequence);
  if (command != nullptr && !command->active->stalled_since) {
    command->active->stalled_since = shell::MonotonicNow();
  }
  if (stall_timer_) return;
  stall_timer_ = loop_.After(kStallRetry, [this] { RetryStalled(); });
}

void Commands::ResumeStalled() {
  absl::flat_hash_set<uint64_t> stalled;
  stalled.swap(stalled_);
  for (uint64_t sequence : stalled) {
    Command* command = FindActive(sequence);
    if (command != nullptr && command->active->output) {
      command->active->output->Resume();
    }
  }
}

// Room comes with acknowledgements, or when somebody clears the disk.
void Commands::RetryStalled() {
  stall_timer_.reset();
  const absl::flat_hash_set<uint64_t> stalled = stalled_;
  // Whether there is room shows only later: told is who had none for so long.
  const absl::Time since = shell::MonotonicNow() - kStallRetry;
  ResumeStalled();
  for (uint64_t sequence : stalled) {
    Command* command = FindActive(sequence);
    if (command == nullptr || command->active->stall_noticed ||
        command->active->stalled_since.value_or(absl::InfiniteFuture()) >
            since) {
      continue;
    }
    command->active->stall_noticed = true;
    v1::Event event;
    event.mutable_notice()->set_text(ValidText(
        absl::StrCat("output of command ", sequence, " waits: ", stalled_by_),
        kMaxText));
    Broadcast(*command, event);
  }
  if (!stalled_.empty() && !stall_timer_) {
    stall_timer_ = loop_.After(kStallRetry, [this] { RetryStalled(); });
  }
}

void Commands::Ack(const v1::Ack& request) {
  Command* command = table_.Find(request.sequence());
  if (command == nullptr) return;
  uint64_t offset = std::min(request.offset(), command->log_end);
  bool news = offset > command->acked_offset ||
              (request.ended() && !command->acked_end && command->ended);
  if (!news) return;
  command->acked_offset = std::max(command->acked_offset, offset);
  command->acked_end |= request.ended() && command->ended;
  if (agent::CommandLog* log = logs_.Find(command->sequence)) {
    log->Ack(offset);
  }
  unrecorded_acks_.insert(command->sequence);
  if (command->ended && command->acked_offset >= command->log_end) {
    JournalAck(command->sequence);
  } else if (!ack_timer_) {
    ack_timer_ = loop_.After(kAckDelay, [this] { JournalAcks(); });
  }
  if (!stalled_.empty()) ResumeStalled();
}

void Commands::Recorded(const v1::Recorded& request) {
  for (const auto& [sequence, offset] : request.offsets()) {
    if (agent::CommandLog* log = logs_.Find(sequence)) log->Recorded(offset);
  }
  if (!stalled_.empty()) ResumeStalled();
}

void Commands::SetBuffering(const v1::SetBuffering& request) {
  if (request.when_full() == v1::HolderStart::WHEN_FULL_UNSPECIFIED) return;
  logs_.SetWhenFull(request.when_full() == v1::HolderStart::DROP
                        ? agent::WhenFull::kDrop
                        : agent::WhenFull::kBlock);
  ResumeStalled();
}

void Commands::DescribeOutput(v1::State& state) const {
  state.set_log_bytes(logs_.kept());
  state.set_unacknowledged_bytes(logs_.unacknowledged());
  state.set_dropped_bytes(logs_.dropped());
  if (last_ended_) *state.mutable_last_ended() = *last_ended_;
}

void Commands::JournalAck(uint64_t sequence) {
  unrecorded_acks_.erase(sequence);
  const Command* command = table_.Find(sequence);
  if (command == nullptr) return;
  v1::JournalRecord record;
  record.mutable_acked()->set_sequence(sequence);
  record.mutable_acked()->set_offset(command->acked_offset);
  record.mutable_acked()->set_ended(command->acked_end);
  Record(record);
}

void Commands::JournalAcks() {
  ack_timer_.reset();
  // On a full disk what is left of the journal is for how commands end.
  if (!journal_.Prepare().ok()) {
    ack_timer_ = loop_.After(kStallRetry, [this] { JournalAcks(); });
    return;
  }
  absl::flat_hash_set<uint64_t> sequences;
  sequences.swap(unrecorded_acks_);
  for (uint64_t sequence : sequences) JournalAck(sequence);
}

}  // namespace berth::holder

// Requests about commands that are there.

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/holder/commands.h"

namespace berth::holder {

bool Commands::FollowExisting(uint64_t connection, const v1::Start& request) {
  uint64_t sequence = request.follow_only() && request.sequence() > 0
                          ? request.sequence()
                          : table_.SequenceOf(request.command_id());
  if (sequence == 0 || sequence > table_.last()) return false;
  Command forgotten;
  Command* command = table_.Find(sequence);
  if (command == nullptr) {
    forgotten = Recall(sequence);
    command = &forgotten;
  }
  if (!request.follow_only() && command->digest != request.digest()) {
    Refuse(connection, request.command_id(),
           absl::AlreadyExistsError(
               absl::StrCat("command ", sequence, " has the id ", command->id,
                            " and another text; use a new id")));
    return true;
  }
  Follow(connection, *command);
  return true;
}

void Commands::Follow(uint64_t connection, Command& command) {
  if (command.active) {
    auto& followers = command.active->followers;
    if (std::find(followers.begin(), followers.end(), connection) ==
        followers.end()) {
      followers.push_back(connection);
    }
  }
  bool pending = !command.ended;
  const state::Command at = lane_.of(command.sequence);
  if (at == state::Command::kQueued || at == state::Command::kSent) {
    return SendQueued(connection, command);
  }
  if (!pending &&
      command.ended->how() == static_cast<uint32_t>(How::kNotStarted)) {
    return Refuse(connection, command.id,
                  absl::AbortedError(command.ended->detail()));
  }
  v1::Event event;
  v1::Started& started = *event.mutable_started();
  started.set_sequence(command.sequence);
  started.set_command_id(command.id);
  started.set_started_at_ns(command.started_at_ns);
  started.set_attached(true);
  started.set_what(command.what);
  started.set_acked_offset(command.acked_offset);
  host_.Send(connection, event);
  if (pending) SendCredit(command.sequence);
  host_.SendAdvanced(connection, command.sequence, command.log_end);
  if (pending) return;
  v1::Event end;
  *end.mutable_ended() = *command.ended;
  host_.Send(connection, end);
}

Command Commands::Recall(uint64_t sequence) {
  Command command;
  command.sequence = sequence;
  command.ended = std::make_unique<v1::Ended>();
  auto visit = [&](const v1::JournalRecord& record) {
    if (record.reserved().sequence() == sequence) {
      command.id = record.reserved().command_id();
      command.digest = record.reserved().digest();
      command.what = record.reserved().what();
    } else if (record.started().sequence() == sequence) {
      command.started_at_ns = record.started().started_at_ns();
    } else if (record.ended().sequence() == sequence) {
      *command.ended = record.ended();
      command.log_end = record.ended().end_offset();
    } else if (record.acked().sequence() == sequence) {
      command.acked_offset = record.acked().offset();
    }
  };
  // What can't be read stays empty: its digest then fits no other.
  agent::ReadJournal(journal_path_, visit).status().IgnoreError();
  return command;
}

void Commands::Stdin(uint64_t connection, const v1::Stdin& request) {
  Command* command = FindActive(request.sequence());
  if (command == nullptr || command->ended || command->active->ending) return;
  if (!command->active->stdin_pipe) {
    if (request.data().empty()) return;
    return Refuse(
        connection, command->id,
        absl::FailedPreconditionError("the command was started without input"));
  }
  absl::Status status = command->active->stdin_pipe->Write(
      request.offset(), request.data(), request.eof());
  if (!status.ok()) Refuse(connection, command->id, status);
}

void Commands::Interrupt(const v1::Interrupt& request) {
  Command* command = FindActive(request.sequence());
  if (command == nullptr || command->ended) return;
  // Its end waits for room in the log, if it has not come yet.
  if (command->active->ending) return command->active->output->DropRest();
  command->active->interrupted = true;
  if (lane_.of(command->sequence) == state::Command::kStarted) {
    shell_.Cancel(request.force());
  } else {  // If it is too late, it is cancelled when it has started.
    TakeBack(*command, absl::CancelledError("interrupted before it started"));
  }
}

void Commands::InterruptRunning(bool force) {
  if (lane_.running() == 0) return;
  v1::Interrupt request;
  request.set_sequence(lane_.running());
  request.set_force(force);
  Interrupt(request);
}

void Commands::Withdraw(const v1::Withdraw& request) {
  Command* command = FindActive(request.sequence());
  if (command == nullptr || command->ended) return;
  TakeBack(*command, absl::CancelledError("withdrawn before it started"));
}

}  // namespace berth::holder

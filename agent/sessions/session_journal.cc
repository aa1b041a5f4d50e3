#include "agent/sessions/session_journal.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/log/journal.h"

namespace berth::agent {
namespace {

void Apply(const holder::v1::JournalRecord& record, SessionJournal& journal) {
  if (record.has_reserved()) {
    JournalCommand& command = journal.commands[record.reserved().sequence()];
    command.command_id = record.reserved().command_id();
    command.digest = record.reserved().digest();
    command.what = record.reserved().what();
    command.surely_not_started = record.reserved().tells_handing_over();
  } else if (record.has_handed_over()) {
    journal.commands[record.handed_over().sequence()].surely_not_started =
        false;
  } else if (record.has_started()) {
    JournalCommand& command = journal.commands[record.started().sequence()];
    command.started_at_ns = record.started().started_at_ns();
    command.surely_not_started = false;
  } else if (record.has_ended()) {
    journal.commands[record.ended().sequence()].ended = record.ended();
  } else if (record.has_acked()) {
    const auto it = journal.commands.find(record.acked().sequence());
    if (it == journal.commands.end()) return;
    it->second.acked_offset =
        std::max(it->second.acked_offset, record.acked().offset());
    it->second.end_acked |= record.acked().ended();
  } else if (record.has_session_ended()) {
    journal.end = record.session_ended();
  }
}

}  // namespace

uint64_t SessionJournal::Find(absl::string_view command_id) const {
  for (const auto& [sequence, command] : commands) {
    if (command.command_id == command_id) return sequence;
  }
  return 0;
}

absl::StatusOr<SessionJournal> ReadSessionJournal(
    const std::string& directory) {
  SessionJournal journal;
  const auto extent = ReadJournal(
      absl::StrCat(directory, "/journal"),
      [&](const holder::v1::JournalRecord& record) { Apply(record, journal); });
  if (!extent.ok() && !absl::IsNotFound(extent.status())) {
    return extent.status();
  }
  return journal;
}

}  // namespace berth::agent

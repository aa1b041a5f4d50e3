#ifndef BERTH_AGENT_SESSIONS_SESSION_JOURNAL_H_
#define BERTH_AGENT_SESSIONS_SESSION_JOURNAL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::agent {

// What a session's journal says about one command.
struct JournalCommand {
  std::string command_id;
  std::string digest;
  std::string what;
  int64_t started_at_ns = 0;  // 0: nobody saw it start.
  // The shell never had it; else it may have run.
  bool surely_not_started = false;
  std::optional<holder::v1::Ended> ended;
  uint64_t acked_offset = 0;
  bool end_acked = false;
};

// A session's journal as a whole.
struct SessionJournal {
  std::map<uint64_t, JournalCommand> commands;  // By sequence.
  std::optional<holder::v1::SessionEnded> end;

  // The sequence of a command; 0 if there is none.
  uint64_t Find(absl::string_view command_id) const;
};

// Reads the journal of the session in `directory`; a missing one is empty.
// DATA_LOSS: it can't be read.
absl::StatusOr<SessionJournal> ReadSessionJournal(const std::string& directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SESSION_JOURNAL_H_

#ifndef BERTH_AGENT_HOLDER_COMMAND_TABLE_H_
#define BERTH_AGENT_HOLDER_COMMAND_TABLE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "agent/holder/command.h"

namespace berth::holder {

// The session's commands by number and by id. Those that ended long ago are
// forgotten, but not their ids: what remains of them is in the journal. One
// thread.
class CommandTable {
 public:
  // Ended commands that are remembered.
  static constexpr size_t kRemembered = 10000;

  explicit CommandTable(size_t remembered = kRemembered)
      : remembered_(remembered) {}

  // Makes the next command; `id` is a UUID that Find() does not know. Valid
  // until it has ended and then as long as it is remembered.
  Command& Add(absl::string_view id);

  // Null if there is none, or it is forgotten.
  Command* Find(uint64_t sequence);

  // The number of the command with this id, also of a forgotten one. 0 if there
  // is none.
  uint64_t SequenceOf(absl::string_view id) const;

  // The latest command's number; 0 before the first.
  uint64_t last() const { return first_ + commands_.size() - 1; }

  // Forgets what is too old. To be called after each Add(). Ends references to
  // commands that have ended.
  void Trim();

 private:
  using Key = std::array<char, 16>;
  static std::optional<Key> KeyOf(absl::string_view uuid);

  const size_t remembered_;
  uint64_t first_ = 1;  // Number of the first in commands_.
  // Null where one was forgotten before an older one.
  std::deque<std::unique_ptr<Command>> commands_;
  absl::flat_hash_map<Key, uint64_t> by_id_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_COMMAND_TABLE_H_

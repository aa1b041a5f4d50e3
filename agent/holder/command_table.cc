#include "agent/holder/command_table.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"

namespace berth::holder {

std::optional<CommandTable::Key> CommandTable::KeyOf(absl::string_view uuid) {
  std::string bytes =
      absl::HexStringToBytes(absl::StrReplaceAll(uuid, {{"-", ""}}));
  Key key;
  if (bytes.size() != key.size()) return std::nullopt;
  bytes.copy(key.data(), key.size());
  return key;
}

Command& CommandTable::Add(absl::string_view id) {
  auto command = std::make_unique<Command>();
  command->id = std::string(id);
  command->sequence = last() + 1;
  command->active = std::make_unique<ActiveCommand>();
  if (auto key = KeyOf(id)) by_id_[*key] = command->sequence;
  commands_.push_back(std::move(command));
  return *commands_.back();
}

Command* CommandTable::Find(uint64_t sequence) {
  if (sequence < first_ || sequence > last()) return nullptr;
  return commands_[sequence - first_].get();
}

uint64_t CommandTable::SequenceOf(absl::string_view id) const {
  auto key = KeyOf(id);
  if (!key) return 0;
  auto found = by_id_.find(*key);
  return found == by_id_.end() ? 0 : found->second;
}

namespace {

bool MayBeForgotten(const std::unique_ptr<Command>& command) {
  return command == nullptr || (command->ended && !command->active);
}

}  // namespace

// A command that still runs, or whose processes do, keeps its place, and must
// not keep those after it. Each call looks at one more, so none looks at many.
void CommandTable::Trim() {
  if (commands_.size() <= remembered_) return;
  size_t oldest = commands_.size() - remembered_ - 1;
  if (MayBeForgotten(commands_[oldest])) commands_[oldest].reset();
  while (commands_.size() > remembered_ && MayBeForgotten(commands_.front())) {
    commands_.pop_front();
    ++first_;
  }
}

}  // namespace berth::holder

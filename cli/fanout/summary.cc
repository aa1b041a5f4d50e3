#include "cli/fanout/summary.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/node_fold.h"

namespace berth::cli {
namespace {

constexpr size_t kMaxShown = 2000;

}  // namespace

std::string FoldShort(std::vector<std::string> names) {
  const size_t count = names.size();
  // A computer chooses its name, and a broker what it says of it.
  std::string folded = EscapeForTerminal(FoldNames(std::move(names)));
  if (folded.size() <= kMaxShown) return folded;
  size_t end = folded.rfind(',', kMaxShown);
  if (end == folded.npos) {
    end = kMaxShown;  // One name alone; not in the middle of a character.
    while (end > 0 && (folded[end] & 0xc0) == 0x80) --end;
  }
  folded.resize(end);
  return absl::StrCat(folded, "... (", count, " in all)");
}

std::string SelectIds(std::vector<uint32_t> ids) {
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> parts;
  for (size_t i = 0; i < ids.size();) {
    size_t end = i + 1;
    while (end < ids.size() && ids[end] == ids[end - 1] + 1) ++end;
    parts.push_back(end - i > 1 ? absl::StrCat(ids[i], "..", ids[end - 1])
                                : absl::StrCat(ids[i]));
    i = end;
  }
  return absl::StrJoin(parts, ",");
}

std::string Summarize(const std::vector<std::string>& labels,
                      const std::vector<std::optional<Outcome>>& outcomes) {
  // In the order of the states, then of the statuses.
  std::map<std::pair<TargetState, int>, std::vector<std::string>> groups;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = *outcomes[i];
    const bool by_code = outcome.state == TargetState::kFailed;
    groups[{outcome.state, by_code ? outcome.exit_code : 0}].push_back(
        labels[i]);
  }
  std::vector<std::string> parts;
  for (auto& [key, names] : groups) {
    std::string part = absl::StrCat(
        names.size(), " ", Describe(Outcome{key.first, key.second, ""}));
    if (key.first != TargetState::kOk) {
      absl::StrAppend(&part, ": ", FoldShort(std::move(names)));
    }
    parts.push_back(std::move(part));
  }
  return absl::StrJoin(parts, ", ");
}

std::vector<std::string> Reasons(
    const std::vector<std::string>& labels,
    const std::vector<std::optional<Outcome>>& outcomes) {
  std::map<std::string, std::vector<std::string>> by_reason;
  std::vector<std::string> order;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = *outcomes[i];
    if (outcome.detail.empty() || outcome.state == TargetState::kSkipped) {
      continue;
    }
    auto& names = by_reason[outcome.detail];
    if (names.empty()) order.push_back(outcome.detail);
    names.push_back(labels[i]);
  }
  constexpr size_t kMaxReasons = 20;
  std::vector<std::string> lines;
  for (const std::string& reason : order) {
    if (lines.size() == kMaxReasons) {
      lines.push_back(absl::StrCat("and ", order.size() - kMaxReasons,
                                   " more reasons; see -o jsonl"));
      break;
    }
    lines.push_back(
        absl::StrCat(FoldShort(std::move(by_reason[reason])), ": ", reason));
  }
  return lines;
}

}  // namespace berth::cli

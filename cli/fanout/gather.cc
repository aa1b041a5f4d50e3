#include "cli/fanout/gather.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "cli/fanout/line_diff.h"
#include "cli/fanout/summary.h"

namespace berth::cli {
namespace {

constexpr char kLine[] = "---------------\n";
constexpr size_t kMaxDiffed = 16 << 20;

}  // namespace

std::string EscapeLines(absl::string_view text) {
  std::string out;
  const char* between_lines = "";
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&out, between_lines);
    between_lines = "\n";
    const char* between_parts = "";
    for (absl::string_view part : absl::StrSplit(line, '\t')) {
      absl::StrAppend(&out, between_parts, EscapeForTerminal(part));
      between_parts = "\t";
    }
  }
  return out;
}

GatherPresenter::GatherPresenter(std::vector<TargetName> names,
                                 const Options& options, Writer& writer)
    : names_(std::move(names)),
      options_(options),
      writer_(writer),
      kept_(names_.size()) {}

Presenter::Taken GatherPresenter::Output(size_t target, v1::OutputStream stream,
                                         uint64_t offset,
                                         absl::string_view data) {
  std::optional<Kept>& kept = kept_[target];
  if (!kept) kept.emplace(store_);
  Spool& spool = stream == v1::OUTPUT_STREAM_STDERR ? kept->err : kept->out;
  return {0, offset + data.size(), spool.Append(data)};
}

absl::Status GatherPresenter::Ended(size_t target, const Outcome& outcome) {
  std::optional<Kept>& kept = kept_[target];
  std::string state =
      outcome.state == TargetState::kOk ? "" : Describe(outcome);
  std::string key = absl::StrCat(state, "\n");
  if (kept) {
    BERTH_ASSIGN_OR_RETURN(const std::string out, kept->out.Hash());
    BERTH_ASSIGN_OR_RETURN(const std::string err, kept->err.Hash());
    absl::StrAppend(&key, out, err);
  }
  const auto [it, is_new] = by_content_.emplace(key, groups_.size());
  if (is_new) {
    groups_.push_back({std::move(state), {}, target});
  } else {
    kept.reset();
  }
  groups_[it->second].targets.push_back(target);
  return absl::OkStatus();
}

absl::Status GatherPresenter::Finish() {
  // The most common first, then as they were written.
  for (Group& group : groups_) {
    std::sort(group.targets.begin(), group.targets.end());
  }
  std::sort(groups_.begin(), groups_.end(), [](const auto& a, const auto& b) {
    return a.targets.size() != b.targets.size()
               ? a.targets.size() > b.targets.size()
               : a.targets.front() < b.targets.front();
  });
  const Group* common = nullptr;
  for (const Group& group : groups_) {
    // What printed nothing is told by the summary.
    if (!kept_[group.kept]) continue;
    if (common == nullptr || !options_.diff) {
      BERTH_RETURN_IF_ERROR(ShowAll(group));
      common = &group;
    } else {
      BERTH_RETURN_IF_ERROR(ShowDiff(*common, group));
    }
  }
  return absl::OkStatus();
}

std::string GatherPresenter::NamesOf(const Group& group) const {
  std::vector<std::string> labels;
  for (const size_t target : group.targets) {
    labels.push_back(names_[target].label);
  }
  return FoldShort(std::move(labels));
}

void GatherPresenter::ShowHead(const Group& group) {
  std::string head = absl::StrCat(kLine, NamesOf(group));
  if (group.targets.size() > 1) {
    absl::StrAppend(&head, " (", group.targets.size(), ")");
  }
  if (!group.state.empty()) absl::StrAppend(&head, " ", group.state);
  writer_.Write(/*to_err=*/false, absl::StrCat(head, "\n", kLine));
}

void GatherPresenter::Show(bool err, absl::string_view text) {
  const bool escape = err ? options_.escape_err : options_.escape_out;
  writer_.Write(err, escape ? EscapeLines(text) : std::string(text));
}

absl::Status GatherPresenter::ShowAll(const Group& group) {
  ShowHead(group);
  const Kept& kept = *kept_[group.kept];
  for (const bool err : {false, true}) {
    bool ends_line = true;
    BERTH_RETURN_IF_ERROR(
        (err ? kept.err : kept.out).ForEach([&](absl::string_view piece) {
          Show(err, piece);
          ends_line = absl::EndsWith(piece, "\n");
          if (writer_.waiting() > Writer::kMuch) writer_.Drain();
          return writer_.status();
        }));
    if (!ends_line) writer_.Write(err, "\n");
  }
  return absl::OkStatus();
}

absl::Status GatherPresenter::ShowDiff(const Group& common,
                                       const Group& group) {
  bool shown = false;
  writer_.Write(
      /*to_err=*/false,
      absl::StrCat("--- ", NamesOf(common), "\n+++ ", NamesOf(group),
                   group.state.empty() ? "" : " ", group.state, "\n"));
  const Kept& a = *kept_[common.kept];
  const Kept& b = *kept_[group.kept];
  BERTH_RETURN_IF_ERROR(ShowDiff(a.out, b.out, /*err=*/false, shown));
  BERTH_RETURN_IF_ERROR(ShowDiff(a.err, b.err, /*err=*/true, shown));
  return shown ? absl::OkStatus() : ShowAll(group);
}

// Does not show what differs too much.
absl::Status GatherPresenter::ShowDiff(const Spool& common, const Spool& other,
                                       bool err, bool& shown) {
  if (common.size() > kMaxDiffed || other.size() > kMaxDiffed) {
    return absl::OkStatus();
  }
  BERTH_ASSIGN_OR_RETURN(const std::string a, common.Read(kMaxDiffed));
  BERTH_ASSIGN_OR_RETURN(const std::string b, other.Read(kMaxDiffed));
  const std::optional<std::string> diff = LineDiff(a, b);
  if (!diff) return absl::OkStatus();
  shown = true;
  if (!diff->empty()) Show(err, *diff);
  return absl::OkStatus();
}

}  // namespace berth::cli

#include "cli/jobs/render.h"

#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/fanout/json_lines.h"
#include "cli/fanout/summary.h"
#include "cli/render/duration.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

using Phase = JobTargetState::Phase;

struct Counts {
  int ok = 0;
  int failed = 0;
  int running = 0;
};

Counts Count(const JobView& view) {
  Counts counts;
  for (const JobTargetState& state : view.states) {
    const bool runs =
        state.phase == Phase::kRunning || state.phase == Phase::kWaiting;
    const bool ok =
        state.phase == Phase::kEnded && state.outcome.state == TargetState::kOk;
    ++(runs ? counts.running : ok ? counts.ok : counts.failed);
  }
  return counts;
}

std::string StateOf(const JobView& view) {
  if (!view.error.empty()) return "Unknown";
  const Counts counts = Count(view);
  if (counts.running > 0) return "Running";
  return counts.failed > 0 ? "Failed" : "Completed";
}

// "2 failed(1): web[01-02], 1 running: web03"
std::string NotOk(const JobView& view) {
  if (!view.error.empty()) return view.error;
  std::map<std::string, std::vector<std::string>> groups;
  for (size_t i = 0; i < view.states.size(); ++i) {
    const std::string state = Describe(view.states[i]);
    if (state != "ok") groups[state].push_back(view.job.targets(i).label());
  }
  std::vector<std::string> parts;
  for (auto& [state, labels] : groups) {
    const size_t count = labels.size();
    parts.push_back(
        absl::StrCat(count, " ", state, ": ", FoldShort(std::move(labels))));
  }
  return absl::StrJoin(parts, ", ");
}

std::string Text(const std::string& bytes) {
  return JsonString(IsUtf8(bytes) ? bytes : absl::CEscape(bytes));
}

std::string ToJson(const JobView& view) {
  const Counts counts = Count(view);
  std::string json = absl::StrCat(
      "{\"id\":", view.job.id(), ",\"name\":", Text(view.job.name()),
      ",\"state\":\"", StateOf(view), "\",\"ok\":", counts.ok,
      ",\"failed\":", counts.failed, ",\"running\":", counts.running,
      ",\"startedAt\":\"",
      absl::FormatTime(absl::RFC3339_full, FromProto(view.job.started_at()),
                       absl::UTCTimeZone()),
      "\",\"what\":", Text(view.job.what()), ",\"targets\":[");
  for (int i = 0; i < view.job.targets_size(); ++i) {
    const jobs::Target& target = view.job.targets(i);
    absl::StrAppend(&json, i == 0 ? "" : ",",
                    "{\"computer\":", Text(target.computer()),
                    ",\"session\":", target.session(),
                    ",\"instanceId\":", Text(target.instance_id()),
                    ",\"commandId\":", Text(target.command_id()));
    if (static_cast<size_t>(i) < view.states.size()) {
      const JobTargetState& state = view.states[i];
      absl::StrAppend(&json, ",\"state\":", Text(Describe(state)));
      if (state.phase == Phase::kEnded) {
        absl::StrAppend(&json, ",\"exitCode\":", state.outcome.exit_code);
      }
    }
    json += "}";
  }
  return json + "]}";
}

std::string RenderTable(const std::vector<JobView>& jobs, bool wide,
                        absl::Time now) {
  std::vector<Table::Column> columns = {
      {"Id", 4, true},     {"Name", 15},
      {"State", 9},        {"Ok", 5, true},
      {"Failed", 6, true}, {"Running", 7, true},
      {"Started", 8},      {wide ? "Not ok" : "Targets", 20}};
  if (wide) columns.push_back({"Command"});
  Table table(std::move(columns));
  for (const JobView& view : jobs) {
    const Counts counts = Count(view);
    std::vector<std::string> labels;
    for (const jobs::Target& target : view.job.targets()) {
      labels.push_back(target.label());
    }
    std::vector<std::string> row = {
        absl::StrCat(view.job.id()),
        view.job.name(),
        StateOf(view),
        absl::StrCat(counts.ok),
        absl::StrCat(counts.failed),
        absl::StrCat(counts.running),
        ShortDuration(now - FromProto(view.job.started_at())),
        wide ? NotOk(view) : FoldShort(std::move(labels))};
    if (wide) row.push_back(view.job.what());
    table.AddRow(std::move(row));
  }
  return table.Render();
}

}  // namespace

std::string RenderJobs(const std::vector<JobView>& jobs, Format format,
                       absl::Time now) {
  if (format == Format::kTable || format == Format::kWide) {
    return jobs.empty() ? "" : RenderTable(jobs, format == Format::kWide, now);
  }
  std::vector<std::string> parts;
  for (const JobView& view : jobs) {
    parts.push_back(format == Format::kName ? EscapeForTerminal(view.job.name())
                                            : ToJson(view));
  }
  if (format != Format::kJson) {
    return parts.empty() ? "" : absl::StrJoin(parts, "\n") + "\n";
  }
  return parts.empty()
             ? "[]\n"
             : absl::StrCat("[\n  ", absl::StrJoin(parts, ",\n  "), "\n]\n");
}

}  // namespace berth::cli

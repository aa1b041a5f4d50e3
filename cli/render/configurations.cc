#include "cli/render/configurations.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/render/duration.h"
#include "cli/render/sessions.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

std::vector<Table::Column> Columns(bool wide) {
  std::vector<Table::Column> columns = {
      {"ComputerName", 15}, {"Name", 15},   {"Shell", 10},  {"State", 9},
      {"Idle", 6},          {"MaxIdle", 7}, {"Description"}};
  if (!wide) return columns;
  for (const char* heading :
       {"Buffering", "LogLimit", "Limits", "Allowed", "Problem"}) {
    columns.push_back({heading});
  }
  return columns;
}

std::string State(const v1::Configuration& configuration) {
  std::string state = configuration.enabled() ? "enabled" : "disabled";
  if (configuration.is_default()) absl::StrAppend(&state, " (default)");
  if (!configuration.problem().empty()) absl::StrAppend(&state, " (problem)");
  return state;
}

// In the order of their names: a map has none.
std::string Limits(const v1::Configuration& configuration) {
  std::vector<std::string> limits;
  for (const auto& [name, value] : configuration.limits()) {
    limits.push_back(absl::StrCat(name, "=", value));
  }
  std::sort(limits.begin(), limits.end());
  return absl::StrJoin(limits, ",");
}

std::string Text(const google::protobuf::Duration& time) {
  return ShortDuration(FromProto(time));
}

std::vector<std::string> Row(const v1::Configuration& it, bool wide) {
  const std::string max = Text(it.max_idle_timeout());
  std::vector<std::string> row = {
      it.computer(),
      it.name(),
      ShellName(it.shell()),
      State(it),
      absl::StrCat(Text(it.default_idle_timeout()),
                   it.idle_while_busy() ? " (busy too)" : ""),
      it.may_never_idle() ? absl::StrCat(max, " or never") : max,
      it.description()};
  if (!wide) return row;
  row.push_back(BufferingName(it.buffering()));
  row.push_back(ByteSize(it.log_limit()));
  row.push_back(Limits(it));
  row.push_back(absl::StrJoin(it.allowed(), ","));
  row.push_back(it.problem());
  return row;
}

}  // namespace

std::string RenderConfigurations(
    const std::vector<v1::Configuration>& configurations, Format format) {
  switch (format) {
    case Format::kJson:
    case Format::kJsonl:
      return ToJson(configurations, format);
    case Format::kName: {
      std::string out;
      for (const v1::Configuration& configuration : configurations) {
        absl::StrAppend(&out, EscapeForTerminal(configuration.name()), "\n");
      }
      return out;
    }
    case Format::kTable:
    case Format::kWide:
      break;
  }
  if (configurations.empty()) return "";
  const bool wide = format == Format::kWide;
  Table table(Columns(wide));
  for (const v1::Configuration& configuration : configurations) {
    table.AddRow(Row(configuration, wide));
  }
  return table.Render();
}

}  // namespace berth::cli

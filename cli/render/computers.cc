#include "cli/render/computers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/render/duration.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

std::string StateName(const v1::Computer& computer) {
  switch (computer.state()) {
    case v1::COMPUTER_STATE_ONLINE:
      return computer.frozen().empty() ? "Online" : "Frozen";
    case v1::COMPUTER_STATE_OFFLINE:
      return "Offline";
    default:
      return "Unknown";
  }
}

std::vector<Table::Column> Columns(bool wide) {
  std::vector<Table::Column> columns = {{"ComputerName", 15},
                                        {"State", 8},
                                        {"Since", 8},
                                        {"Sessions", 8, true},
                                        {"Configurations", 15}};
  if (!wide) return columns;
  for (const char* heading : {"OS", "Agent", "Labels", "Frozen"}) {
    columns.push_back({heading});
  }
  return columns;
}

// In the order of their names: a map has none.
std::string Labels(const v1::Computer& computer) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : computer.labels()) {
    labels.push_back(absl::StrCat(key, "=", value));
  }
  std::sort(labels.begin(), labels.end());
  return absl::StrJoin(labels, ",");
}

std::string RenderTable(const std::vector<v1::Computer>& computers, bool wide,
                        absl::Time now) {
  Table table(Columns(wide));
  for (const v1::Computer& computer : computers) {
    std::vector<std::string> row = {
        computer.name(), StateName(computer),
        ShortDuration(now - FromProto(computer.since())),
        absl::StrCat(computer.sessions()),
        absl::StrJoin(computer.configurations(), ",")};
    if (wide) {
      row.push_back(computer.os());
      row.push_back(computer.agent_version());
      row.push_back(Labels(computer));
      row.push_back(computer.frozen());
    }
    table.AddRow(std::move(row));
  }
  return table.Render();
}

}  // namespace

std::string RenderComputers(const std::vector<v1::Computer>& computers,
                            Format format, absl::Time now) {
  switch (format) {
    case Format::kJson:
    case Format::kJsonl:
      return ToJson(computers, format);
    case Format::kName: {
      std::string out;
      for (const v1::Computer& computer : computers) {
        absl::StrAppend(&out, EscapeForTerminal(computer.name()), "\n");
      }
      return out;
    }
    case Format::kTable:
    case Format::kWide:
      break;
  }
  if (computers.empty()) return "";
  return RenderTable(computers, format == Format::kWide, now);
}

}  // namespace berth::cli

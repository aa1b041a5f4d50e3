#include "cli/render/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/escape.h"

namespace berth::cli {
namespace {

// Characters of valid UTF-8, which is what escaped text is.
size_t Width(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
}

void AppendRow(const std::vector<Table::Column>& columns,
               const std::vector<size_t>& widths,
               const std::vector<std::string>& cells, std::string& out) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += ' ';
    const std::string padding(widths[i] - Width(cells[i]), ' ');
    absl::StrAppend(&line, columns[i].right ? padding : "", cells[i],
                    columns[i].right ? "" : padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  absl::StrAppend(&out, line, "\n");
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = EscapeForTerminal(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Render() {
  const bool first = widths_.empty();
  std::vector<std::string> headings;
  std::vector<std::string> dashes;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (first) widths_.push_back(std::max(column.width, column.heading.size()));
    for (const auto& row : rows_) {
      widths_[i] = std::max(widths_[i], Width(row[i]));
    }
    headings.push_back(column.heading);
    dashes.push_back(std::string(column.heading.size(), '-'));
  }
  std::string out;
  if (first) {
    AppendRow(columns_, widths_, headings, out);
    AppendRow(columns_, widths_, dashes, out);
  }
  for (const auto& row : rows_) AppendRow(columns_, widths_, row, out);
  rows_.clear();
  return out;
}

}  // namespace berth::cli

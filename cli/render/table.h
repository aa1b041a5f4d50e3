#ifndef BERTH_CLI_RENDER_TABLE_H_
#define BERTH_CLI_RENDER_TABLE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace berth::cli {

// A table for people: headings, a line of dashes under each, and rows. Columns
// have their usual width, so that tables printed one after another line up,
// and grow for what is longer. Cells are escaped: they may hold text from
// remote machines.
class Table {
 public:
  struct Column {
    std::string heading;
    size_t width = 0;  // At least; in characters.
    bool right = false;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // `cells` has one text for each column.
  void AddRow(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }
  std::string Render() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_TABLE_H_

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
  // The rows added since the last call, with the headings if it is the first:
  // so a long table can be printed while it is made. Columns grow from one
  // call to the next, and never shrink.
  std::string Render();

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // Since the last Render().
  std::vector<size_t> widths_;                  // Empty: nothing rendered yet.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_TABLE_H_

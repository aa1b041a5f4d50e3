#include "cli/render/table.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(TableTest, AlignsAndGrows) {
  Table table({{"Id", 3, true}, {"Name", 6}, {"Last"}});
  table.AddRow({"1", "a", "x"});
  table.AddRow({"12345", "longer name", ""});
  EXPECT_EQ(table.Render(),
            "   Id Name        Last\n"
            "   -- ----        ----\n"
            "    1 a           x\n"
            "12345 longer name\n");
}

TEST(TableTest, GoesOnBelowWhatWasPrinted) {
  Table table({{"Id", 3, true}, {"Name"}});
  table.AddRow({"1", "a"});
  EXPECT_EQ(table.Render(), " Id Name\n -- ----\n  1 a\n");
  table.AddRow({"2", "b"});
  EXPECT_EQ(table.Render(), "  2 b\n");
  table.AddRow({"1000", "c"});
  EXPECT_EQ(table.Render(), "1000 c\n");
  table.AddRow({"3", "d"});
  EXPECT_EQ(table.Render(), "   3 d\n");
  EXPECT_EQ(table.Render(), "");
}

TEST(TableTest, EscapesCells) {
  Table table({{"What"}});
  table.AddRow({"\x1b[2Jrm\n"});
  EXPECT_EQ(table.Render(), "What\n----\n\\x1b[2Jrm\\n\n");
}

TEST(TableTest, CountsCharactersNotBytes) {
  Table table({{"A", 4}, {"B"}});
  table.AddRow({"\xc3\xa4\xc3\xb6", "x"});
  EXPECT_EQ(table.Render(), "A    B\n-    -\n\xc3\xa4\xc3\xb6   x\n");
}

TEST(TableTest, ShortRowsAreFilled) {
  Table table({{"A"}, {"B"}});
  table.AddRow({"1"});
  EXPECT_EQ(table.Render(), "A B\n- -\n1\n");
}

}  // namespace
}  // namespace berth::cli

#include "cli/client/receipts.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(ReceiptsTest, KnowsHowFarEachCommandGot) {
  Receipts receipts;
  EXPECT_EQ(receipts.Find("a"), 0u);
  receipts.Note("a", 7);
  receipts.Note("b", 3);
  receipts.Note("a", 5);  // What was written stays written.
  EXPECT_EQ(receipts.Find("a"), 7u);
  EXPECT_EQ(receipts.Find("b"), 3u);
}

TEST(ReceiptsTest, ForgetsTheOldest) {
  Receipts receipts;
  for (size_t i = 0; i <= Receipts::kMost; ++i) {
    receipts.Note(absl::StrCat(i), i + 1);
  }
  EXPECT_EQ(receipts.Find("0"), 0u);
  EXPECT_EQ(receipts.Find("1"), 2u);
  EXPECT_EQ(receipts.Find(absl::StrCat(Receipts::kMost)), Receipts::kMost + 1);
}

}  // namespace
}  // namespace berth::cli

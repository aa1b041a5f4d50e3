#include "cli/copy/progress_bar.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(ProgressLineTest, TellsWhatIsKnown) {
  copy::Progress::Values values;
  values.name = "a.iso";
  values.bytes = 512 << 20;
  EXPECT_EQ(ProgressLine(values, absl::Milliseconds(100)), "a.iso  512.0MiB");
  EXPECT_EQ(ProgressLine(values, absl::Seconds(2)),
            "a.iso  512.0MiB  256.0MiB/s");
  values.has_total = true;
  values.total_bytes = 2048l << 20;
  values.total_files = 1;
  EXPECT_EQ(ProgressLine(values, absl::Seconds(2)),
            "a.iso  25%  512.0MiB/2.0GiB  256.0MiB/s  0:06");
  values.files = 7;
  values.total_files = 12;
  values.total_bytes = 20480l << 20;
  values.bytes = 1 << 20;
  EXPECT_EQ(ProgressLine(values, absl::Seconds(1)),
            "a.iso   0%  1.0MiB/20.0GiB  7/12 files  1.0MiB/s  5:41:19");
}

TEST(ProgressLineTest, NothingOfTheNameActsOnTheTerminal) {
  copy::Progress::Values values;
  values.name = "\x1b[2J";
  EXPECT_EQ(ProgressLine(values, absl::ZeroDuration()), "\\x1b[2J  0B");
  values.name = "a-very-long-name-of-some-file-\xc3\xa4.tar.gz";
  EXPECT_EQ(ProgressLine(values, absl::ZeroDuration()),
            "..of-some-file-\xc3\xa4.tar.gz  0B");
}

TEST(ProgressLineTest, FilesThatGrewAreNotOverAHundredPercent) {
  copy::Progress::Values values;
  values.has_total = true;
  values.total_bytes = 10;
  values.bytes = 30;
  EXPECT_EQ(ProgressLine(values, absl::ZeroDuration()), " 100%  30B/30B");
}

}  // namespace
}  // namespace berth::cli

#include "tests/load/soak/census.h"

#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

// The number after `label` in a file of /proc; 0 if the process is gone.
double Labelled(pid_t pid, const char* file, absl::string_view label) {
  const std::string text = ReadTextFile(absl::StrCat("/proc/", pid, "/", file));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, label)) continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    double number = 0;
    if (!words.empty() && absl::SimpleAtod(words[0], &number)) return number;
  }
  return 0;
}

}  // namespace

Usage UsageOf(const std::vector<pid_t>& processes) {
  Usage usage;
  for (const pid_t pid : processes) {
    if (!ProcessLives(pid)) continue;
    usage.files += static_cast<double>(OpenFiles(pid));
    usage.threads += Labelled(pid, "status", "Threads:");
    usage.memory += Labelled(pid, "smaps_rollup", "Pss:");
  }
  return usage;
}

double FilesIn(const std::string& directory) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator files(directory, error);
  return static_cast<double>(std::distance(std::filesystem::begin(files),
                                           std::filesystem::end(files)));
}

void Census::Add(absl::Duration at, const std::string& what, double count) {
  counts_[what].emplace_back(at, count);
}

void Census::Add(absl::Duration at, const std::string& what,
                 const Usage& usage) {
  Add(at, what + ": descriptors", usage.files);
  Add(at, what + ": memory, KiB", usage.memory);
  Add(at, what + ": threads", usage.threads);
}

std::map<std::string, Census::Growth> Census::GrowthSince(
    absl::Duration from) const {
  std::map<std::string, Growth> growths;
  for (const auto& [what, counts] : counts_) {
    Growth growth;
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
    for (const auto& [at, count] : counts) {
      if (at < from) continue;
      const double x = absl::ToDoubleHours(at);
      if (growth.counts++ == 0) growth.first = count;
      growth.last = count;
      sum_x += x;
      sum_y += count;
      sum_xx += x * x;
      sum_xy += x * count;
    }
    if (growth.counts == 0) continue;
    const auto n = static_cast<double>(growth.counts);
    const double spread = n * sum_xx - sum_x * sum_x;
    if (spread > 0) growth.per_hour = (n * sum_xy - sum_x * sum_y) / spread;
    growths[what] = growth;
  }
  return growths;
}

std::string Census::Format(const std::map<std::string, Growth>& growths) {
  std::string table = "| what | first | last | growth per hour | counts |\n";
  absl::StrAppend(&table, "|---|---|---|---|---|\n");
  for (const auto& [what, growth] : growths) {
    absl::StrAppendFormat(&table, "| %s | %.0f | %.0f | %+.1f | %d |\n", what,
                          growth.first, growth.last, growth.per_hour,
                          growth.counts);
  }
  return table;
}

}  // namespace berth::testing

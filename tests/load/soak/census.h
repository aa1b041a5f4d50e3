#ifndef BERTH_TESTS_LOAD_SOAK_CENSUS_H_
#define BERTH_TESTS_LOAD_SOAK_CENSUS_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace berth::testing {

// What some processes together have: descriptors, threads, and memory in KiB
// (their share of what is shared: PSS).
struct Usage {
  double files = 0;
  double threads = 0;
  double memory = 0;
};
Usage UsageOf(const std::vector<pid_t>& processes);

// Files and folders below `directory`.
double FilesIn(const std::string& directory);

// Census keeps counts of anything over time, and says how they grow.
class Census {
 public:
  // At `at`, there was so much of `what`.
  void Add(absl::Duration at, const std::string& what, double count);
  // Counts what `usage` has of each kind.
  void Add(absl::Duration at, const std::string& what, const Usage& usage);

  struct Growth {
    double first = 0;
    double last = 0;
    double per_hour = 0;  // Of the line that fits the counts best.
    size_t counts = 0;
  };
  // Of what was counted from `from` on, by what it is of.
  std::map<std::string, Growth> GrowthSince(absl::Duration from) const;

  // The same as a table.
  static std::string Format(const std::map<std::string, Growth>& growths);

 private:
  std::map<std::string, std::vector<std::pair<absl::Duration, double>>> counts_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_LOAD_SOAK_CENSUS_H_

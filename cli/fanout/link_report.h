#ifndef BERTH_CLI_FANOUT_LINK_REPORT_H_
#define BERTH_CLI_FANOUT_LINK_REPORT_H_

#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth::cli {

// Says what became of connections that were lost, all together: at first that
// they were, then how long it will be tried, at last that they are back. Knows
// no clock. Not thread-safe.
class LinkReport {
 public:
  // Losses that come together are told together.
  static constexpr absl::Duration kGather = absl::Milliseconds(300);
  static constexpr absl::Duration kRemind = absl::Seconds(30);

  explicit LinkReport(absl::Duration patience) : patience_(patience) {}

  void Lost(const std::string& label, absl::string_view why, absl::Time now);
  // Back, or given up.
  void Back(const std::string& label, absl::Time now);

  // When to ask Next() again.
  absl::Time due() const { return due_; }
  // What to say now.
  std::optional<std::string> Next(absl::Time now);

 private:
  const absl::Duration patience_;
  std::set<std::string> lost_;
  std::string why_;
  bool told_ = false;
  absl::Time since_ = absl::InfiniteFuture();
  absl::Time due_ = absl::InfiniteFuture();
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_LINK_REPORT_H_

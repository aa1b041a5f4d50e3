#ifndef BERTH_AGENT_HOLDER_TYPED_VISITS_H_
#define BERTH_AGENT_HOLDER_TYPED_VISITS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::holder {

// How much of what each visitor typed was taken, so that what is sent again
// after a link broke, or the agent was restarted, is not typed twice.
// Thread-compatible.
class TypedVisits {
 public:
  // Visits that are remembered; the longest unused is forgotten first.
  static constexpr size_t kMax = 64;
  // After so much is reported at once.
  static constexpr uint64_t kReportBytes = 4 << 10;
  static constexpr int kReportFrames = 16;

  // What of `data`, at `offset` in what was typed in `visit`, is new. All of it
  // for no visit, and where bytes before it are missing: they never will come.
  absl::string_view Take(uint64_t connection, absl::string_view visit,
                         uint64_t offset, absl::string_view data);

  // What to tell `connection`: all bytes before `offset` were taken.
  struct Report {
    uint64_t connection = 0;
    std::string visit;
    uint64_t offset = 0;
  };
  bool HasMuchToReport() const { return much_; }
  std::vector<Report> TakeReports();

  // A connection is no more.
  void Closed(uint64_t connection);

 private:
  struct Visit {
    Report report;
    bool reported = false;
    uint64_t reported_offset = 0;
    int frames = 0;  // Since the last report.
  };

  std::list<Visit> visits_;  // The latest first.
  bool much_ = false;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_TYPED_VISITS_H_

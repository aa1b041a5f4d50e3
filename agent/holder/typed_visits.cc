#include "agent/holder/typed_visits.h"

#include <algorithm>

namespace berth::holder {

absl::string_view TypedVisits::Take(uint64_t connection,
                                    absl::string_view visit, uint64_t offset,
                                    absl::string_view data) {
  if (visit.empty()) return data;
  auto its = std::find_if(visits_.begin(), visits_.end(), [&](const Visit& v) {
    return v.report.visit == visit;
  });
  if (its == visits_.end()) {
    if (visits_.size() >= kMax) visits_.pop_back();
    visits_.emplace_front();
    its = visits_.begin();
    its->report.visit = std::string(visit);
    its->report.offset = its->reported_offset = offset;
  } else if (its != visits_.begin()) {
    visits_.splice(visits_.begin(), visits_, its);
  }
  const uint64_t end = offset + data.size();
  const uint64_t known =
      offset < its->report.offset ? its->report.offset - offset : 0;
  its->report.connection = connection;
  its->report.offset = std::max(its->report.offset, end);
  its->reported = false;
  ++its->frames;
  much_ = much_ || its->frames >= kReportFrames ||
          its->report.offset - its->reported_offset >= kReportBytes;
  data.remove_prefix(std::min<uint64_t>(known, data.size()));
  return data;
}

std::vector<TypedVisits::Report> TypedVisits::TakeReports() {
  std::vector<Report> reports;
  for (Visit& visit : visits_) {
    if (visit.reported) continue;
    visit.reported = true;
    visit.reported_offset = visit.report.offset;
    visit.frames = 0;
    if (visit.report.connection != 0) reports.push_back(visit.report);
  }
  much_ = false;
  return reports;
}

void TypedVisits::Closed(uint64_t connection) {
  for (Visit& visit : visits_) {
    if (visit.report.connection == connection) visit.report.connection = 0;
  }
}

}  // namespace berth::holder

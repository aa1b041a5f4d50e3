#ifndef BERTH_BROKER_AUDIT_SEARCH_H_
#define BERTH_BROKER_AUDIT_SEARCH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/audit/event.h"
#include "broker/audit/segments.h"

namespace berth::broker {

// Which lines are wanted. Of a list any may fit, an empty one fits all; "x*"
// fits what begins with x.
struct AuditFilter {
  std::vector<std::string> users;
  std::vector<std::string> computers;
  std::vector<std::string> sessions;  // Instance id, number or name.
  std::vector<std::string> verbs;
  std::vector<std::string> outcomes;
  absl::Time since = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
  std::string text;  // In lower case.

  bool Matches(const AuditLine& line, absl::string_view text_of_line) const;
};

// Reads an audit log from some line on, across segments, also while it is
// written. What is no line is passed over: verifying names it. For one thread.
class AuditCursor {
 public:
  // Begins with the line after `seq`, or the first that there is.
  AuditCursor(std::string directory, uint64_t seq)
      : directory_(std::move(directory)), next_(seq + 1) {}

  // The next line up to the one with the number `last`; false: there is none
  // (yet). `text` is valid until the next call.
  bool Next(uint64_t last, AuditLine* line, absl::string_view* text);

 private:
  // Opens the segment that has the next line, unless it is open.
  bool OpenNext();

  const std::string directory_;
  uint64_t next_;
  uint64_t segment_ = 0;  // The first line of the one that is open.
  std::unique_ptr<AuditLineReader> reader_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_SEARCH_H_

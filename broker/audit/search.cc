#include "broker/audit/search.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace berth::broker {
namespace {

bool Fits(const std::string& pattern, absl::string_view value) {
  absl::string_view prefix = pattern;
  if (absl::ConsumeSuffix(&prefix, "*")) {
    return absl::StartsWith(value, prefix);
  }
  return pattern == value;
}

bool FitsAny(const std::vector<std::string>& patterns,
             std::initializer_list<absl::string_view> values) {
  if (patterns.empty()) return true;
  for (const std::string& pattern : patterns) {
    for (const absl::string_view value : values) {
      if (!value.empty() && Fits(pattern, value)) return true;
    }
  }
  return false;
}

}  // namespace

bool AuditFilter::Matches(const AuditLine& line,
                          absl::string_view text_of_line) const {
  const AuditEvent& event = line.event;
  return event.time >= since && event.time < until &&
         FitsAny(users, {event.user}) && FitsAny(computers, {event.computer}) &&
         FitsAny(sessions,
                 {event.session, event.session_id, event.session_name}) &&
         FitsAny(verbs, {event.verb}) && FitsAny(outcomes, {event.outcome}) &&
         (text.empty() ||
          absl::StrContains(absl::AsciiStrToLower(text_of_line), text));
}

bool AuditCursor::OpenNext() {
  auto segments = ListAuditSegments(directory_);
  if (!segments.ok() || segments->empty()) return false;
  const AuditSegment* found = &segments->front();
  for (const AuditSegment& segment : *segments) {
    // With lines missing, the one after them.
    if (segment.first_seq <= next_ ||
        (reader_ != nullptr && found->first_seq <= segment_)) {
      found = &segment;
    }
  }
  if (reader_ != nullptr && found->first_seq <= segment_) return false;
  segment_ = found->first_seq;
  reader_ = std::make_unique<AuditLineReader>(found->path);
  return true;
}

bool AuditCursor::Next(uint64_t last, AuditLine* line,
                       absl::string_view* text) {
  if (next_ > last) return false;
  if (reader_ == nullptr && !OpenNext()) return false;
  while (true) {
    while (reader_->Next(text)) {
      auto parsed = ParseLine(*text);
      if (!parsed.ok() || parsed->seq < next_) continue;
      next_ = parsed->seq + 1;
      *line = *std::move(parsed);
      return true;
    }
    if (!OpenNext()) return false;
  }
}

}  // namespace berth::broker

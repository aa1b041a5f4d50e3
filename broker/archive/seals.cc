#include "broker/archive/seals.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "broker/audit/segments.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kIndex = "segment=";
constexpr absl::string_view kHash = "sha256=";

// The opposite of SetSeal(), as far as it is needed. False: it says nothing.
bool ParseSeal(const AuditEvent& event, Seal& seal) {
  bool has_index = false;
  for (absl::string_view word : absl::StrSplit(event.detail, ' ')) {
    if (absl::ConsumePrefix(&word, kIndex)) {
      has_index = absl::SimpleAtoi(word, &seal.index);
    } else if (absl::ConsumePrefix(&word, kHash)) {
      seal.sha256 = std::string(word);
    }
  }
  return has_index && !seal.sha256.empty();
}

void Take(const AuditEvent& event, Seals& seals) {
  if (event.verb == kRecordingRetiredVerb) seals.retired = true;
  Seal seal;
  if (event.verb != kSealVerb || event.outcome != "allowed" ||
      !ParseSeal(event, seal)) {
    return;
  }
  // What came first was stored; what was sent again changed nothing.
  seals.segments.emplace(seal.index, seal.sha256);
}

}  // namespace

void SetSeal(const v1::RecordingInfo& info, const Seal& seal,
             AuditEvent& event) {
  event.session = info.instance_id();
  event.session_id = absl::StrCat(info.id());
  event.session_name = info.name();
  event.owner = info.owner();
  event.computer = info.computer();
  event.detail =
      absl::StrCat(kIndex, seal.index, " ", kHash, seal.sha256,
                   " bytes=", seal.bytes, seal.last ? " last=true" : "");
}

std::string Seals::Compare(
    const std::map<uint64_t, Chain::Segment>& stored) const {
  for (const auto& [index, sha256] : segments) {
    const auto there = stored.find(index);
    if (there == stored.end()) {
      return absl::StrCat("the audit log knows segment ", index,
                          " with the hash ", sha256,
                          ", the archive does not have it: it was removed");
    }
    if (there->second.original != sha256) {
      return absl::StrCat(
          "the audit log knows segment ", index, " with the hash ", sha256,
          ", the archive has another with the hash ", there->second.original);
    }
  }
  return "";
}

absl::StatusOr<Seals> FindSeals(const std::string& directory,
                                const std::string& instance_id) {
  Seals seals;
  const auto segments = ListAuditSegments(directory);
  if (absl::IsNotFound(segments.status())) return seals;
  BERTH_RETURN_IF_ERROR(segments.status());
  for (const AuditSegment& segment : *segments) {
    AuditLineReader reader(segment.path);
    absl::string_view text;
    while (reader.Next(&text)) {
      // Nearly all lines are of something else, and parsing takes longest.
      if (!absl::StrContains(text, instance_id) ||
          !absl::StrContains(text, "\"recording.")) {
        continue;
      }
      const auto line = ParseLine(text);
      if (line.ok() && line->event.session == instance_id) {
        Take(line->event, seals);
      }
    }
    // One that was retired meanwhile says nothing any more.
    if (!reader.status().ok() && !absl::IsNotFound(reader.status())) {
      return reader.status();
    }
  }
  return seals;
}

}  // namespace berth::broker

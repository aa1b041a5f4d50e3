#include "base/recording/segment.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/uuid.h"

namespace berth {
namespace {

constexpr size_t kHashDigits = 2 * SHA256_DIGEST_LENGTH;

absl::Status NoSegment(absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("this is no segment of a recording: ", why));
}

bool IsHash(absl::string_view text) {
  return text.size() == kHashDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// The hash of entries, as a segment that has nothing else.
std::string HashOf(const v1::RecordingSegment& entries) {
  return RecordingHash(entries.SerializeAsString());
}

}  // namespace

std::string RecordingHash(absl::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

std::string NoRecordingHash() { return std::string(kHashDigits, '0'); }

absl::StatusOr<v1::RecordingSegment> ParseRecordingSegment(
    absl::string_view bytes) {
  if (bytes.size() > kMaxRecordingSegmentBytes) {
    return NoSegment(absl::StrCat("it has ", bytes.size(), " bytes, at most ",
                                  kMaxRecordingSegmentBytes));
  }
  v1::RecordingSegment segment;
  if (!segment.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return NoSegment("it can't be parsed");
  }
  if (!IsUuid(segment.instance_id())) return NoSegment("it has no UUID");
  if (segment.info().instance_id() != segment.instance_id()) {
    return NoSegment("it says two different sessions");
  }
  if (!IsHash(segment.previous_sha256())) {
    return NoSegment("the hash before it is none");
  }
  if (segment.index() == 0 && segment.previous_sha256() != NoRecordingHash()) {
    return NoSegment("it is the first, and says what was before it");
  }
  for (const v1::RecordingEntry& entry : segment.entries()) {
    if (entry.entry_case() == v1::RecordingEntry::ENTRY_NOT_SET) {
      return NoSegment("it has an entry that says nothing");
    }
  }
  return segment;
}

std::string RecordingSegmentName(uint64_t index) {
  return absl::StrCat(absl::Hex(index, absl::kZeroPad16), ".seg");
}

uint64_t RedactSegment(int64_t from_ns, int64_t until_ns,
                       const v1::RecordedRedaction& redaction,
                       v1::RecordingSegment& segment) {
  uint64_t taken = 0;
  v1::RecordingSegment out;  // Becomes the entries.
  v1::RecordingSegment row;  // Of those that are being taken out.
  const auto end_row = [&] {
    if (row.entries().empty()) return;
    v1::RecordingEntry& entry = *out.add_entries();
    entry.set_time_ns(row.entries(0).time_ns());
    *entry.mutable_redacted() = redaction;
    entry.mutable_redacted()->set_entries(row.entries_size());
    entry.mutable_redacted()->set_sha256(HashOf(row));
    taken += row.entries_size();
    row.Clear();
  };
  for (v1::RecordingEntry& entry : *segment.mutable_entries()) {
    const bool inside = entry.time_ns() >= from_ns &&
                        entry.time_ns() < until_ns &&
                        !entry.has_session_ended() && !entry.has_redacted();
    if (!inside) end_row();
    *(inside ? row : out).add_entries() = std::move(entry);
  }
  end_row();
  segment.mutable_entries()->Swap(out.mutable_entries());
  return taken;
}

}  // namespace berth

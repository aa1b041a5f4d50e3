#include "broker/archive/chain.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/recording/segment.h"
#include "base/status_macros.h"
#include "broker/audit/json.h"

namespace berth::broker {
namespace {

// Where the signature begins; what is before it is signed.
constexpr absl::string_view kSignature = ",\"sig\":\"";

std::string Unsigned(const ChainLine& line) {
  std::string text = absl::StrCat(
      "{\"n\":", line.index, ",\"sha256\":", QuoteJson(line.sha256),
      ",\"bytes\":", line.bytes, ",\"from\":", line.from_ns,
      ",\"until\":", line.until_ns, ",\"last\":", line.last ? "true" : "false");
  if (!line.redacted.empty()) {
    absl::StrAppend(&text, ",\"redacted\":", QuoteJson(line.redacted),
                    ",\"by\":", QuoteJson(line.by));
  }
  absl::StrAppend(&text, ",\"prev\":", QuoteJson(line.prev),
                  ",\"key\":", QuoteJson(line.key));
  return text;
}

absl::StatusOr<ChainLine> Parse(absl::string_view text) {
  BERTH_ASSIGN_OR_RETURN(const auto members, ParseFlatJson(text));
  ChainLine line;
  bool good = true;
  for (const auto& [name, value] : members) {
    if (name == "n") good = good && absl::SimpleAtoi(value, &line.index);
    if (name == "bytes") good = good && absl::SimpleAtoi(value, &line.bytes);
    if (name == "from") good = good && absl::SimpleAtoi(value, &line.from_ns);
    if (name == "until") good = good && absl::SimpleAtoi(value, &line.until_ns);
    if (name == "last") line.last = value == "true";
    if (name == "sha256") line.sha256 = value;
    if (name == "redacted") line.redacted = value;
    if (name == "by") line.by = value;
    if (name == "prev") line.prev = value;
    if (name == "key") line.key = value;
    if (name == "sig") line.signature = value;
  }
  if (!good || line.sha256.empty()) {
    return absl::InvalidArgumentError("this is no line of a chain");
  }
  return line;
}

absl::Status Changed(size_t number, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("chain:", number, ": ", what));
}

}  // namespace

absl::Status Chain::Load(absl::string_view text) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos) break;  // Was never written whole.
    ++number;
    const absl::string_view line_text = text.substr(0, end);
    const absl::StatusOr<ChainLine> line = Parse(line_text);
    if (!line.ok()) return Changed(number, line.status().message());
    if (line->prev != (head_.empty() ? NoRecordingHash() : head_)) {
      return Changed(number, "does not follow the line before it");
    }
    const auto segment = segments_.find(line->index);
    if (line->redacted.empty() ? line->index < next_index() || ended_
                               : segment == segments_.end() ||
                                     segment->second.sha256 != line->redacted) {
      return Changed(number, "is about a segment that can't come here");
    }
    Take(*line, line_text);
    text.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

std::string Chain::Add(ChainLine line, const AuditKey& key) {
  line.prev = head_.empty() ? NoRecordingHash() : head_;
  line.key = key.id();
  const std::string text = Unsigned(line);
  const std::string whole =
      absl::StrCat(text, kSignature, key.Sign(Signed(text)), "\"}");
  Take(line, whole);
  return whole + "\n";
}

void Chain::Take(const ChainLine& line, absl::string_view text) {
  Segment& segment = segments_[line.index];
  segment.sha256 = line.sha256;
  segment.bytes = line.bytes;
  if (line.redacted.empty()) {
    segment.original = line.sha256;
    segment.from_ns = line.from_ns;
    segment.until_ns = line.until_ns;
    ended_ = ended_ || line.last;
  } else {
    segment.redacted = true;
  }
  head_ = RecordingHash(text);
  text_bytes_ += text.size() + 1;
}

// Not what the key signs elsewhere, nor of another recording.
std::string Chain::Signed(absl::string_view unsigned_line) const {
  return absl::StrCat("berth recording ", instance_id_, "\n", unsigned_line);
}

absl::Status Chain::Verify(absl::string_view text,
                           const AuditPublicKeys& keys) const {
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const absl::StatusOr<ChainLine> parsed = Parse(line);
    if (!parsed.ok()) return Changed(number, parsed.status().message());
    const size_t at = line.rfind(kSignature);
    if (!keys.Has(parsed->key)) {
      return Changed(number, "is signed with a key that is not the broker's");
    }
    if (at == absl::string_view::npos ||
        !keys.Verify(parsed->key, Signed(line.substr(0, at)),
                     parsed->signature)) {
      return Changed(number, "its signature is not good");
    }
  }
  return absl::OkStatus();
}

uint64_t Chain::redacted() const {
  uint64_t count = 0;
  for (const auto& [index, segment] : segments_) count += segment.redacted;
  return count;
}

uint64_t Chain::bytes() const {
  uint64_t bytes = 0;
  for (const auto& [index, segment] : segments_) bytes += segment.bytes;
  return bytes;
}

}  // namespace berth::broker

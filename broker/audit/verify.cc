#include "broker/audit/verify.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "broker/audit/event.h"
#include "broker/audit/segments.h"

namespace berth::broker {
namespace {

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Walks along the chain.
class Verifier {
 public:
  Verifier(const AuditPublicKeys& keys, std::vector<AuditHead> heads)
      : keys_(keys), heads_(std::move(heads)) {}

  // False: something was found, so there is no more to read.
  bool Segment(const AuditSegment& segment);
  void Finish();

  absl::Status status;
  AuditReport report;

 private:
  bool Line(absl::string_view text);
  bool CheckOrder(uint64_t seq);
  bool CheckHash(const AuditLine& line);
  bool CheckSignature(const AuditLine& line, absl::string_view text);
  bool Find(std::string what) {
    report.finding = std::move(what);
    return false;
  }
  // "00000000000000000001.jsonl:12 (line 12)".
  std::string Here(uint64_t seq) const {
    return absl::StrCat(file_, ":", line_number_, " (line ", seq, ")");
  }
  // Whether `seq` comes later in the file.
  bool ComesLater(uint64_t seq) const;

  const AuditPublicKeys& keys_;
  const std::vector<AuditHead> heads_;
  std::string path_;
  std::string file_;
  uint64_t line_number_ = 0;  // In the file.
  size_t torn_bytes_ = 0;     // After the last line of the file.
  std::string last_hash_ = NoHash();
  uint64_t unsigned_lines_ = 0;
  std::string first_prev_;
  // What the log says of lines that it has no more: "through 7 <hash>".
  std::vector<std::string> retired_;
  std::vector<bool> seen_ = std::vector<bool>(heads_.size());
};

bool Verifier::Segment(const AuditSegment& segment) {
  if (torn_bytes_ > 0) {
    return Find(absl::StrCat(file_, " ends with ", torn_bytes_,
                             " bytes that are no line, before ",
                             BaseName(segment.path)));
  }
  path_ = segment.path;
  file_ = BaseName(path_);
  line_number_ = 0;
  const uint64_t expected = report.last_seq + 1;
  if (report.lines == 0) {
    report.first_seq = segment.first_seq;
  } else if (segment.first_seq > expected) {
    return Find(absl::StrCat("a segment is missing before ", file_, ": lines ",
                             expected, " to ", segment.first_seq - 1));
  } else if (segment.first_seq < expected) {
    return Find(absl::StrCat(file_, " does not belong here: line ", expected,
                             " comes next"));
  }
  AuditLineReader reader(path_);
  absl::string_view text;
  while (reader.Next(&text)) {
    ++line_number_;
    if (!Line(text)) return false;
  }
  status = reader.status();
  if (absl::IsDataLoss(status)) {
    status = absl::OkStatus();
    return Find(absl::StrCat(file_, ":", line_number_ + 1,
                             " is too long for a line of this log"));
  }
  if (!status.ok()) return false;
  torn_bytes_ = reader.torn_bytes();
  return true;
}

bool Verifier::Line(absl::string_view text) {
  auto line = ParseLine(text);
  const uint64_t expected =
      report.lines == 0 ? report.first_seq : report.last_seq + 1;
  if (!line.ok()) {
    return Find(absl::StrCat(Here(expected),
                             " was changed: it is no line of "
                             "an audit log any more"));
  }
  if (line->seq != expected) return CheckOrder(line->seq);
  if (!CheckHash(*line)) return false;
  ++report.lines;
  report.last_seq = line->seq;
  last_hash_ = HexSha256(text);
  for (size_t i = 0; i < heads_.size(); ++i) {
    if (heads_[i].seq != line->seq) continue;
    seen_[i] = true;
    if (heads_[i].hash != last_hash_) {
      return Find(absl::StrCat(Here(line->seq),
                               " was changed: the broker wrote another one"));
    }
  }
  ++unsigned_lines_;
  if (line->event.verb == kRetiredVerb) retired_.push_back(line->event.detail);
  if (line->event.verb == kCheckpointVerb) return CheckSignature(*line, text);
  if (unsigned_lines_ >= AuditLogFile::kCheckpointLines) {
    return Find(absl::StrCat(
        "no checkpoint among lines ", report.signed_through + 1, " to ",
        line->seq, ", where one is written every ",
        AuditLogFile::kCheckpointLines,
        " lines: checkpoints were removed and the chain was made anew"));
  }
  return true;
}

bool Verifier::CheckOrder(uint64_t seq) {
  const uint64_t expected =
      report.lines == 0 ? report.first_seq : report.last_seq + 1;
  const std::string here = absl::StrCat(file_, ":", line_number_);
  if (seq > expected && ComesLater(expected)) {
    return Find(absl::StrCat("lines were put in another order: ", here,
                             " has line ", seq, " where line ", expected,
                             " should be"));
  }
  if (seq > expected) {
    return Find(absl::StrCat("lines ", expected, " to ", seq - 1,
                             " were removed: ", here, " has line ", seq));
  }
  return Find(absl::StrCat(here, " was put in: it says that it is line ", seq,
                           " where line ", expected, " should be"));
}

bool Verifier::ComesLater(uint64_t seq) const {
  AuditLineReader reader(path_);
  absl::string_view text;
  while (reader.Next(&text)) {
    auto line = ParseLine(text);
    if (line.ok() && line->seq == seq) return true;
  }
  return false;
}

bool Verifier::CheckHash(const AuditLine& line) {
  if (report.lines == 0) {
    first_prev_ = line.prev;
    if (line.seq > 1 || line.prev == NoHash()) return true;
    return Find(absl::StrCat(Here(line.seq),
                             " is the first one, but says that another was "
                             "before it: the log's beginning was removed"));
  }
  if (line.prev == last_hash_) return true;
  return Find(absl::StrCat("line ", report.last_seq, " was changed, before ",
                           Here(line.seq), ": its hash is not what line ",
                           line.seq, " says"));
}

bool Verifier::CheckSignature(const AuditLine& line, absl::string_view text) {
  const size_t end = text.rfind(kSignatureMember);
  if (!keys_.Has(line.key)) {
    return Find(absl::StrCat(
        Here(line.seq), " is signed with another key (", line.key.substr(0, 16),
        "); what is after line ", report.signed_through,
        " is not of this log's broker, or its key was replaced: then give the "
        "new public key as well"));
  }
  if (end == absl::string_view::npos ||
      !keys_.Verify(line.key, text.substr(0, end), line.signature)) {
    return Find(absl::StrCat(
        Here(line.seq), " has a bad signature: lines after ",
        report.signed_through,
        " were changed and the chain was made anew without the key"));
  }
  report.signed_through = line.seq;
  report.signed_at = line.event.time;
  unsigned_lines_ = 0;
  return true;
}

void Verifier::Finish() {
  if (report.lines > 0 && report.first_seq > 1) {
    const std::string wanted =
        absl::StrCat("through ", report.first_seq - 1, " ", first_prev_);
    bool told = false;
    for (const std::string& retired : retired_) told |= retired == wanted;
    if (!told) {
      Find(absl::StrCat("lines 1 to ", report.first_seq - 1,
                        " are missing, and the log does not say that they were "
                        "retired"));
      return;
    }
    report.notes.push_back(absl::StrCat("lines 1 to ", report.first_seq - 1,
                                        " were retired by the broker"));
  }
  for (size_t i = 0; i < heads_.size(); ++i) {
    if (seen_[i] || heads_[i].seq == 0) continue;
    Find(absl::StrCat("the log's end was removed: it ends at line ",
                      report.last_seq, ", and line ", heads_[i].seq,
                      " was written"));
    return;
  }
  if (torn_bytes_ > 0) {
    report.notes.push_back(absl::StrCat(
        file_, " ends with ", torn_bytes_,
        " bytes of an unfinished line: it is being written, or its broker "
        "died; the next start drops them and says so"));
  }
  if (unsigned_lines_ == 0) return;
  report.notes.push_back(absl::StrCat(
      "the last ", unsigned_lines_,
      " lines have no checkpoint after them yet: whether some of them were "
      "changed or removed by somebody who made the chain anew can't be known"));
}

}  // namespace

absl::StatusOr<AuditReport> VerifyAuditLog(const std::string& directory,
                                           const AuditPublicKeys& keys,
                                           std::vector<AuditHead> heads) {
  // Before the segments, which may grow meanwhile.
  auto kept = ReadFile(absl::StrCat(directory, "/", kAuditHeadFile));
  if (kept.ok() && !kept->empty()) {
    const absl::string_view text =
        absl::string_view(*kept).substr(0, kept->size() - 1);
    auto line = ParseLine(text);
    // Only what the key has signed says anything.
    const size_t end = text.rfind(kSignatureMember);
    if (line.ok() && end != absl::string_view::npos &&
        keys.Verify(line->key, text.substr(0, end), line->signature)) {
      heads.push_back({line->seq, HexSha256(text)});
    }
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<AuditSegment> segments,
                         ListAuditSegments(directory));
  if (segments.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no audit log in '", directory, "'"));
  }
  Verifier verifier(keys, std::move(heads));
  for (const AuditSegment& segment : segments) {
    if (!verifier.Segment(segment)) break;
  }
  BERTH_RETURN_IF_ERROR(verifier.status);
  if (verifier.report.intact()) verifier.Finish();
  return std::move(verifier.report);
}

}  // namespace berth::broker

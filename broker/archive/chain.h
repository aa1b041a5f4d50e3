#ifndef BERTH_BROKER_ARCHIVE_CHAIN_H_
#define BERTH_BROKER_ARCHIVE_CHAIN_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/audit/signing.h"

namespace berth::broker {

// One line of a recording's chain, which its archive appends to: that a segment
// came, or that something was taken out of one.
struct ChainLine {
  uint64_t index = 0;   // Of the segment.
  std::string sha256;   // Of its file, from now on.
  uint64_t bytes = 0;   // The same.
  int64_t from_ns = 0;  // The times of its first and last entry.
  int64_t until_ns = 0;
  bool last = false;  // The recording ends with it.
  // Set if something was taken out: what the file's hash was before, by whom.
  std::string redacted;
  std::string by;
  // Filled in by Chain: the SHA-256 of the line before, and the signature.
  std::string prev;
  std::string key;
  std::string signature;
};

// What the lines of a recording's chain say together. Each line is JSON, has
// the hash of the one before, and is signed. Thread-compatible.
class Chain {
 public:
  struct Segment {
    std::string sha256;    // Of the file as it should be.
    std::string original;  // As the agent sealed it: what the next one names.
    uint64_t bytes = 0;
    int64_t from_ns = 0;
    int64_t until_ns = 0;
    bool redacted = false;
  };

  // `instance_id` is part of what is signed.
  explicit Chain(std::string instance_id)
      : instance_id_(std::move(instance_id)) {}

  // Takes the text of a chain's file up to its last whole line. DATA_LOSS, with
  // the number of the line: it is none, or does not follow.
  absl::Status Load(absl::string_view text);

  // The line for something new, signed, with its newline; and takes it in.
  std::string Add(ChainLine line, const AuditKey& key);

  // Checks the signatures of all lines of `text`. DATA_LOSS names the line.
  absl::Status Verify(absl::string_view text,
                      const AuditPublicKeys& keys) const;

  const std::map<uint64_t, Segment>& segments() const { return segments_; }
  // After the last segment; 0 if there is none.
  uint64_t next_index() const {
    return segments_.empty() ? 0 : segments_.rbegin()->first + 1;
  }
  uint64_t missing() const { return next_index() - segments_.size(); }
  uint64_t redacted() const;
  uint64_t bytes() const;
  bool ended() const { return ended_; }
  // Bytes of the lines that were taken in.
  uint64_t text_bytes() const { return text_bytes_; }

 private:
  void Take(const ChainLine& line, absl::string_view text);
  std::string Signed(absl::string_view unsigned_line) const;

  const std::string instance_id_;
  std::map<uint64_t, Segment> segments_;
  std::string head_;  // Hash of the last line.
  bool ended_ = false;
  uint64_t text_bytes_ = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ARCHIVE_CHAIN_H_

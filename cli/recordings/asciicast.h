#ifndef BERTH_CLI_RECORDINGS_ASCIICAST_H_
#define BERTH_CLI_RECORDINGS_ASCIICAST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/recordings/rendering.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::cli {

// Turns a recording into an asciicast, version 2: a header, and a line for each
// event. Thread-compatible.
class Asciicast {
 public:
  // `recording` is described in the header.
  explicit Asciicast(v1::Recording recording)
      : recording_(std::move(recording)) {}

  // The next lines; may be empty.
  std::string Add(const v1::RecordingEntry& entry);
  // The last ones.
  std::string End();

 private:
  std::string Header() const;
  std::string Event(absl::string_view type, absl::string_view data) const;

  const v1::Recording recording_;
  RecordingRendering rendering_;
  bool begun_ = false;
  uint32_t rows_ = 24;
  uint32_t columns_ = 80;
  int64_t first_ns_ = 0;
  int64_t now_ns_ = 0;   // Never goes back.
  std::string pending_;  // A character of which more is to come.
};

// `text` as a JSON string; bytes that are no UTF-8 become U+FFFD.
std::string AsciicastString(absl::string_view text);

// How many bytes at the end of `text` begin a character that has not ended.
size_t UnfinishedBytes(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_ASCIICAST_H_

#ifndef BERTH_CLI_RECORDINGS_RENDERING_H_
#define BERTH_CLI_RECORDINGS_RENDERING_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::cli {

// Turns entries of a recording into what a terminal is to print: what the
// session's terminal printed, as it is; what commands printed; and a line for
// each thing that happened. Thread-compatible.
class RecordingRendering {
 public:
  // Empty: nothing is to be seen of it.
  std::string Render(const v1::RecordingEntry& entry);

 private:
  // A line of our own, on a line of its own.
  std::string Line(const std::string& text);
  // With a carriage return before each newline.
  std::string Output(absl::string_view bytes);
  std::string Note(std::string bytes);

  bool line_start_ = true;
  bool after_return_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_RENDERING_H_

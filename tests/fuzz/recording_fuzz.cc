// Segments and chains of recordings from a hostile agent or a broken disk, and
// what a recorded terminal printed: none may end a process, get a segment
// through that its reader then can't take, or act on the terminal of whoever
// plays it.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/recording/segment.h"
#include "broker/archive/chain.h"
#include "cli/recordings/asciicast.h"
#include "cli/recordings/rendering.h"
#include "cli/recordings/terminal_filter.h"

namespace {

using berth::cli::TerminalFilter;

constexpr char kId[] = "00000000-0000-4000-8000-000000000001";

void CheckText(absl::string_view bytes) {
  const std::string drawn =
      TerminalFilter(TerminalFilter::Keep::kDrawing).Take(bytes);
  for (const char* acts : {"\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bZ",
                           "\x1b[c", "\x1b[6n", "\x05"}) {
    if (absl::StrContains(drawn, acts)) abort();
  }
  const std::string text =
      TerminalFilter(TerminalFilter::Keep::kText).Take(bytes);
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte == 0x7f || (byte < 0x20 && c != '\n' && c != '\t')) abort();
  }
}

void CheckSegment(berth::v1::RecordingSegment segment) {
  berth::cli::Asciicast cast{berth::v1::Recording()};
  berth::cli::RecordingRendering rendering;
  for (const auto& entry : segment.entries()) {
    const std::string lines = cast.Add(entry);
    for (const char c : lines) {
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n') abort();
    }
    CheckText(rendering.Render(entry));
  }
  cast.End();
  // Whatever is taken out, what is left is a segment.
  berth::RedactSegment(0, int64_t{1} << 60, {}, segment);
  const std::string bytes = segment.SerializeAsString();
  if (bytes.size() <= berth::kMaxRecordingSegmentBytes &&
      !berth::ParseRecordingSegment(bytes).ok()) {
    abort();
  }
  if (berth::RedactSegment(0, int64_t{1} << 60, {}, segment) != 0) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckText(bytes);
  const auto segment = berth::ParseRecordingSegment(bytes);
  if (segment.ok()) CheckSegment(*segment);
  berth::broker::Chain chain(kId);
  if (chain.Load(bytes).ok() && chain.text_bytes() > size) abort();
  return 0;
}

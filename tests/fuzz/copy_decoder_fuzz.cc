// What a peer sends while files are copied: whatever it says, nothing gets past
// the decoder that would name anything but an entry of the folder at hand.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "base/copy/decoder.h"
#include "base/copy/frame.h"
#include "base/copy/names.h"
#include "base/copy/walker.h"
#include "proto/berth/v1/files.pb.h"

namespace {

using berth::copy::Decoder;
using berth::copy::IsEntryName;
using berth::v1::CopyPart;

void Expect(bool good) {
  if (!good) abort();
}

// A part that the decoder let through.
void CheckPart(const CopyPart& part, const Decoder& decoder) {
  Expect(decoder.depth() <= berth::copy::kMaxDepth);
  if (part.has_file()) {
    Expect(IsEntryName(part.file().name()));
    Expect(part.file().content().size() <= berth::copy::kMaxContent);
  } else if (part.has_link()) {
    Expect(IsEntryName(part.link().name()));
    Expect(!part.link().target().empty());
  } else if (part.has_enter() && decoder.depth() > 1) {
    Expect(IsEntryName(part.enter().name()));
  }
}

// All parts of one frame; false: the stream is over.
bool TakeFrame(const berth::v1::CopyFrame& frame, Decoder& decoder,
               uint64_t& size) {
  std::string last;
  for (const CopyPart& part : frame.parts()) {
    if (!decoder.Take(part).ok()) return false;
    CheckPart(part, decoder);
    if (!part.has_file()) continue;
    size = part.file().size();
    // As the receiver does that has a part of it.
    if (size >= berth::copy::kMinResumable) decoder.ExpectSeek(size / 2);
  }
  if (frame.data().empty()) return true;
  if (!decoder.TakeData(frame.data().size()).ok()) return false;
  Expect(decoder.position() <= size);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view left(reinterpret_cast<const char*>(data), size);
  const auto prefix = berth::copy::DataPrefix(left, size);
  Expect(!prefix.has_value() || *prefix <= size);
  Decoder decoder(3);
  uint64_t file_size = 0;
  // Frames of up to 255 bytes, each after its length.
  while (!left.empty()) {
    const size_t length = static_cast<uint8_t>(left[0]);
    const absl::string_view bytes = left.substr(1, length);
    left.remove_prefix(1 + bytes.size());
    berth::v1::CopyFrame frame;
    if (!frame.ParseFromArray(bytes.data(), bytes.size())) return 0;
    if (!TakeFrame(frame, decoder, file_size)) return 0;
  }
  return 0;
}

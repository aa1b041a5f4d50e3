#ifndef BERTH_CLI_CLIENT_OUTPUT_PREFIX_H_
#define BERTH_CLI_CLIENT_OUTPUT_PREFIX_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace berth::cli {

// What stands before the data in a CommandEvent that carries output.
struct OutputPrefix {
  uint64_t offset = 0;
  int stream = 0;   // An OutputStream.
  size_t size = 0;  // Of the prefix; the data is all that follows.
};

// The longest prefix that ParseOutputPrefix() understands.
inline constexpr size_t kMaxOutputPrefix = 96;

// Reads the prefix of a serialized CommandEvent of `total` bytes that begins
// with `head` (all of it, or at least kMaxOutputPrefix bytes). Serializers
// write fields by number, and output is the last field of the event as data is
// the last of output: so the data can be passed on as it lies, without parsing
// a copy. Nothing if it is another event, or not laid out so: then parse it.
std::optional<OutputPrefix> ParseOutputPrefix(absl::string_view head,
                                              size_t total);

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_OUTPUT_PREFIX_H_

#ifndef BERTH_CLI_RENDER_FORMAT_H_
#define BERTH_CLI_RENDER_FORMAT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace berth::cli {

// How a list is printed (-o).
enum class Format {
  kTable,  // For people.
  kWide,   // The same, with more columns.
  kJson,   // One array.
  kJsonl,  // One object a line.
  kName,   // Names alone, for scripts.
};

// "table", "wide", "json", "jsonl", "name"; else InvalidArgument.
absl::StatusOr<Format> ParseFormat(absl::string_view text);

// A message as JSON on one line, in Protobuf's mapping: lowerCamelCase names,
// enums by name, times in RFC 3339. Fields that are not set are left out.
std::string ToJson(const google::protobuf::Message& message);

// A list of messages in kJson or kJsonl.
template <typename List>
std::string ToJson(const List& messages, Format format) {
  std::string out = format == Format::kJson ? "[" : "";
  bool first = true;
  for (const auto& message : messages) {
    if (format == Format::kJson) out += first ? "\n  " : ",\n  ";
    out += ToJson(message);
    if (format == Format::kJsonl) out += '\n';
    first = false;
  }
  if (format == Format::kJson) out += first ? "]\n" : "\n]\n";
  return out;
}

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_FORMAT_H_

#include "cli/render/format.h"

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "google/protobuf/util/json_util.h"

namespace berth::cli {

absl::StatusOr<Format> ParseFormat(absl::string_view text) {
  if (text == "table") return Format::kTable;
  if (text == "wide") return Format::kWide;
  if (text == "json") return Format::kJson;
  if (text == "jsonl") return Format::kJsonl;
  if (text == "name") return Format::kName;
  return absl::InvalidArgumentError(
      absl::StrCat("-o '", EscapeForTerminal(text),
                   "': not a format; use table, wide, json, jsonl or name"));
}

std::string ToJson(const google::protobuf::Message& message) {
  std::string json;
  // Only a malformed Timestamp could fail; what came before it is kept.
  (void)google::protobuf::util::MessageToJsonString(message, &json);
  // Protobuf leaves some of what turns the direction of text as it is.
  return EscapeJson(json);
}

}  // namespace berth::cli

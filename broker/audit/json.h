#ifndef BERTH_BROKER_AUDIT_JSON_H_
#define BERTH_BROKER_AUDIT_JSON_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::broker {

// `text` as a JSON string with its quotes. Whatever could act on a terminal
// (C0, DEL, C1, marks that turn the direction of text) is written as \uXXXX,
// also where JSON would take it raw; bytes that are no UTF-8 become U+FFFD.
std::string QuoteJson(absl::string_view text);

// One member of a flat object. A number, true or false is its text.
using JsonMember = std::pair<std::string, std::string>;

// Reads an object whose values are strings, numbers, true or false: what a
// line of the audit log is. InvalidArgument for anything else.
absl::StatusOr<std::vector<JsonMember>> ParseFlatJson(absl::string_view text);

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_JSON_H_

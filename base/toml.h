#ifndef BERTH_BASE_TOML_H_
#define BERTH_BASE_TOML_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "toml++/toml.h"

namespace berth {

// Parses a document of any origin. InvalidArgument, with `path` and the line:
// what is wrong with it.
//
// toml++ 3.3 looks for blanks with a table that reaches what its authors took
// for unreachable for most characters that are not ASCII. So those may only be
// in comments, and in strings but behind a backslash. That is no TOML anyway,
// but for a line that begins with one behind a line that ends with a backslash.
absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      absl::string_view path);

// `text`, which must be UTF-8, as a string of TOML, in quotes.
std::string TomlString(absl::string_view text);

}  // namespace berth

#endif  // BERTH_BASE_TOML_H_

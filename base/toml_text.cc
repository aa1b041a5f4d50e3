#include "base/toml_text.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace berth {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

// How long the string is that begins `text`.
size_t SkipString(absl::string_view text) {
  const char quote = text[0];
  const bool escapes = quote == '"';
  const bool multi = text.size() >= 3 && text[1] == quote && text[2] == quote;
  const size_t length = multi ? 3 : 1;
  for (size_t i = length; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (text[i] == '\n' && !multi) {
      return i;
    } else if (text[i] == quote && !multi) {
      return i + 1;
    } else if (text[i] == quote && text.substr(i, 3) == text.substr(0, 3)) {
      // Up to two of them may still belong to the text.
      size_t end = i + 3;
      while (end < std::min(i + 5, text.size()) && text[end] == quote) ++end;
      return end;
    }
  }
  return text.size();
}

}  // namespace

absl::Status CheckTomlText(absl::string_view text, absl::string_view path) {
  size_t i = absl::StartsWith(text, kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (i < text.size()) {
    if (text[i] == '"' || text[i] == '\'') {
      i += SkipString(text.substr(i));
    } else if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (static_cast<unsigned char>(text[i]) >= 0x80) {
      const auto line = 1 + std::count(text.begin(), text.begin() + i, '\n');
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", line,
                       ": what is not ASCII may only be in quotes and "
                       "comments"));
    } else {
      ++i;
    }
  }
  return absl::OkStatus();
}

}  // namespace berth

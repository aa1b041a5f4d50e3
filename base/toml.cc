#include "base/toml.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// How long the string is that begins `text`; where it is bad, if it is: behind
// a backslash the parser looks for blanks in strings, too.
size_t SkipString(absl::string_view text, bool& bad) {
  const char quote = text[0];
  const bool escapes = quote == '"';
  const bool multi = text.size() >= 3 && text[1] == quote && text[2] == quote;
  const size_t length = multi ? 3 : 1;
  for (size_t i = length; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
      const size_t next = text.find_first_not_of(" \t\r\n", i);
      bad = next != text.npos && !IsAscii(text[next]);
      if (bad) return next;
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

// Of a document that is well-formed: in others, strings may be elsewhere.
absl::Status CheckText(absl::string_view text, absl::string_view path) {
  const auto refuse = [&](size_t at, absl::string_view why) {
    const auto line = 1 + std::count(text.begin(), text.begin() + at, '\n');
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", line, ": what is not ASCII may ", why));
  };
  size_t i = absl::StartsWith(text, kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (i < text.size()) {
    if (text[i] == '"' || text[i] == '\'') {
      bool bad = false;
      i += SkipString(text.substr(i), bad);
      if (bad) return refuse(i, "not follow a backslash");
    } else if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (!IsAscii(text[i])) {
      return refuse(i, "only be in quotes and comments");
    } else {
      ++i;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<toml::table> Parse(absl::string_view text,
                                  absl::string_view path) {
  toml::parse_result parsed =
      toml::parse(std::string_view(text.data(), text.size()));
  if (parsed) return std::move(parsed).table();
  return absl::InvalidArgumentError(absl::StrCat(
      path, ":", parsed.error().source().begin.line, ": ",
      EscapeForTerminal(std::string(parsed.error().description()))));
}

// The same document with other letters.
std::string InAscii(absl::string_view text) {
  std::string ascii;
  for (const char c : text) {
    if (IsAscii(c)) {
      ascii.push_back(c);
    } else {
      absl::StrAppendFormat(&ascii, "x%02x", static_cast<unsigned char>(c));
    }
  }
  return ascii;
}

}  // namespace

absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      absl::string_view path) {
  BERTH_RETURN_IF_ERROR(CheckText(text, path));
  absl::string_view body = text;
  absl::ConsumePrefix(&body, kByteOrderMark);
  if (!std::all_of(body.begin(), body.end(), IsAscii)) {
    BERTH_RETURN_IF_ERROR(Parse(InAscii(body), path).status());
  }
  return Parse(text, path);
}

std::string TomlString(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if ((c >= 0 && c < 0x20) || c == 0x7f) {
      absl::StrAppendFormat(&quoted, "\\u%04x", c);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace berth

#include "base/names.h"

#include <stddef.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth {
namespace {

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  const bool fits = !name.empty() && name.size() <= 64 && name[0] != '-' &&
                    std::all_of(name.begin(), name.end(), IsNameByte);
  const bool number = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (fits && !number) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " '", EscapeForTerminal(name.substr(0, 80)),
      "' is not allowed: use 1 to 64 letters, digits and \"._-\", not only "
      "digits, and no \"-\" in front"));
}

bool IsWildcard(absl::string_view pattern) {
  return pattern.find_first_of("*?") != absl::string_view::npos;
}

namespace {

bool SameByte(char a, char b) { return a == b; }

bool SameLetter(char a, char b) {
  return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
         absl::ascii_tolower(static_cast<unsigned char>(b));
}

template <bool (*kSame)(char, char)>
bool Matches(absl::string_view pattern, absl::string_view name) {
  size_t p = 0, n = 0;
  // Where to go on if what follows the last "*" does not fit.
  size_t star = absl::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() &&
               (pattern[p] == '?' || kSame(pattern[p], name[n]))) {
      ++p;
      ++n;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool MatchesWildcard(absl::string_view pattern, absl::string_view name) {
  return Matches<SameLetter>(pattern, name);
}

bool MatchesWildcardExactly(absl::string_view pattern, absl::string_view name) {
  return Matches<SameByte>(pattern, name);
}

}  // namespace berth

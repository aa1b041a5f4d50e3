#include "broker/gateway/words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace berth::gateway {

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\'' && c != '\'') {
      word += c;
    } else if (c == '\\' && quote != '\'') {
      if (++i == line.size()) {
        return absl::InvalidArgumentError("a backslash with nothing behind it");
      }
      // In double quotes it stands for itself before most letters.
      if (quote == '"' && line[i] != '"' && line[i] != '\\' && line[i] != '$' &&
          line[i] != '`') {
        word += c;
      }
      word += line[i];
      in_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else if (quote == 0 && absl::ascii_isspace(c)) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", std::string(1, quote), " that is not closed"));
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace berth::gateway

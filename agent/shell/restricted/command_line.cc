#include "agent/shell/restricted/command_line.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace berth::shell {
namespace {

// Anywhere outside quotes, at the beginning of a word, and within "...".
constexpr absl::string_view kSpecial = ";|&<>()$`*?[{\n\r";
constexpr absl::string_view kSpecialAtBegin = "~#";
constexpr absl::string_view kSpecialInQuotes = "$`";

bool Contains(absl::string_view set, char c) {
  return set.find(c) != absl::string_view::npos;
}

absl::Status NotTaken(char c) {
  const std::string shown = c == '\n' || c == '\r'
                                ? "a new line"
                                : absl::StrCat("'", std::string(1, c), "'");
  return absl::InvalidArgumentError(absl::StrCat(
      shown,
      " means nothing here: a restricted session runs one program with "
      "its arguments, without a shell; put it in '...' if it is text"));
}

class Splitter {
 public:
  explicit Splitter(absl::string_view line) : line_(line) {}

  absl::StatusOr<std::vector<std::string>> Split() {
    while (position_ < line_.size()) {
      if (absl::Status status = Take(line_[position_++]); !status.ok()) {
        return status;
      }
    }
    EndWord();
    if (words_.empty()) {
      return absl::InvalidArgumentError("the command line is empty");
    }
    return std::move(words_);
  }

 private:
  absl::Status Take(char c) {
    if (c == ' ' || c == '\t') {
      EndWord();
      return absl::OkStatus();
    }
    if (Contains(kSpecial, c) || (!in_word_ && Contains(kSpecialAtBegin, c))) {
      return NotTaken(c);
    }
    in_word_ = true;
    if (c == '\'') return TakeSingleQuoted();
    if (c == '"') return TakeDoubleQuoted();
    if (c != '\\') {
      word_.push_back(c);
      return absl::OkStatus();
    }
    if (position_ == line_.size() || line_[position_] == '\n') {
      return absl::InvalidArgumentError(
          "the command line ends in a backslash; a restricted session takes "
          "one line");
    }
    word_.push_back(line_[position_++]);
    return absl::OkStatus();
  }

  absl::Status TakeSingleQuoted() {
    const size_t end = line_.find('\'', position_);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError("a ' has no other to end it");
    }
    absl::StrAppend(&word_, line_.substr(position_, end - position_));
    position_ = end + 1;
    return absl::OkStatus();
  }

  absl::Status TakeDoubleQuoted() {
    while (position_ < line_.size()) {
      char c = line_[position_++];
      if (c == '"') return absl::OkStatus();
      if (Contains(kSpecialInQuotes, c)) return NotTaken(c);
      const char next = position_ < line_.size() ? line_[position_] : '\0';
      if (c == '\\' && (next == '"' || next == '\\')) c = line_[position_++];
      word_.push_back(c);
    }
    return absl::InvalidArgumentError("a \" has no other to end it");
  }

  void EndWord() {
    if (in_word_) words_.push_back(std::exchange(word_, ""));
    in_word_ = false;
  }

  const absl::string_view line_;
  size_t position_ = 0;
  std::vector<std::string> words_;
  std::string word_;
  bool in_word_ = false;  // Maybe an empty one, as of ''.
};

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitCommandLine(
    absl::string_view line) {
  // As editors and `echo` leave it.
  return Splitter(absl::StripAsciiWhitespace(line)).Split();
}

}  // namespace berth::shell

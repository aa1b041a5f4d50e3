#include "agent/shell/restricted/allow_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// So that a message fits into a pipe, whoever wrote names and patterns.
constexpr size_t kMaxShown = 200;

std::string Shown(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, kMaxShown)), "'",
                      text.size() > kMaxShown ? "..." : "");
}

// An argument like "--checkpoint-action=exec=sh" makes a harmless program start
// any other, and ".*" is soon written: so a pattern is for options only if one
// of its alternatives begins as they do.
bool IsForOptions(absl::string_view pattern) {
  for (const absl::string_view begin : {"-", "\\-", "[-]"}) {
    if (absl::StartsWith(pattern, begin)) return true;
    for (const char before : {'(', '|', '^'}) {
      if (absl::StrContains(pattern,
                            absl::StrCat(std::string(1, before), begin))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

void AllowList::FreePattern::operator()(regex_t* pattern) const {
  regfree(pattern);
  delete pattern;
}

absl::StatusOr<AllowList::Pattern> AllowList::Compile(
    const std::string& pattern) {
  auto compiled = std::make_unique<regex_t>();
  if (int error = regcomp(compiled.get(), pattern.c_str(), REG_EXTENDED)) {
    char why[200];
    regerror(error, compiled.get(), why, sizeof(why));
    return absl::InvalidArgumentError(
        absl::StrCat("the pattern ", Shown(pattern), " is none: ", why));
  }
  return Pattern(compiled.release());
}

// Of all matches POSIX takes the leftmost, and of those the longest: if there
// is one of the whole, it is that.
bool AllowList::Matches(const Pattern& pattern, const std::string& text) {
  regmatch_t match;
  return regexec(pattern.get(), text.c_str(), 1, &match, 0) == 0 &&
         match.rm_so == 0 && static_cast<size_t>(match.rm_eo) == text.size();
}

absl::StatusOr<AllowList> AllowList::Create(
    std::vector<AllowedProgram> programs) {
  AllowList list;
  for (AllowedProgram& program : programs) {
    if (program.name.empty() || list.Find(program.name) != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the allowed program ", Shown(program.name),
          program.name.empty() ? " has no name" : " is there twice"));
    }
    if (program.path.empty() || program.path[0] != '/') {
      return absl::InvalidArgumentError(absl::StrCat(
          "the path ", Shown(program.path), " of the allowed program ",
          Shown(program.name), " is not absolute"));
    }
    Entry entry;
    for (const std::string& pattern : program.arguments) {
      BERTH_ASSIGN_OR_RETURN(Pattern compiled, Compile(pattern));
      entry.patterns.push_back(std::move(compiled));
    }
    entry.program = std::move(program);
    list.entries_.push_back(std::move(entry));
  }
  if (list.entries_.empty()) {
    return absl::InvalidArgumentError(
        "a restricted session needs at least one allowed program");
  }
  return list;
}

const AllowList::Entry* AllowList::Find(absl::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.program.name == name) return &entry;
  }
  return nullptr;
}

std::string AllowList::Names() const {
  return absl::StrJoin(
      entries_, ", ", [](std::string* out, const Entry& entry) {
        absl::StrAppend(out, EscapeForTerminal(entry.program.name));
      });
}

absl::StatusOr<std::string> AllowList::Check(
    const std::vector<std::string>& words) const {
  const Entry* entry = Find(words[0]);
  if (entry == nullptr) {
    return absl::PermissionDeniedError(
        absl::StrCat(Shown(words[0]),
                     " is not allowed in this session; allowed: ", Names()));
  }
  const std::vector<std::string>& patterns = entry->program.arguments;
  const bool repeats = entry->program.repeat_last && !patterns.empty();
  const size_t needed = patterns.size() - (repeats ? 1 : 0);
  const size_t given = words.size() - 1;
  if (given < needed || (given > needed && !repeats)) {
    return absl::PermissionDeniedError(absl::StrCat(
        Shown(words[0]), " takes ", needed, repeats ? " or more" : "",
        " arguments in this session, not ", given));
  }
  for (size_t i = 0; i < given; ++i) {
    const std::string& argument = words[i + 1];
    const size_t place = std::min(i, patterns.size() - 1);
    if (absl::StartsWith(argument, "-") && !IsForOptions(patterns[place])) {
      return absl::PermissionDeniedError(absl::StrCat(
          "argument ", i + 1, " of ", Shown(words[0]), ", ", Shown(argument),
          ", is an option, and its pattern ", Shown(patterns[place]),
          " allows none: one for options begins with '-'"));
    }
    if (argument.size() <= kMaxArgument &&
        Matches(entry->patterns[place], argument)) {
      continue;
    }
    return absl::PermissionDeniedError(absl::StrCat(
        "argument ", i + 1, " of ", Shown(words[0]), ", ", Shown(argument),
        ", is not allowed in this session; it must match ",
        Shown(patterns[place])));
  }
  return entry->program.path;
}

}  // namespace berth::shell

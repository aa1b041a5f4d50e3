#include "base/node_fold.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace berth {
namespace {

// A name cut into text and numbers; or, once folded, sets of numbers.
using Tokens = std::vector<std::string>;

// That may be in a range.
bool IsNumber(const std::string& token) {
  return absl::ascii_isdigit(token[0]) && token.size() <= kMaxNodeDigits;
}

Tokens Cut(absl::string_view name) {
  Tokens tokens;
  while (!name.empty()) {
    const bool digit = absl::ascii_isdigit(name[0]);
    size_t size = 1;
    while (size < name.size() && absl::ascii_isdigit(name[size]) == digit) {
      ++size;
    }
    tokens.emplace_back(name.substr(0, size));
    name.remove_prefix(size);
  }
  return tokens;
}

// Whether `next` is the number that a range goes on with after `last`.
bool Follows(const std::string& last, const std::string& next) {
  uint64_t a = 0, b = 0;
  (void)absl::SimpleAtoi(last, &a);
  (void)absl::SimpleAtoi(next, &b);
  if (b != a + 1) return false;
  // 9 and 10 do, and 09 and 10; but not 9 and 010.
  return last.size() == next.size() || next[0] != '0';
}

// "[01-03,7]", or "7" if there is only one.
std::string FoldNumbers(std::vector<std::string> numbers) {
  if (numbers.size() == 1) return numbers[0];
  absl::c_sort(numbers, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::vector<std::string> ranges;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && Follows(numbers[end - 1], numbers[end])) {
      ++end;
    }
    ranges.push_back(end == i + 1
                         ? numbers[i]
                         : absl::StrCat(numbers[i], "-", numbers[end - 1]));
    i = end;
  }
  return absl::StrCat("[", absl::StrJoin(ranges, ","), "]");
}

// Merges those that differ only in the number at `position`.
std::vector<Tokens> FoldAt(const std::vector<Tokens>& names, size_t position) {
  std::vector<Tokens> folded;
  std::vector<std::vector<std::string>> numbers;
  absl::flat_hash_map<std::string, size_t> places;
  for (const Tokens& name : names) {
    const bool can = position < name.size() && IsNumber(name[position]);
    Tokens key = name;
    if (can) key[position].assign(1, '#');
    // No token has this byte, so different tokens give different keys.
    const auto [it, is_new] =
        places.emplace(absl::StrJoin(key, "\n"), folded.size());
    if (is_new) {
      folded.push_back(name);
      numbers.emplace_back();
    }
    if (can) numbers[it->second].push_back(name[position]);
  }
  for (size_t i = 0; i < folded.size(); ++i) {
    if (!numbers[i].empty()) {
      folded[i][position] = FoldNumbers(std::move(numbers[i]));
    }
  }
  return folded;
}

}  // namespace

std::string FoldNames(std::vector<std::string> names) {
  absl::c_sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<Tokens> all;
  size_t longest = 0;
  for (const std::string& name : names) {
    all.push_back(Cut(name));
    longest = std::max(longest, all.back().size());
  }
  // The last number varies most.
  for (size_t position = longest; position-- > 0;) {
    all = FoldAt(all, position);
  }
  return absl::StrJoin(all, ",", [](std::string* out, const Tokens& tokens) {
    absl::StrAppend(out, absl::StrJoin(tokens, ""));
  });
}

}  // namespace berth

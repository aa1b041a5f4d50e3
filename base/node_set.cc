#include "base/node_set.h"

#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/node_fold.h"
#include "base/status_macros.h"

namespace berth {
namespace {

constexpr size_t kMaxPattern = 64;  // Of a wildcard; as names.

std::string Quote(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, 80)), "'");
}

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("set of computers ", Quote(text), ": ", why));
}

// Splits at `separator`, but not within brackets.
std::vector<absl::string_view> SplitOutside(absl::string_view text,
                                            char separator) {
  std::vector<absl::string_view> parts;
  bool inside = false;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') inside = true;
    if (text[i] == ']') inside = false;
    if (text[i] != separator || inside) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

bool IsNumber(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNodeDigits &&
         absl::c_all_of(text,
                        [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// "01-20" or "7": the numbers, with the zeros of the first.
absl::StatusOr<std::vector<std::string>> ParseRange(absl::string_view whole,
                                                    absl::string_view range,
                                                    size_t budget) {
  std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(range, absl::MaxSplits('-', 1));
  if (!absl::StrContains(range, '-')) ends.second = ends.first;
  if (!IsNumber(ends.first) || !IsNumber(ends.second)) {
    return Bad(whole,
               "within brackets stand numbers and ranges, as in "
               "web[01-20,33]");
  }
  uint64_t first = 0, last = 0;
  (void)absl::SimpleAtoi(ends.first, &first);
  (void)absl::SimpleAtoi(ends.second, &last);
  if (last < first) return Bad(whole, "a range ends before it begins");
  if (last - first >= budget) {
    return absl::ResourceExhaustedError(
        absl::StrCat("set of computers ", Quote(whole), ": names over ",
                     NodeSet::kMaxNames, " computers; use a wildcard"));
  }
  std::vector<std::string> numbers;
  numbers.reserve(last - first + 1);
  for (uint64_t number = first; number <= last; ++number) {
    std::string text = absl::StrCat(number);
    if (text.size() < ends.first.size()) {
      text.insert(0, ends.first.size() - text.size(), '0');
    }
    numbers.push_back(std::move(text));
  }
  return numbers;
}

// All names of "web[1-2]-[a,b]", at most `budget`.
absl::StatusOr<std::vector<std::string>> Expand(absl::string_view whole,
                                                size_t budget) {
  std::vector<std::string> names = {""};
  absl::string_view rest = whole;
  while (!rest.empty()) {
    const size_t open = rest.find('[');
    const absl::string_view text = rest.substr(0, open);
    if (absl::StrContains(text, ']')) return Bad(whole, "']' without '['");
    for (std::string& name : names) absl::StrAppend(&name, text);
    if (open == rest.npos) break;
    const size_t close = rest.find(']', open);
    if (close == rest.npos) return Bad(whole, "'[' without ']'");
    std::vector<std::string> numbers;
    for (absl::string_view range :
         absl::StrSplit(rest.substr(open + 1, close - open - 1), ',')) {
      BERTH_ASSIGN_OR_RETURN(std::vector<std::string> more,
                             ParseRange(whole, range, budget));
      absl::c_move(more, std::back_inserter(numbers));
      if (numbers.size() * names.size() > budget) {
        return absl::ResourceExhaustedError(
            absl::StrCat("set of computers ", Quote(whole), ": names over ",
                         NodeSet::kMaxNames, " computers; use a wildcard"));
      }
    }
    std::vector<std::string> product;
    product.reserve(names.size() * numbers.size());
    for (const std::string& name : names) {
      for (const std::string& number : numbers) {
        product.push_back(absl::StrCat(name, number));
      }
    }
    names = std::move(product);
    rest.remove_prefix(close + 1);
  }
  return names;
}

}  // namespace

std::vector<absl::string_view> SplitNodeSets(absl::string_view text) {
  std::vector<absl::string_view> parts;
  for (absl::string_view part : SplitOutside(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

bool NodeSet::Factor::Fits(const Node& node) const {
  switch (kind) {
    case Kind::kNames:
      return false;  // The resolver's, which has them hashed.
    case Kind::kWildcard:
      return MatchesWildcard(text, node.name);
    case Kind::kLabel: {
      const auto it = node.labels.find(text);
      return it != node.labels.end() && MatchesWildcard(value, it->second);
    }
    case Kind::kAll:
      return true;
  }
  return false;
}

absl::StatusOr<NodeSet::Factor> NodeSet::ParseFactor(absl::string_view text,
                                                     size_t& budget) {
  Factor factor;
  if (text.empty()) return Bad(text, "a name is missing");
  if (text == "@all") {
    factor.kind = Factor::Kind::kAll;
    return factor;
  }
  if (absl::string_view label = text; absl::ConsumePrefix(&label, "@label:")) {
    factor.kind = Factor::Kind::kLabel;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(label, absl::MaxSplits('=', 1));
    factor.text = std::string(parts.first);
    factor.value =
        absl::StrContains(label, '=') ? std::string(parts.second) : "*";
    if (parts.first.empty()) return Bad(text, "the label's name is missing");
    return factor;
  }
  if (text[0] == '@') {
    return Bad(text, "not a group; use @all, @label:NAME or @label:NAME=VALUE");
  }
  if (IsWildcard(text)) {
    if (text.size() > kMaxPattern) return Bad(text, "longer than any name");
    if (absl::StrContains(text, '[')) {
      return Bad(text, "brackets and wildcards can't be used together");
    }
    factor.kind = Factor::Kind::kWildcard;
    factor.text = std::string(text);
    return factor;
  }
  BERTH_ASSIGN_OR_RETURN(factor.names, Expand(text, budget));
  for (const std::string& name : factor.names) {
    BERTH_RETURN_IF_ERROR(CheckName("computer", name));
  }
  budget -= factor.names.size();
  return factor;
}

absl::StatusOr<NodeSet::Item> NodeSet::ParseItem(absl::string_view text,
                                                 size_t& budget) {
  Item item;
  for (absl::string_view part : SplitOutside(text, '&')) {
    BERTH_ASSIGN_OR_RETURN(
        Factor factor, ParseFactor(absl::StripAsciiWhitespace(part), budget));
    item.push_back(std::move(factor));
  }
  return item;
}

absl::Status NodeSet::Add(absl::string_view expression, bool exclude,
                          size_t& budget) {
  for (absl::string_view part : SplitNodeSets(expression)) {
    const bool without = absl::ConsumePrefix(&part, "!") || exclude;
    BERTH_ASSIGN_OR_RETURN(Item item, ParseItem(part, budget));
    (without ? excluded_ : items_).push_back(std::move(item));
  }
  return absl::OkStatus();
}

absl::StatusOr<NodeSet> NodeSet::Parse(
    const std::vector<std::string>& expressions,
    const std::vector<std::string>& excluded) {
  NodeSet set;
  size_t budget = kMaxNames;
  for (const std::string& expression : expressions) {
    BERTH_RETURN_IF_ERROR(set.Add(expression, /*exclude=*/false, budget));
  }
  for (const std::string& expression : excluded) {
    BERTH_RETURN_IF_ERROR(set.Add(expression, /*exclude=*/true, budget));
  }
  return set;
}

bool NodeSet::needs_nodes() const {
  if (items_.empty() && !excluded_.empty()) return true;
  for (const std::vector<Item>* list : {&items_, &excluded_}) {
    for (const Item& item : *list) {
      for (const Factor& factor : item) {
        // What a label excludes is not known; names that fit a wildcard are.
        if (factor.kind == Factor::Kind::kNames) continue;
        if (list == &excluded_ && factor.kind != Factor::Kind::kLabel) continue;
        return true;
      }
    }
  }
  return false;
}

bool NodeSet::is_plain() const {
  return excluded_.empty() && absl::c_all_of(items_, [](const Item& item) {
           return item.size() == 1 && (item[0].kind == Factor::Kind::kNames ||
                                       item[0].kind == Factor::Kind::kWildcard);
         });
}

std::vector<std::string> NodeSet::PlainNames() const {
  std::vector<std::string> names;
  for (const Item& item : items_) {
    if (item[0].kind == Factor::Kind::kWildcard) names.push_back(item[0].text);
    absl::c_copy(item[0].names, std::back_inserter(names));
  }
  return names;
}

// Answers whether a computer is in an item, in time that does not grow with
// the number of names that were written.
class NodeSet::Resolver {
 public:
  explicit Resolver(const std::vector<Item>& items) {
    for (const Item& item : items) {
      Compiled& compiled = compiled_.emplace_back();
      for (const Factor& factor : item) {
        compiled.push_back({&factor, {}});
        for (const std::string& name : factor.names) {
          compiled.back().names.insert(absl::AsciiStrToLower(name));
        }
      }
    }
  }

  bool Has(size_t item, const Node& node) const {
    const std::string key = absl::AsciiStrToLower(node.name);
    return absl::c_all_of(compiled_[item], [&](const auto& part) {
      return part.factor->kind == Factor::Kind::kNames
                 ? part.names.contains(key)
                 : part.factor->Fits(node);
    });
  }

  bool AnyHas(const Node& node) const {
    for (size_t i = 0; i < compiled_.size(); ++i) {
      if (Has(i, node)) return true;
    }
    return false;
  }

 private:
  struct Part {
    const Factor* factor;
    absl::flat_hash_set<std::string> names;
  };
  using Compiled = std::vector<Part>;

  std::vector<Compiled> compiled_;
};

absl::StatusOr<std::vector<std::string>> NodeSet::Resolve(
    const std::vector<Node>& nodes) const {
  absl::flat_hash_map<std::string, const Node*> by_name;
  for (const Node& node : nodes) {
    by_name[absl::AsciiStrToLower(node.name)] = &node;
  }
  const Resolver wanted(items_);
  const Resolver unwanted(excluded_);
  std::vector<std::string> result;
  std::vector<std::string> missing;
  absl::flat_hash_set<const Node*> taken;
  const auto take = [&](const Node& node) {
    if (unwanted.AnyHas(node) || !taken.insert(&node).second) return;
    result.push_back(node.name);
  };
  for (size_t i = 0; i < items_.size(); ++i) {
    const Factor& first = items_[i][0];
    if (first.kind != Factor::Kind::kNames) {
      for (const Node& node : nodes) {
        if (wanted.Has(i, node)) take(node);
      }
      continue;
    }
    for (const std::string& name : first.names) {
      const auto it = by_name.find(absl::AsciiStrToLower(name));
      if (it != by_name.end()) {
        if (wanted.Has(i, *it->second)) take(*it->second);
      } else if (!unwanted.AnyHas({name, {}})) {
        missing.push_back(name);
      }
    }
  }
  if (items_.empty() && !excluded_.empty()) absl::c_for_each(nodes, take);
  if (!missing.empty()) {
    return absl::NotFoundError(absl::StrCat("no computer '",
                                            FoldNames(std::move(missing)),
                                            "'; see 'berth computers'"));
  }
  return result;
}

std::vector<std::string> NodeSet::Names() const {
  std::vector<Node> nodes;
  for (const Item& item : items_) {
    for (const Factor& factor : item) {
      for (const std::string& name : factor.names) nodes.push_back({name, {}});
    }
  }
  return Resolve(nodes).value_or(std::vector<std::string>());
}

size_t NodeSet::name_count() const {
  size_t count = 0;
  for (const std::vector<Item>* list : {&items_, &excluded_}) {
    for (const Item& item : *list) {
      for (const Factor& factor : item) count += factor.names.size();
    }
  }
  return count;
}

struct NodeMatcher::Compiled {
  explicit Compiled(NodeSet from)
      : set(std::move(from)), wanted(set.items_), unwanted(set.excluded_) {}
  Compiled(const Compiled&) = delete;

  const NodeSet set;  // The resolvers point into it.
  const NodeSet::Resolver wanted;
  const NodeSet::Resolver unwanted;
};

NodeMatcher::NodeMatcher(NodeSet set)
    : compiled_(std::make_shared<const Compiled>(std::move(set))) {}

bool NodeMatcher::Has(const NodeSet::Node& node) const {
  const bool wanted = compiled_->set.items_.empty()
                          ? !compiled_->set.excluded_.empty()
                          : compiled_->wanted.AnyHas(node);
  return wanted && !compiled_->unwanted.AnyHas(node);
}

}  // namespace berth

#ifndef BERTH_BASE_NODE_SET_H_
#define BERTH_BASE_NODE_SET_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth {

// A set of computers as people write it:
//
//   web01,db1            these
//   web[01-03,7]-[1-2]   web01-1, web01-2, web02-1 and so on; zeros are kept
//   web*, web??          those whose names fit
//   @label:role          those that have the label; @label:role=db* with it
//   @all                 all
//   a&b                  what is in both
//   !a                   without these, wherever that stands; alone: all others
//
// A value; its methods are const and thread-safe.
class NodeSet {
  friend class NodeMatcher;

 public:
  // How many computers one set may name.
  static constexpr size_t kMaxNames = 100000;

  // A computer that exists.
  struct Node {
    std::string name;
    std::map<std::string, std::string> labels;
  };

  // Reads expressions, which are taken together, without those that `excluded`
  // names. InvalidArgument quotes what is wrong, ResourceExhausted names the
  // bound.
  static absl::StatusOr<NodeSet> Parse(
      const std::vector<std::string>& expressions,
      const std::vector<std::string>& excluded = {});

  // Nothing was written: whether that means all or none is the caller's.
  bool empty() const { return items_.empty() && excluded_.empty(); }

  // Whether what is meant depends on which computers there are.
  bool needs_nodes() const;

  // Whether the set is a list of names and wildcards, which brokers
  // understand, and that list.
  bool is_plain() const;
  std::vector<std::string> PlainNames() const;

  // The names that are meant, each once: as written, what fits a wildcard in
  // the order of `nodes`. NotFound: computers that were named and are not
  // among `nodes`.
  absl::StatusOr<std::vector<std::string>> Resolve(
      const std::vector<Node>& nodes) const;

  // The names of a set that does not need nodes.
  std::vector<std::string> Names() const;

  // How many names it keeps: what it takes of memory, and of `kMaxNames`.
  size_t name_count() const;

 private:
  // One "web[01-20]", "web*" or "@label:...".
  struct Factor {
    enum class Kind { kNames, kWildcard, kLabel, kAll };
    Kind kind = Kind::kNames;
    std::vector<std::string> names;  // kNames.
    std::string text;                // The wildcard, or the label.
    std::string value;               // Of the label; a wildcard.

    bool Fits(const Node& node) const;
  };
  // Factors with "&" between.
  using Item = std::vector<Factor>;

  class Resolver;

  static absl::StatusOr<Factor> ParseFactor(absl::string_view text,
                                            size_t& budget);
  static absl::StatusOr<Item> ParseItem(absl::string_view text, size_t& budget);
  absl::Status Add(absl::string_view expression, bool exclude, size_t& budget);

  std::vector<Item> items_;
  std::vector<Item> excluded_;
};

// NodeMatcher answers whether a computer is in a set, in time that does not
// grow with the names that were written. A value, cheap to copy; thread-safe.
class NodeMatcher {
 public:
  explicit NodeMatcher(NodeSet set);

  // An empty set has nothing in it.
  bool Has(const NodeSet::Node& node) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

// The parts of a list of sets: "w[1,3],db1" has two.
std::vector<absl::string_view> SplitNodeSets(absl::string_view text);

}  // namespace berth

#endif  // BERTH_BASE_NODE_SET_H_

#ifndef BERTH_BROKER_POLICY_NAME_PATTERNS_H_
#define BERTH_BROKER_POLICY_NAME_PATTERNS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth::broker {

// NamePatterns is a set of names and wildcards, compared with regard to case:
// they give rights. A value; thread-safe while it is not changed.
class NamePatterns {
 public:
  // Adds a name, or a wildcard over names. InvalidArgument, naming `what`.
  absl::Status Add(absl::string_view what, absl::string_view pattern);

  bool Has(absl::string_view name) const;
  // Whether `name` itself was added: no wildcard counts.
  bool Names(absl::string_view name) const { return names_.contains(name); }
  // Whether every name is in it.
  bool HasAll() const;
  bool empty() const { return texts_.empty(); }
  // As they were added.
  const std::vector<std::string>& texts() const { return texts_; }
  // "a, b*".
  std::string ToString() const;

 private:
  std::vector<std::string> texts_;
  absl::flat_hash_set<std::string> names_;
  std::vector<std::string> wildcards_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_POLICY_NAME_PATTERNS_H_

// Sets of computers: what a user typed.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <algorithm>
#include <string>

#include "base/node_fold.h"
#include "base/node_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto set = berth::NodeSet::Parse({text});
  if (!set.ok()) return 0;
  // Computers that exist, for what is not written out.
  const auto resolved = set->Resolve({{"web01", {{"role", "web"}}}, {"a", {}}});
  if (resolved.ok() && resolved->size() > 2) abort();
  if (set->needs_nodes()) return 0;
  std::vector<std::string> names = set->Names();
  if (names.size() > berth::NodeSet::kMaxNames) abort();
  if (names.size() > 5000) return 0;  // Slow, and nothing new.
  // Folded, they are still the same.
  const auto folded = berth::NodeSet::Parse({berth::FoldNames(names)});
  if (!folded.ok()) abort();
  std::vector<std::string> again = folded->Names();
  std::sort(names.begin(), names.end());
  std::sort(again.begin(), again.end());
  if (names != again) abort();
  return 0;
}

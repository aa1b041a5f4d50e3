#ifndef BERTH_BASE_NODE_FOLD_H_
#define BERTH_BASE_NODE_FOLD_H_

#include <cstddef>
#include <string>
#include <vector>

namespace berth {

// Of a number in a range of names.
inline constexpr size_t kMaxNodeDigits = 15;

// Names in short: "web[01-20],db1". Parsed as a NodeSet they give the same
// names.
std::string FoldNames(std::vector<std::string> names);

}  // namespace berth

#endif  // BERTH_BASE_NODE_FOLD_H_

#ifndef BERTH_BASE_STATUS_MACROS_H_
#define BERTH_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from this function unless it is OK.
#define BERTH_RETURN_IF_ERROR(expr)                               \
  do {                                                            \
    if (absl::Status berth_status_ = (expr); !berth_status_.ok()) \
      return berth_status_;                                       \
  } while (false)

// Assigns the value of `expr` (a StatusOr) to `lhs`, or returns its status.
#define BERTH_ASSIGN_OR_RETURN(lhs, expr) \
  BERTH_ASSIGN_OR_RETURN_(BERTH_CONCAT_(berth_or_, __LINE__), lhs, expr)

#define BERTH_ASSIGN_OR_RETURN_(tmp, lhs, expr)  \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)

#define BERTH_CONCAT_(a, b) BERTH_CONCAT2_(a, b)
#define BERTH_CONCAT2_(a, b) a##b

#endif  // BERTH_BASE_STATUS_MACROS_H_

#ifndef BERTH_CLI_CLIENT_COMPUTERS_H_
#define BERTH_CLI_CLIENT_COMPUTERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client/connection.h"
#include "cli/invocation/signals.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::cli {

// Which computers the user wrote: sets as in base/node_set.h.
struct ComputerQuery {
  std::vector<std::string> sets;
  std::vector<std::string> excluded;

  bool empty() const { return sets.empty() && excluded.empty(); }
};

// The computers that `query` means, in the order it was written. Asks the
// broker, so what was named and is not there is NOT_FOUND; also errors as
// NodeSet::Parse(), and those of ListComputers. An empty query means all.
absl::StatusOr<std::vector<v1::Computer>> FindComputers(
    Connection& connection, SignalSource& signals, const ComputerQuery& query);

// Their names. One computer that is named outright is not looked up: what is
// done with it will tell whether it is there.
absl::StatusOr<std::vector<std::string>> FindComputerNames(
    Connection& connection, SignalSource& signals, const ComputerQuery& query);

// As FindComputerNames(), but computers that are named outright are not looked
// up: one that is not there fails by itself, and hinders no other.
absl::StatusOr<std::vector<std::string>> ComputerNamesToTry(
    Connection& connection, SignalSource& signals, const ComputerQuery& query);

// What brokers take in a list of computers: names and wildcards. At most
// `limit`, or RESOURCE_EXHAUSTED.
absl::StatusOr<std::vector<std::string>> PlainComputers(
    Connection& connection, SignalSource& signals, const ComputerQuery& query,
    size_t limit);

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_COMPUTERS_H_

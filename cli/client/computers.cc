#include "cli/client/computers.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/node_set.h"
#include "base/status_macros.h"
#include "cli/client/call.h"

namespace berth::cli {
namespace {

absl::StatusOr<std::vector<v1::Computer>> ListAll(Connection& connection,
                                                  SignalSource& signals) {
  v1::ListComputersResponse response;
  BERTH_RETURN_IF_ERROR(Call(connection, signals, connection.computers(),
                             &v1::Computers::Stub::ListComputers,
                             v1::ListComputersRequest(), response));
  return std::vector<v1::Computer>(
      std::make_move_iterator(response.mutable_computers()->begin()),
      std::make_move_iterator(response.mutable_computers()->end()));
}

}  // namespace

absl::StatusOr<std::vector<v1::Computer>> FindComputers(
    Connection& connection, SignalSource& signals, const ComputerQuery& query) {
  BERTH_ASSIGN_OR_RETURN(const NodeSet set,
                         NodeSet::Parse(query.sets, query.excluded));
  BERTH_ASSIGN_OR_RETURN(std::vector<v1::Computer> all,
                         ListAll(connection, signals));
  if (set.empty()) return all;
  std::vector<NodeSet::Node> nodes;
  absl::flat_hash_map<std::string, v1::Computer*> by_name;
  for (v1::Computer& computer : all) {
    nodes.push_back({computer.name(),
                     {computer.labels().begin(), computer.labels().end()}});
    by_name[computer.name()] = &computer;
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         set.Resolve(nodes));
  std::vector<v1::Computer> found;
  for (const std::string& name : names) {
    found.push_back(std::move(*by_name.at(name)));
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> FindComputerNames(
    Connection& connection, SignalSource& signals, const ComputerQuery& query) {
  BERTH_ASSIGN_OR_RETURN(const NodeSet set,
                         NodeSet::Parse(query.sets, query.excluded));
  if (!set.empty() && !set.needs_nodes()) {
    std::vector<std::string> names = set.Names();
    if (names.size() <= 1) return names;
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<v1::Computer> computers,
                         FindComputers(connection, signals, query));
  std::vector<std::string> names;
  for (const v1::Computer& computer : computers) {
    names.push_back(computer.name());
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> ComputerNamesToTry(
    Connection& connection, SignalSource& signals, const ComputerQuery& query) {
  BERTH_ASSIGN_OR_RETURN(const NodeSet set,
                         NodeSet::Parse(query.sets, query.excluded));
  if (!set.empty() && !set.needs_nodes()) return set.Names();
  return FindComputerNames(connection, signals, query);
}

absl::StatusOr<std::vector<std::string>> PlainComputers(
    Connection& connection, SignalSource& signals, const ComputerQuery& query,
    size_t limit) {
  BERTH_ASSIGN_OR_RETURN(const NodeSet set,
                         NodeSet::Parse(query.sets, query.excluded));
  if (set.empty()) return std::vector<std::string>();
  std::vector<std::string> names;
  if (set.is_plain()) {
    names = set.PlainNames();
  } else {
    BERTH_ASSIGN_OR_RETURN(names,
                           FindComputerNames(connection, signals, query));
    if (names.empty()) {
      return absl::NotFoundError(
          "no computer is in that set; see 'berth computers'");
    }
  }
  if (names.size() > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the set names ", names.size(), " computers, ", limit,
                     " at most; use a wildcard"));
  }
  return names;
}

}  // namespace berth::cli

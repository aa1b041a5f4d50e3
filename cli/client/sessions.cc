#include "cli/client/sessions.h"

#include <chrono>

#include "absl/strings/str_split.h"
#include "base/node_set.h"
#include "base/selector.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/client/computers.h"

namespace berth::cli {
namespace {

// As in ListSessionsRequest.
constexpr size_t kMaxComputers = 1000;

}  // namespace

std::vector<std::string> SplitLists(const std::vector<std::string>& lists) {
  std::vector<std::string> parts;
  for (const std::string& list : lists) {
    for (absl::string_view part :
         absl::StrSplit(list, ',', absl::SkipWhitespace())) {
      parts.emplace_back(part);
    }
  }
  return parts;
}

absl::Status CheckSelectors(const std::vector<std::string>& selectors) {
  for (const std::string& selector : selectors) {
    BERTH_RETURN_IF_ERROR(ParseSelector(selector).status());
  }
  return absl::OkStatus();
}

std::optional<v1::SessionRef> LiteralRef(const SessionQuery& query) {
  if (query.selectors.size() != 1 || !query.states.empty()) {
    return std::nullopt;
  }
  const absl::StatusOr<Selector> selector = ParseSelector(query.selectors[0]);
  if (!selector.ok() || !selector->is_literal()) return std::nullopt;
  v1::SessionRef ref;
  if (!query.computers.empty()) {
    const absl::StatusOr<NodeSet> set = NodeSet::Parse(query.computers);
    if (!set.ok() || set->needs_nodes()) return std::nullopt;
    const std::vector<std::string> names = set->Names();
    if (names.size() != 1) return std::nullopt;
    ref.set_computer(names[0]);
  }
  if (selector->kind == Selector::Kind::kId) {
    ref.set_id(selector->first);
  } else if (IsUuid(selector->text)) {
    ref.set_instance_id(selector->text);
  } else if (IsInstanceIdPrefix(selector->text)) {
    // Could be a name or a prefix: only a list tells.
    return std::nullopt;
  } else {
    ref.set_name(selector->text);
  }
  return ref;
}

v1::SessionRef RefOf(const v1::Session& session) {
  v1::SessionRef ref;
  ref.set_instance_id(session.instance_id());
  return ref;
}

SessionList ListSessions(Connection& connection, SignalSource& signals,
                         const SessionQuery& query) {
  v1::ListSessionsRequest request;
  SessionList list;
  const auto computers =
      PlainComputers(connection, signals, {query.computers, {}}, kMaxComputers);
  if (!computers.ok()) {
    list.status = computers.status();
    return list;
  }
  request.mutable_selectors()->Assign(query.selectors.begin(),
                                      query.selectors.end());
  request.mutable_computers()->Assign(computers->begin(), computers->end());
  for (const v1::SessionState state : query.states) request.add_states(state);
  *request.mutable_client() = connection.client();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(kCallTimeout));
  SignalSource::Watch watch(signals, [&](bool) { context.TryCancel(); });
  const auto reader = connection.sessions().ListSessions(&context, request);
  v1::ListSessionsResponse page;
  while (reader->Read(&page)) {
    for (v1::Session& session : *page.mutable_sessions()) {
      list.sessions.push_back(std::move(session));
    }
  }
  list.status = ToStatus(connection, context, reader->Finish());
  return list;
}

}  // namespace berth::cli

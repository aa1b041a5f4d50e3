#include "cli/client/sessions.h"

#include <chrono>

#include "absl/strings/str_split.h"
#include "base/names.h"
#include "base/selector.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"

namespace berth::cli {

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
  if (query.selectors.size() != 1 || query.computers.size() > 1 ||
      !query.states.empty()) {
    return std::nullopt;
  }
  const absl::StatusOr<Selector> selector = ParseSelector(query.selectors[0]);
  if (!selector.ok() || !selector->is_literal()) return std::nullopt;
  v1::SessionRef ref;
  if (!query.computers.empty()) {
    if (IsWildcard(query.computers[0])) return std::nullopt;
    ref.set_computer(query.computers[0]);
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
  request.mutable_selectors()->Assign(query.selectors.begin(),
                                      query.selectors.end());
  request.mutable_computers()->Assign(query.computers.begin(),
                                      query.computers.end());
  for (const v1::SessionState state : query.states) request.add_states(state);
  *request.mutable_client() = connection.client();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(kCallTimeout));
  SignalSource::Watch watch(signals, [&](bool) { context.TryCancel(); });
  SessionList list;
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

#include "cli/client/sessions.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/names.h"
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

namespace {

// "alice/3": the owner, and the selector behind it. Without "/" no owner.
std::pair<std::string, std::string> SplitOwner(const std::string& selector) {
  const size_t slash = selector.find('/');
  if (slash == selector.npos) return {"", selector};
  return {selector.substr(0, slash), selector.substr(slash + 1)};
}

}  // namespace

absl::StatusOr<std::string> OwnerOf(const SessionQuery& query) {
  std::optional<std::string> owner;
  for (const std::string& selector : query.selectors) {
    std::string of = SplitOwner(selector).first;
    if (of.empty()) of = query.owner;
    if (owner.value_or(of) != of || (query.all_owners && !of.empty())) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", selector,
                       "' is of another owner than the others: give one owner "
                       "at a time"));
    }
    owner = std::move(of);
  }
  return owner.value_or(query.owner);
}

std::string WithoutOwner(const std::string& selector) {
  return SplitOwner(selector).second;
}

bool IsAboutOthers(const SessionQuery& query) {
  return query.all_owners || !query.owner.empty() ||
         std::any_of(query.selectors.begin(), query.selectors.end(),
                     [](const std::string& selector) {
                       return selector.find('/') != selector.npos;
                     });
}

absl::Status CheckSelectors(const std::vector<std::string>& selectors) {
  for (const std::string& selector : selectors) {
    const auto [owner, what] = SplitOwner(selector);
    if (selector.find('/') != selector.npos) {
      BERTH_RETURN_IF_ERROR(CheckName("owner", owner));
      if (what.empty()) continue;
    }
    BERTH_RETURN_IF_ERROR(ParseSelector(what).status());
  }
  return absl::OkStatus();
}

std::optional<v1::SessionRef> LiteralRef(const SessionQuery& query) {
  if (query.selectors.size() != 1 || !query.states.empty() ||
      query.all_owners) {
    return std::nullopt;
  }
  const absl::StatusOr<std::string> owner = OwnerOf(query);
  const absl::StatusOr<Selector> selector =
      ParseSelector(SplitOwner(query.selectors[0]).second);
  if (!owner.ok() || !selector.ok() || !selector->is_literal()) {
    return std::nullopt;
  }
  v1::SessionRef ref;
  ref.set_owner(*owner);
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
  ref.set_owner(session.owner());
  return ref;
}

namespace {

// Pages that were read and not yet handled.
class PageQueue {
 public:
  void Push(std::vector<v1::Session> page) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    pages_.push_back(std::move(page));
    changed_.NotifyOne();
  }
  void End() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    ended_ = true;
    changed_.NotifyOne();
  }
  // The next page; waits for it, as long as the call that brings it may take.
  // Not set: there are no more.
  std::optional<std::vector<v1::Session>> Pop() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (pages_.empty() && !ended_) changed_.Wait(mu_);
    if (pages_.empty()) return std::nullopt;
    std::vector<v1::Session> page = std::move(pages_.front());
    pages_.pop_front();
    return page;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<std::vector<v1::Session>> pages_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

absl::StatusOr<v1::ListSessionsRequest> MakeRequest(Connection& connection,
                                                    SignalSource& signals,
                                                    const SessionQuery& query) {
  v1::ListSessionsRequest request;
  BERTH_ASSIGN_OR_RETURN(const std::vector<std::string> computers,
                         PlainComputers(connection, signals,
                                        {query.computers, {}}, kMaxComputers));
  BERTH_ASSIGN_OR_RETURN(*request.mutable_owner(), OwnerOf(query));
  request.set_all_owners(query.all_owners);
  for (const std::string& selector : query.selectors) {
    std::string what = WithoutOwner(selector);
    if (!what.empty()) request.add_selectors(std::move(what));
  }
  request.mutable_computers()->Assign(computers.begin(), computers.end());
  for (const v1::SessionState state : query.states) request.add_states(state);
  request.mutable_labels()->Assign(query.labels.begin(), query.labels.end());
  *request.mutable_client() = connection.client();
  return request;
}

}  // namespace

absl::Status ListSessionPages(
    Connection& connection, SignalSource& signals, const SessionQuery& query,
    const std::function<bool(std::vector<v1::Session>)>& on_page) {
  BERTH_ASSIGN_OR_RETURN(const v1::ListSessionsRequest request,
                         MakeRequest(connection, signals, query));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(kCallTimeout));
  SignalSource::Watch watch(signals, [&](bool) { context.TryCancel(); });
  const auto reader = connection.sessions().ListSessions(&context, request);
  PageQueue queue;
  grpc::Status status;
  std::thread reads([&] {
    v1::ListSessionsResponse response;
    while (reader->Read(&response)) {
      queue.Push({std::make_move_iterator(response.mutable_sessions()->begin()),
                  std::make_move_iterator(response.mutable_sessions()->end())});
    }
    status = reader->Finish();
    queue.End();
  });
  bool wanted = true;
  while (std::optional<std::vector<v1::Session>> page = queue.Pop()) {
    if (!wanted || on_page(*std::move(page))) continue;
    wanted = false;
    context.TryCancel();
  }
  reads.join();
  if (!wanted) return absl::OkStatus();
  return ToStatus(connection, context, status);
}

SessionList ListSessions(Connection& connection, SignalSource& signals,
                         const SessionQuery& query) {
  SessionList list;
  list.status = ListSessionPages(
      connection, signals, query, [&](std::vector<v1::Session> page) {
        list.sessions.insert(list.sessions.end(),
                             std::make_move_iterator(page.begin()),
                             std::make_move_iterator(page.end()));
        return true;
      });
  return list;
}

}  // namespace berth::cli

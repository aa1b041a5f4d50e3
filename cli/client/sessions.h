#ifndef BERTH_CLI_CLIENT_SESSIONS_H_
#define BERTH_CLI_CLIENT_SESSIONS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/client/connection.h"
#include "cli/invocation/signals.h"

namespace berth::cli {

// What the user wrote to say which sessions are meant.
struct SessionQuery {
  // "3", "web*"; of sessions of others "alice/3", "alice/web*", "alice/".
  std::vector<std::string> selectors;
  std::vector<std::string> computers;  // Sets of them: base/node_set.h.
  std::vector<v1::SessionState> states;
  std::vector<std::string> labels;  // Of computers: "role", "role=db", "dc=a*".
  // Whose. Empty: one's own, unless a selector says it.
  std::string owner = {};
  // Those of all that one may list.
  bool all_owners = false;
};

// Whether sessions of others are meant.
bool IsAboutOthers(const SessionQuery& query);

// The one owner of a query; empty: the asker. InvalidArgument: there are more.
absl::StatusOr<std::string> OwnerOf(const SessionQuery& query);

// "alice/3" is "3", and "alice/", all of hers, is empty.
std::string WithoutOwner(const std::string& selector);

// "1,2" and "3" are "1", "2", "3". Empty parts are dropped.
std::vector<std::string> SplitLists(const std::vector<std::string>& lists);

// Every selector can be read, or InvalidArgument says which can't.
absl::Status CheckSelectors(const std::vector<std::string>& selectors);

// The one session that a query names outright, by one id, name or instance id
// and at most one computer: it needs no list, the call itself finds it.
std::optional<v1::SessionRef> LiteralRef(const SessionQuery& query);

// The session of a list, for the next call.
v1::SessionRef RefOf(const v1::Session& session);

struct SessionList {
  std::vector<v1::Session> sessions;
  // NotFound: a literal matched nothing; `sessions` has what the others did.
  absl::Status status;
};

SessionList ListSessions(Connection& connection, SignalSource& signals,
                         const SessionQuery& query);

// As ListSessions(), but hands over each page as it comes, on the caller's
// thread, until `on_page` returns false (which is OK). It may take its time (a
// pager): the broker is read ahead of it, so that the list's deadline is never
// spent on the reader.
absl::Status ListSessionPages(
    Connection& connection, SignalSource& signals, const SessionQuery& query,
    const std::function<bool(std::vector<v1::Session>)>& on_page);

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_SESSIONS_H_

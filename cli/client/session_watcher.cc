#include "cli/client/session_watcher.h"

#include <poll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/session_events.h"
#include "cli/client/call.h"
#include "cli/client/computers.h"

namespace berth::cli {
namespace {

// As in ListSessionsRequest.
constexpr size_t kMaxComputers = 1000;

SessionMoment MomentOf(std::shared_ptr<const v1::Session> session) {
  const bool online = session->state() != v1::SESSION_STATE_BROKEN;
  return {std::move(session), online, /*expiring=*/false};
}

}  // namespace

absl::Status SessionWatcher::Run(const OnEvent& on_event) {
  for (;;) {
    bool done = false;
    const absl::Status status = Attempt(on_event, &done);
    if (done) return absl::OkStatus();
    if (invocation_.signals().left()) return absl::CancelledError("left");
    if (!MayRetry(status)) return status;
    if (!std::exchange(lost_, true)) {
      invocation_.Say(absl::StrCat("connection to ", connection_.broker(),
                                   " lost; reconnecting (", status.message(),
                                   ")"));
    }
    pollfd left = {invocation_.signals().left_fd(), POLLIN, 0};
    poll(&left, 1,
         static_cast<int>(absl::ToInt64Milliseconds(backoff_.Next())));
    if (invocation_.signals().left()) return absl::CancelledError("left");
  }
}

absl::Status SessionWatcher::Attempt(const OnEvent& on_event, bool* done) {
  v1::WatchSessionsRequest request;
  const auto owner = OwnerOf(query_);
  if (!owner.ok()) return owner.status();
  request.set_owner(*owner);
  request.set_all_owners(query_.all_owners);
  for (const std::string& selector : query_.selectors) {
    std::string what = WithoutOwner(selector);
    if (!what.empty()) request.add_selectors(std::move(what));
  }
  const auto computers = PlainComputers(connection_, invocation_.signals(),
                                        {query_.computers, {}}, kMaxComputers);
  if (!computers.ok()) {
    from_broker_ = !absl::IsUnavailable(computers.status());
    return computers.status();
  }
  request.mutable_computers()->Assign(computers->begin(), computers->end());
  *request.mutable_client() = connection_.client();
  grpc::ClientContext context;
  // A link that was there before is waited for: it is dialled all the time.
  context.set_wait_for_ready(syncs_ > 0);
  SignalSource::Watch watch(invocation_.signals(),
                            [&](bool) { context.TryCancel(); });
  seen_.clear();
  const auto reader = connection_.sessions().WatchSessions(&context, request);
  v1::WatchSessionsResponse response;
  while (!*done && reader->Read(&response)) {
    *done = !Take(response, on_event);
  }
  if (*done) context.TryCancel();
  const grpc::Status status = reader->Finish();
  from_broker_ = IsFromBroker(context);
  return ToStatus(connection_, context, status);
}

bool SessionWatcher::Take(const v1::WatchSessionsResponse& response,
                          const OnEvent& on_event) {
  if (response.synced()) {
    backoff_.Reset();
    if (std::exchange(lost_, false)) invocation_.Say("connected again");
    return ++syncs_ == 1 || TellGone(on_event);
  }
  if (!response.has_event()) return true;  // Of a later version.
  const v1::SessionEvent& event = response.event();
  seen_.insert(event.session().instance_id());
  const bool goes_on = event.kind() == v1::SessionEvent::KNOWN && syncs_ > 0
                           ? TellSince(event, on_event)
                           : on_event(event);
  Remember(event);
  return goes_on;
}

bool SessionWatcher::TellSince(const v1::SessionEvent& now,
                               const OnEvent& on_event) {
  SessionMoment before;
  const auto known = known_.find(now.session().instance_id());
  if (known != known_.end()) before = MomentOf(known->second);
  auto session = std::make_shared<v1::Session>(now.session());
  if (session->state() == v1::SESSION_STATE_BROKEN && before.record) {
    // What it does is not known, which is no news.
    *session->mutable_activity() = before.record->activity();
  }
  for (const v1::SessionEvent::Kind kind :
       EventsBetween(before, MomentOf(std::move(session)))) {
    v1::SessionEvent event = now;
    event.set_kind(kind);
    if (!on_event(event)) return false;
  }
  return true;
}

bool SessionWatcher::TellGone(const OnEvent& on_event) {
  for (auto known = known_.begin(); known != known_.end();) {
    if (seen_.contains(known->first)) {
      ++known;
      continue;
    }
    v1::SessionEvent event;
    event.set_kind(v1::SessionEvent::REMOVED);
    *event.mutable_at() = ToProto(absl::Now());
    *event.mutable_session() = *known->second;
    known = known_.erase(known);
    if (!on_event(event)) return false;
  }
  return true;
}

void SessionWatcher::Remember(const v1::SessionEvent& event) {
  const std::string& id = event.session().instance_id();
  if (event.kind() == v1::SessionEvent::REMOVED) {
    known_.erase(id);
    return;
  }
  auto session = std::make_shared<v1::Session>(event.session());
  const auto known = known_.find(id);
  if (session->state() == v1::SESSION_STATE_BROKEN && known != known_.end()) {
    *session->mutable_activity() = known->second->activity();
  }
  known_[id] = std::move(session);
}

// The first time the broker's word is final, and so is its silence. Later it
// may be going down, or be out of reach for a while.
bool SessionWatcher::MayRetry(const absl::Status& status) const {
  if (syncs_ == 0) return false;
  return !from_broker_ || absl::IsCancelled(status) ||
         absl::IsUnavailable(status) || status.ok();
}

}  // namespace berth::cli

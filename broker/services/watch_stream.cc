#include "broker/services/watch_stream.h"

#include <utility>

#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/status_macros.h"
#include "broker/services/session_requests.h"

namespace berth::broker {

WatchStream::WatchStream(grpc::CallbackServerContext* context, Fleet& fleet,
                         std::string user,
                         const v1::WatchSessionsRequest& request)
    : fleet_(fleet),
      user_(std::move(user)),
      revocable_(fleet.calls(), context,
                 [this](const absl::Status& status) { End(status); }) {
  const absl::Status status = Begin(request);
  if (!status.ok()) End(status);
}

absl::Status WatchStream::Begin(const v1::WatchSessionsRequest& request) {
  BERTH_RETURN_IF_ERROR(CheckClient(request.client(), /*required=*/false));
  const std::shared_ptr<State> state = state_;
  // First of all: what happens from here on must not be missed.
  std::optional<std::string> owner;
  if (!request.all_owners()) {
    owner = request.owner().empty() ? user_ : request.owner();
  }
  BERTH_RETURN_IF_ERROR(fleet_.feed().Add(user_, this, owner));
  BERTH_ASSIGN_OR_RETURN(
      SessionWatch watch,
      SessionWatch::Begin(fleet_.access().ViewerFor(user_), request));
  for (const std::string& id : watch.initial()) {
    const SessionRecord session = fleet_.registry().Find(id);
    if (session != nullptr) fleet_.feed().Arm(*session);
  }
  MutexLock lock(state->mu);
  state->watch.emplace(std::move(watch));
  for (const std::string& id : state->early) {
    state->watch->Touch(id, absl::Now());
  }
  state->early.clear();
  Pump(*state);
  return absl::OkStatus();
}

void WatchStream::Touch(const std::string& instance_id) {
  const std::shared_ptr<State> state = state_;
  MutexLock lock(state->mu);
  if (!state->watch.has_value()) {
    state->early.insert(instance_id);
    return;
  }
  state->watch->Touch(instance_id, absl::Now());
  Pump(*state);
}

void WatchStream::OnWriteDone(bool ok) {
  const std::shared_ptr<State> state = state_;
  MutexLock lock(state->mu);
  state->writing = false;
  if (!ok && !state->closing.has_value()) {
    state->closing = absl::CancelledError("the client left");
  }
  Pump(*state);
}

void WatchStream::End(const absl::Status& status) {
  const std::shared_ptr<State> state = state_;
  MutexLock lock(state->mu);
  if (!state->closing.has_value()) state->closing = status;
  Pump(*state);
}

void WatchStream::Pump(State& state) {
  if (state.writing || state.finished) return;
  if (state.closing.has_value()) {
    state.finished = true;
    Finish(ToGrpcStatus(*state.closing));
    return;
  }
  auto next = state.watch->Next(
      [this] { return fleet_.access().ViewerFor(user_); }, absl::Now());
  if (!next.has_value()) return;
  state.response = *std::move(next);
  state.writing = true;
  StartWrite(&state.response);
}

void WatchStream::OnDone() {
  fleet_.feed().Remove(user_, this);
  delete this;
}

}  // namespace berth::broker

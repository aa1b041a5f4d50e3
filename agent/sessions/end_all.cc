#include "agent/sessions/end_all.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/sessions/holder_connection.h"
#include "base/monotonic.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {
namespace {

// A holder gives its shell some seconds before it kills it.
constexpr absl::Duration kLimit = absl::Seconds(15);

// Waits until the holder closes the connection, which it does at its end.
bool WaitForEnd(HolderConnection& holder, absl::Time deadline) {
  while (MonotonicNow() < deadline) {
    if (absl::IsUnavailable(
            holder.Receive(deadline - MonotonicNow()).status())) {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::Status EndAllSessions(const std::string& state_directory) {
  std::vector<std::pair<std::string, HolderConnection>> ending;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(
           state_directory + "/sessions", error)) {
    auto holder = HolderConnection::Connect(entry.path());
    if (!holder.ok()) continue;  // It has ended already.
    holder::v1::Request request;
    request.mutable_terminate()->set_reason(v1::END_REASON_REMOVED);
    holder->Send(request).IgnoreError();
    ending.emplace_back(entry.path().filename(), *std::move(holder));
  }
  const absl::Time deadline = MonotonicNow() + kLimit;
  for (auto& [id, holder] : ending) {
    if (!WaitForEnd(holder, deadline)) {
      return absl::DeadlineExceededError(
          absl::StrCat("session ", id, " does not end; try again"));
    }
  }
  return absl::OkStatus();
}

}  // namespace berth::agent

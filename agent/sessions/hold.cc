#include "agent/sessions/hold.h"

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/proto_time.h"

namespace berth::agent {

absl::Status Hold::Set(const link::v1::SetHolderRequest& request,
                       absl::Time now) {
  if (request.has_holder()) {
    if (!request.take()) {
      const absl::Status free = CheckOther(request.holder().id());
      if (!free.ok()) return free;
    }
    Give(request.holder(), /*lasting=*/true, now);
    return absl::OkStatus();
  }
  if (!request.take()) {
    const absl::Status mine = CheckOther(request.expected_client_id());
    if (!mine.ok()) return mine;
  }
  lasting_ = false;
  // Its open calls don't count any more: whoever lets go means it.
  held_ = false;
  calls_ = 0;
  return absl::OkStatus();
}

absl::Status Hold::Enter(const v1::Client& client, absl::Time now) {
  const absl::Status free = CheckOther(client.id());
  if (!free.ok()) return free;
  if (!held_) Give(client, /*lasting=*/false, now);
  ++calls_;
  return absl::OkStatus();
}

void Hold::Leave(const v1::Client& client) {
  if (!held_ || holder_.client().id() != client.id() || calls_ == 0) return;
  if (--calls_ == 0 && !lasting_) held_ = false;
}

void Hold::Restore(const v1::SessionHolder& holder) {
  held_ = lasting_ = true;
  holder_ = holder;
}

absl::Status Hold::CheckOther(absl::string_view client_id) const {
  if (!held_ || holder_.client().id() == client_id) return absl::OkStatus();
  const std::string name = EscapeForTerminal(holder_.client().name());
  return absl::FailedPreconditionError(absl::StrCat(
      "session ", session_, " is held by ",
      name.empty() ? "another client" : name, " since ",
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", FromProto(holder_.since()),
                       absl::UTCTimeZone()),
      "; to take it: berth connect ", session_, " --take"));
}

void Hold::Give(const v1::Client& client, bool lasting, absl::Time now) {
  if (!held_ || holder_.client().id() != client.id()) {
    calls_ = 0;
    *holder_.mutable_since() = ToProto(now);
  }
  held_ = true;
  lasting_ = lasting;
  *holder_.mutable_client() = client;
}

}  // namespace berth::agent

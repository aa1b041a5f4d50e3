#include "agent/sessions/hold.h"

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/foreign_client.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {

absl::Status Hold::Set(const link::v1::SetHolderRequest& request,
                       absl::Time now) {
  using Event = state::HoldEvent;
  if (request.has_holder()) {
    return Apply(request.take() ? Event::kTake : Event::kConnect,
                 request.holder(), now);
  }
  v1::Client expected;
  expected.set_id(request.expected_client_id());
  return Apply(request.take() ? Event::kFree : Event::kLetGo, expected, now);
}

absl::StatusOr<Hold::Tenure> Hold::Enter(const v1::Client& client,
                                         absl::Time now) {
  BERTH_RETURN_IF_ERROR(Apply(state::HoldEvent::kEnter, client, now));
  ++calls_;
  return tenure_;
}

void Hold::Leave(Tenure tenure) {
  if (tenure != tenure_ || calls_ == 0 || --calls_ > 0) return;
  const v1::Client client = holder_.client();
  Apply(state::HoldEvent::kLeave, client, absl::InfinitePast()).IgnoreError();
}

void Hold::Restore(const v1::SessionHolder& holder) {
  state_ = state::Hold::kLasting;
  holder_ = holder;
}

state::From Hold::WhoIs(absl::string_view client_id) const {
  return !held() || holder_.client().id() == client_id ? state::From::kHolder
                                                       : state::From::kOther;
}

absl::Status Hold::Apply(state::HoldEvent event, const v1::Client& client,
                         absl::Time now) {
  const state::HoldRow* row = Find(*rows_, state_, WhoIs(client.id()), event);
  if (row == nullptr) return HeldByOther(client.id());
  state_ = row->to;
  if (row->changes_hands || !held()) {
    ++tenure_;
    calls_ = 0;
  }
  if (row->changes_hands) *holder_.mutable_since() = ToProto(now);
  // The same client may have another name now.
  const bool asks =
      event == state::HoldEvent::kConnect || event == state::HoldEvent::kTake;
  if (row->changes_hands || asks) *holder_.mutable_client() = client;
  return absl::OkStatus();
}

absl::Status Hold::HeldByOther(absl::string_view asker_id) const {
  const v1::Client& client = holder_.client();
  const std::string session =
      EscapeForTerminal(SessionFor(owner_, session_, asker_id));
  return absl::FailedPreconditionError(absl::StrCat(
      "session ", session, " is held by ",
      EscapeForTerminal(DescribeClient(owner_, client.id(), client.name())),
      " since ",
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", FromProto(holder_.since()),
                       absl::UTCTimeZone()),
      "; to take it: berth connect ", session, " --take"));
}

}  // namespace berth::agent

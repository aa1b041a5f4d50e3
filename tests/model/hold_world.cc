#include "tests/model/hold_world.h"

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"

namespace berth::model {
namespace {

v1::Client ClientOf(int number) {
  v1::Client client;
  client.set_id(number == 0 ? "a" : "b");
  return client;
}

// Another for each event.
absl::Time TimeOf(const HoldWorld::Event& event) {
  return absl::FromUnixSeconds(1 + event.client +
                               10 * static_cast<int>(event.what));
}

}  // namespace

std::string HoldWorld::Name(const Event& event) {
  static constexpr const char* kNames[] = {
      "", "connect", "take", "let go", "free", "enter", "leave", "leave (old)"};
  return absl::StrCat(kNames[static_cast<int>(event.what)], " ",
                      ClientOf(event.client).id());
}

std::vector<HoldWorld::Event> HoldWorld::Events() const {
  std::vector<Event> events;
  for (uint8_t client = 0; client < kClients; ++client) {
    for (What what : {What::kConnect, What::kTake, What::kLetGo, What::kFree}) {
      events.push_back({what, client});
    }
    const size_t open = calls_[client].size() + old_calls_[client].size();
    if (open < kMaxCalls) events.push_back({What::kEnter, client});
    if (!calls_[client].empty()) events.push_back({What::kLeave, client});
    if (!old_calls_[client].empty()) {
      events.push_back({What::kLeaveOld, client});
    }
  }
  return events;
}

void HoldWorld::Do(const Event& event, std::string& violation) {
  const absl::Status status = Apply(event);
  const bool expected = Expected(event);
  violation = Compare(status.ok(), expected);
}

absl::Status HoldWorld::Apply(const Event& event) {
  const v1::Client client = ClientOf(event.client);
  link::v1::SetHolderRequest request;
  switch (event.what) {
    case What::kConnect:
    case What::kTake:
      *request.mutable_holder() = client;
      request.set_take(event.what == What::kTake);
      return hold_.Set(request, TimeOf(event));
    case What::kLetGo:
      request.set_expected_client_id(client.id());
      return hold_.Set(request, TimeOf(event));
    case What::kFree:
      request.set_expected_client_id(client.id());
      request.set_take(true);
      return hold_.Set(request, TimeOf(event));
    case What::kEnter: {
      const auto tenure = hold_.Enter(client, TimeOf(event));
      if (tenure.ok()) entered_ = *tenure;
      return tenure.status();
    }
    case What::kLeave:
      hold_.Leave(calls_[event.client].back());
      return absl::OkStatus();
    case What::kLeaveOld:
      hold_.Leave(old_calls_[event.client].back());
      return absl::OkStatus();
    case What::kNone:
      break;
  }
  return absl::OkStatus();
}

void HoldWorld::StopHolding() {
  if (holder_ < 0) return;
  Calls& calls = calls_[holder_];
  old_calls_[holder_].insert(old_calls_[holder_].end(), calls.begin(),
                             calls.end());
  calls.clear();
  holder_ = -1;
  lasting_ = false;
}

// In words: one client at a time; who lets go, is thrown out, or has nothing
// open any more, does not hold it.
bool HoldWorld::Expected(const Event& event) {
  const int me = event.client;
  const bool others = holder_ >= 0 && holder_ != me;
  if (event.what == What::kFree) {
    StopHolding();
    return true;
  }
  if (event.what == What::kLeaveOld) {
    old_calls_[me].pop_back();
    return true;
  }
  if (event.what == What::kLeave) {
    calls_[me].pop_back();
    if (calls_[me].empty() && !lasting_) holder_ = -1;
    return true;
  }
  if (others && event.what != What::kTake) return false;
  if (others || event.what == What::kLetGo) StopHolding();
  if (event.what == What::kLetGo) return true;
  if (holder_ != me) since_ = TimeOf(event);
  holder_ = me;
  if (event.what == What::kEnter) {
    calls_[me].push_back(entered_);
  } else {
    lasting_ = true;
  }
  return true;
}

std::string HoldWorld::Compare(bool done, bool expected) const {
  if (done && !expected) return "a client takes what another holds";
  if (!done && expected) return "a client can't hold what is free or its own";
  if (hold_.held() != (holder_ >= 0)) {
    return hold_.held() ? "somebody holds what nobody should"
                        : "nobody holds what somebody should";
  }
  if (hold_.lasting() != lasting_) return "it is held for too long, or short";
  if (holder_ >= 0 && hold_.holder().client().id() != ClientOf(holder_).id()) {
    return "another holds it";
  }
  if (holder_ >= 0 && FromProto(hold_.holder().since()) != since_) {
    return "it is held since another time";
  }
  return "";
}

// The rules see nothing but these.
std::string HoldWorld::Key() const {
  return absl::StrCat(holder_, lasting_, calls_[0].size(), calls_[1].size(),
                      old_calls_[0].size(), old_calls_[1].size());
}

}  // namespace berth::model

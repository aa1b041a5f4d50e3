// What a broker may ask of an agent, as far as this needs no stream: to make,
// hold and end sessions, and the first frames of calls.

#include <stddef.h>
#include <stdint.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/link/holder_requests.h"
#include "agent/sessions/configurations.h"
#include "agent/sessions/managed_session.h"
#include "agent/sessions/session_service.h"
#include "agent/sessions/worker_pool.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"
#include "tests/fuzz/packets.h"

namespace {

using berth::fuzz::Expect;
using berth::fuzz::Packet;
namespace v1 = berth::v1;
namespace link = berth::link;

// An agent without a link, and without holders: it makes no session, but for
// that decides all there is to decide.
struct Agent {
  Agent() { Expect(service.Start().ok()); }
  berth::fuzz::Scratch scratch;
  berth::agent::Configurations configurations{scratch.path() + "/agent.toml",
                                              true, ""};
  bool loaded = [this] {
    spdlog::set_level(spdlog::level::off);
    return configurations.Load().ok();
  }();
  berth::agent::WorkerPool workers{4};
  berth::agent::SessionService service{
      {scratch.path() + "/state", scratch.path() + "/no-holder", "web01"},
      configurations,
      workers,
      {[](const auto&, bool) {}, [](const auto&) {}}};
};

template <typename Message>
Message Parse(absl::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), bytes.size())) message.Clear();
  return message;
}

void Ask(Agent& agent, const link::v1::Request& request) {
  if (request.has_create()) {
    Expect(!agent.service.Create(request.create()).ok());
  } else if (request.has_remove()) {
    Expect(!agent.service.Remove(request.user(), request.remove()).ok());
  } else if (request.has_set_holder()) {
    Expect(!agent.service.SetHolder(request.user(), request.set_holder()).ok());
  }
}

v1::Session NewSession(bool temporary) {
  v1::Session session;
  session.set_instance_id("f47ac10b-58cc-4372-a567-0e02b2c3d479");
  session.set_id(3);
  session.set_temporary(temporary);
  session.mutable_holder()->mutable_client()->set_id("a");
  session.mutable_idle_timeout()->set_seconds(7200);
  return session;
}

v1::Configuration Profile() {
  v1::Configuration profile;
  profile.mutable_max_idle_timeout()->set_seconds(86400);
  return profile;
}

// One session and the calls in it.
class World {
 public:
  explicit World(bool temporary)
      : session_("/nonexistent", NewSession(temporary), Profile()) {}

  void SetHolder(const link::v1::SetHolderRequest& request) {
    if (!session_.SetHolder(request).ok()) return;
    const v1::Session now = session_.Snapshot();
    if (now.has_end()) return;
    Expect(now.has_holder() == request.has_holder());
    const absl::Duration timeout = berth::FromProto(now.idle_timeout());
    Expect(!now.never_idles() && timeout >= absl::Seconds(60) &&
           timeout <= absl::Hours(24));
  }
  void Enter(const v1::Client& client, const std::string& visit) {
    const auto tenure = session_.Enter(client, visit);
    if (tenure.ok()) inside_.push_back(*tenure);
  }
  void Leave(bool complete) {
    if (inside_.empty()) return;
    session_.Leave(inside_.front(), complete);
    inside_.erase(inside_.begin());
  }
  void OnState(const berth::holder::v1::State& state) {
    session_.OnState(state);
  }
  void End(const v1::SessionEnd& end) {
    const bool first = !session_.ended();
    Expect(session_.End(end) == first);
    Expect(session_.ended() && !session_.Snapshot().has_holder());
  }
  void Check() {
    const v1::Session now = session_.Snapshot();
    if (!now.has_end() && !inside_.empty() && !now.temporary()) {
      Expect(now.has_activity());
    }
    session_.TakeReport(true);
    session_.IdleLeft();
  }

 private:
  berth::agent::ManagedSession session_;
  std::vector<berth::agent::Hold::Tenure> inside_;
};

void CheckStart(const v1::StartCommand& start) {
  const auto request = berth::agent::MakeStartRequest(start);
  if (!request.ok()) return;
  Expect(berth::IsUuid(request->start().command_id()));
  Expect(request->ByteSizeLong() < 1024);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Agent* const agent = new Agent;
  if (size == 0) return 0;
  World world(data[0] & 1);
  berth::fuzz::Packets packets(data + 1, size - 1);
  for (int i = 0; i < 32; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    switch (packet->kind % 7) {
      case 0:
        world.SetHolder(Parse<link::v1::SetHolderRequest>(packet->bytes));
        break;
      case 1: {
        const auto open = Parse<v1::RunRequest>(packet->bytes);
        world.Enter(open.open().client(), open.start().command_id());
        CheckStart(open.start());
        break;
      }
      case 2:
        world.Leave(packet->kind >= 128);
        break;
      case 3:
        world.OnState(Parse<berth::holder::v1::State>(packet->bytes));
        break;
      case 4:
        Ask(*agent, Parse<link::v1::Request>(packet->bytes));
        break;
      case 5:
        Ask(*agent, Parse<link::v1::BrokerMessage>(packet->bytes).request());
        break;
      default:
        world.End(Parse<v1::SessionEnd>(packet->bytes));
    }
    world.Check();
  }
  for (const auto& left : std::filesystem::directory_iterator(
           agent->scratch.path() + "/state/sessions")) {
    Expect(left.path().empty());  // Nothing was made, so nothing stays.
  }
  return 0;
}

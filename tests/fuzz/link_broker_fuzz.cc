// What an agent may say to a broker: of its own sessions alone, and whatever
// it says the registry stays consistent.

#include <stddef.h>
#include <stdint.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "broker/registry/registry.h"
#include "tests/fuzz/packets.h"

namespace {

using berth::broker::ComputerRecord;
using berth::broker::Registry;
using berth::fuzz::Expect;
namespace v1 = berth::v1;
namespace link = berth::link;

constexpr const char* kComputers[] = {"web01", "db01"};

std::string Told(const Registry& registry, const char* computer) {
  size_t sum = 0;
  size_t count = 0;
  for (const auto& session : registry.SessionsOn(computer)) {
    sum += std::hash<std::string>()(session->SerializeAsString());
    ++count;
  }
  return absl::StrCat(count, " ", sum);
}

void Take(Registry& registry, const char* computer,
          const link::v1::AgentMessage& message, absl::Time now) {
  ComputerRecord record;
  switch (message.message_case()) {
    case link::v1::AgentMessage::kHello:
      registry.LinkUp(computer, message.hello(), now, &record);
      break;
    case link::v1::AgentMessage::kSession:
      registry.Put(computer, message.session().session()).IgnoreError();
      break;
    case link::v1::AgentMessage::kGone:
      registry.Remove(computer, message.gone().instance_id());
      break;
    case link::v1::AgentMessage::kConfigurationsChanged:
      registry.SetConfigurations(computer, message.configurations_changed(),
                                 &record);
      break;
    default:
      registry.LinkDown(computer, now);
  }
}

void CheckSession(const Registry& registry, const char* computer,
                  const v1::Session& session) {
  Expect(session.computer() == computer);
  Expect(registry.Find(session.instance_id()) != nullptr);
  int found = 0;
  for (const auto& its : registry.SessionsOf(session.owner())) {
    found += its->instance_id() == session.instance_id();
  }
  Expect(found == 1);
  const v1::Session seen = registry.View("a", session);
  const bool opened = seen.state() == v1::SESSION_STATE_OPENED;
  Expect(seen.state() != v1::SESSION_STATE_UNSPECIFIED);
  Expect(seen.availability() != v1::SESSION_AVAILABILITY_UNSPECIFIED);
  Expect(opened || seen.availability() != v1::SESSION_AVAILABILITY_AVAILABLE);
  v1::SessionRef ref;
  ref.set_instance_id(session.instance_id());
  const auto resolved = registry.Resolve(session.owner(), ref);
  Expect(resolved.ok());
  ref.set_name(session.name());
  registry.Resolve(session.owner(), ref).IgnoreError();
  ref.set_id(session.id());
  registry.Resolve(session.owner(), ref).IgnoreError();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Registry registry;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  for (const char* computer : kComputers) {
    ComputerRecord record;
    record.name = computer;
    registry.AddComputer(record);
  }
  berth::fuzz::Packets packets(data, size);
  for (int i = 0; i < 32; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    link::v1::AgentMessage message;
    if (!message.ParseFromArray(packet->bytes.data(), packet->bytes.size())) {
      continue;
    }
    const char* other = kComputers[(packet->kind + 1) % 2];
    const std::string before = Told(registry, other);
    Take(registry, kComputers[packet->kind % 2], message,
         now += absl::Seconds(1));
    Expect(Told(registry, other) == before);
    for (const char* computer : kComputers) {
      for (const auto& session : registry.SessionsOn(computer)) {
        CheckSession(registry, computer, *session);
      }
    }
  }
  registry.Computers();
  registry.Configurations();
  registry.HeldSessions();
  registry.TakeNextId("ann");
  return 0;
}

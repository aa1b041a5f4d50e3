// The files of a session as an agent finds them when it starts: record,
// profile, the holder's identity, journal. A broken disk, or another program
// of the same user, may have left anything there.

#include <stddef.h>
#include <stdint.h>

#include <fstream>
#include <string>

#include "agent/holder/identity_file.h"
#include "agent/sessions/managed_session.h"
#include "agent/sessions/session_journal.h"
#include "agent/sessions/session_record.h"
#include "agent/sessions/session_service.h"
#include "tests/fuzz/packets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const scratch = new berth::fuzz::Scratch;
  const std::string& directory = scratch->path();
  static constexpr const char* kNames[] = {"record", "profile", "holder",
                                           "journal"};
  for (const char* name : kNames) {
    unlink((directory + "/" + name).c_str());
  }
  berth::fuzz::Packets packets(data, size);
  while (const auto packet = packets.Next()) {
    std::ofstream file(directory + "/" + kNames[packet->kind % 4],
                       std::ios::binary);
    file.write(packet->bytes.data(),
               static_cast<std::streamsize>(packet->bytes.size()));
  }
  const auto identity = berth::holder::ReadIdentityFile(directory + "/holder");
  if (identity.ok()) berth::holder::FateOf(*identity);
  const auto record = berth::agent::LoadSessionRecord(directory);
  const auto profile = berth::agent::LoadSessionProfile(directory);
  const berth::v1::SessionEnd end =
      berth::agent::FindEnd(directory, berth::holder::HolderFate::kDead);
  berth::fuzz::Expect(end.reason() != 0 || end.has_at());
  if (!record.ok()) return 0;
  berth::agent::ManagedSession session(
      directory, *record, profile.ok() ? *profile : berth::v1::Configuration());
  session.Promote();
  session.Snapshot();
  session.IdleLeft();
  session.End(end);
  berth::fuzz::Expect(session.ended());
  // What was read can be written, and read again.
  berth::fuzz::Expect(session.Save().ok());
  berth::fuzz::Expect(berth::agent::LoadSessionRecord(directory).ok());
  return 0;
}

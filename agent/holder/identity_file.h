#ifndef BERTH_AGENT_HOLDER_IDENTITY_FILE_H_
#define BERTH_AGENT_HOLDER_IDENTITY_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace berth::holder {

// Which process holds a session, so that it can be told from any other that
// gets its number later. The file "holder" in the session's directory.
struct HolderIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // Field 22 of /proc/<pid>/stat.
  std::string boot_id;       // /proc/sys/kernel/random/boot_id.
  uint32_t version = 1;      // Of the protocol.
};

// The calling process.
absl::StatusOr<HolderIdentity> OwnIdentity();

// One "name value" a line.
absl::Status WriteIdentityFile(const std::string& path,
                               const HolderIdentity& identity);

// NOT_FOUND: no such file. DATA_LOSS: it is damaged.
absl::StatusOr<HolderIdentity> ReadIdentityFile(const std::string& path);

// What has become of a holder.
enum class HolderFate {
  kAlive,
  kDead,
  kRebooted,  // The computer was restarted since.
};
HolderFate FateOf(const HolderIdentity& identity);

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_IDENTITY_FILE_H_

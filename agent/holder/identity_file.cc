#include "agent/holder/identity_file.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/shell/processes.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

constexpr size_t kMaxFile = 4096;

absl::StatusOr<std::string> BootId() {
  BERTH_ASSIGN_OR_RETURN(std::string id,
                         ReadFile("/proc/sys/kernel/random/boot_id", kMaxFile));
  return std::string(absl::StripSuffix(id, "\n"));
}

bool ParseLine(absl::string_view line, HolderIdentity& identity) {
  std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  auto [name, value] = parts;
  if (name == "pid") return absl::SimpleAtoi(value, &identity.pid);
  if (name == "start_ticks") {
    return absl::SimpleAtoi(value, &identity.start_ticks);
  }
  if (name == "version") return absl::SimpleAtoi(value, &identity.version);
  if (name == "boot_id") identity.boot_id = std::string(value);
  return true;  // From a later version.
}

}  // namespace

absl::StatusOr<HolderIdentity> OwnIdentity() {
  HolderIdentity identity;
  identity.pid = getpid();
  auto info = shell::GetProcessInfo(identity.pid);
  if (!info) return absl::InternalError("can't read /proc/self/stat");
  identity.start_ticks = info->start_ticks;
  BERTH_ASSIGN_OR_RETURN(identity.boot_id, BootId());
  return identity;
}

absl::Status WriteIdentityFile(const std::string& path,
                               const HolderIdentity& identity) {
  return WriteFileAtomically(
      path, absl::StrCat("pid ", identity.pid, "\nstart_ticks ",
                         identity.start_ticks, "\nboot_id ", identity.boot_id,
                         "\nversion ", identity.version, "\n"));
}

absl::StatusOr<HolderIdentity> ReadIdentityFile(const std::string& path) {
  BERTH_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxFile));
  HolderIdentity identity;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!ParseLine(line, identity)) {
      return absl::DataLossError(absl::StrCat(path, " is damaged"));
    }
  }
  if (identity.pid <= 0 || identity.boot_id.empty()) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  return identity;
}

HolderFate FateOf(const HolderIdentity& identity) {
  absl::StatusOr<std::string> boot_id = BootId();
  if (boot_id.ok() && *boot_id != identity.boot_id) {
    return HolderFate::kRebooted;
  }
  auto info = shell::GetProcessInfo(identity.pid);
  bool alive =
      info && info->start_ticks == identity.start_ticks && info->state != 'Z';
  return alive ? HolderFate::kAlive : HolderFate::kDead;
}

}  // namespace berth::holder

#include "agent/link/os_name.h"

#include <sys/utsname.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/holder/text.h"
#include "base/files.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxName = 200;

}  // namespace

std::string OsName() {
  const auto release = ReadFile("/etc/os-release");
  if (release.ok()) {
    for (absl::string_view line : absl::StrSplit(*release, '\n')) {
      if (!absl::ConsumePrefix(&line, "PRETTY_NAME=")) continue;
      absl::ConsumePrefix(&line, "\"");
      absl::ConsumeSuffix(&line, "\"");
      return holder::ValidText(line, kMaxName);
    }
  }
  utsname names{};
  if (uname(&names) != 0) return "Linux";
  return absl::StrCat(names.sysname, " ", names.release);
}

}  // namespace berth::agent

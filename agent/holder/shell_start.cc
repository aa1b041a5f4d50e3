#include "agent/holder/shell_start.h"

#include <sys/resource.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// Enough for all connections, waiting commands, and many that left processes.
constexpr rlim_t kOpenFiles = 4096;

// Returns what the limit was.
std::optional<uint64_t> RaiseOpenFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  uint64_t before = limit.rlim_cur;
  if (before >= kOpenFiles) return std::nullopt;
  limit.rlim_cur = std::min(limit.rlim_max, kOpenFiles);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return before;
}

absl::StatusOr<shell::ShellKind> KindOf(const v1::HolderStart& start) {
  switch (start.kind()) {
    case v1::HolderStart::SHELL_KIND_UNSPECIFIED:
    case v1::HolderStart::BASH:
      return shell::ShellKind::kBash;
    case v1::HolderStart::ZSH:
      return shell::ShellKind::kZsh;
    case v1::HolderStart::PYTHON:
      return shell::ShellKind::kPython;
    default:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("this holder knows no shells of kind ", start.kind()));
}

}  // namespace

absl::StatusOr<shell::ShellOptions> ShellOptionsOf(
    const v1::HolderStart& start) {
  shell::ShellOptions options;
  BERTH_ASSIGN_OR_RETURN(options.kind, KindOf(start));
  options.directory = start.directory();
  shell::TerminalProcessOptions& process = options.process;
  process.open_files = RaiseOpenFiles();
  process.program = start.shell();
  process.arguments.assign(start.arguments().begin(), start.arguments().end());
  process.environment.assign(start.environment().begin(),
                             start.environment().end());
  process.cwd = start.cwd();
  for (const v1::ResourceLimit& limit : start.resource_limits()) {
    process.limits.push_back({limit.resource(), limit.limit()});
  }
  process.cgroup = start.cgroup();
  if (start.rows() > 0) process.rows = static_cast<uint16_t>(start.rows());
  if (start.columns() > 0) {
    process.columns = static_cast<uint16_t>(start.columns());
  }
  return options;
}

}  // namespace berth::holder

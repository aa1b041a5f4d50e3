#include "agent/sessions/shell_check.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/version.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// Longer than any trial takes.
constexpr absl::Duration kWaitLimit = absl::Seconds(20);
constexpr size_t kMaxFileBytes = 64 << 10;
// What is over this was written long ago, or by nobody who means well.
constexpr size_t kMaxShells = 256;

}  // namespace

absl::StatusOr<std::string> ShellIdentity(const std::string& path,
                                          ShellKind kind) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return ErrnoToStatus(errno, path);
  const int64_t mtime_ns =
      absl::ToUnixNanos(absl::TimeFromTimespec(status.st_mtim));
  return absl::StrCat(kVersion, " ", KindName(kind), " ", status.st_dev, " ",
                      status.st_ino, " ", mtime_ns, " ",
                      absl::CHexEscape(path));
}

std::set<std::string> ParseShells(absl::string_view text) {
  std::set<std::string> shells;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(' ', 5));
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t mtime_ns = 0;
    if (shells.size() < kMaxShells && fields.size() == 6 &&
        fields[0] == kVersion && absl::SimpleAtoi(fields[2], &device) &&
        absl::SimpleAtoi(fields[3], &inode) &&
        absl::SimpleAtoi(fields[4], &mtime_ns) &&
        absl::StartsWith(fields[5], "/")) {
      shells.emplace(line);
    }
  }
  return shells;
}

void ShellCheck::Load() {
  const absl::StatusOr<std::string> text = ReadFile(file_, kMaxFileBytes);
  if (!text.ok()) {
    if (!absl::IsNotFound(text.status())) {
      SPDLOG_WARN("shells are tested again: {}", text.status().ToString());
    }
    return;
  }
  MutexLock lock(mu_);
  passed_ = ParseShells(*text);
}

absl::Status ShellCheck::Check(const std::string& shell, ShellKind kind) {
  const absl::StatusOr<std::string> identity = ShellIdentity(shell, kind);
  // Whoever starts it says what is wrong with it.
  if (!identity.ok()) return absl::OkStatus();
  std::shared_ptr<Run> run;
  {
    MutexLock lock(mu_);
    if (passed_.contains(*identity)) return absl::OkStatus();
    std::shared_ptr<Run>& current = runs_[*identity];
    if (current != nullptr) return WaitFor(*std::shared_ptr(current), shell);
    run = current = std::make_shared<Run>();
  }
  const absl::Status result = trial_(shell, kind);
  {
    MutexLock lock(mu_);
    run->result = result;
    runs_.erase(*identity);
    if (result.ok()) passed_.insert(*identity);
    ended_.NotifyAll();
  }
  if (result.ok()) Save();
  return result;
}

absl::Status ShellCheck::WaitFor(const Run& run, const std::string& shell) {
  const absl::Time deadline = MonotonicNow() + kWaitLimit;
  while (!run.result.has_value()) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the self-test of the shell ", shell, " takes longer than ",
          absl::FormatDuration(kWaitLimit), "; try again"));
    }
    ended_.WaitFor(mu_, left);
  }
  return *run.result;
}

void ShellCheck::Save() {
  MutexLock io_lock(io_mu_);
  std::string text;
  {
    MutexLock lock(mu_);
    text = absl::StrCat(absl::StrJoin(passed_, "\n"), "\n");
  }
  const absl::Status saved = WriteFileAtomically(file_, text);
  if (!saved.ok()) {
    SPDLOG_WARN("shells will be tested again: {}", saved.ToString());
  }
}

}  // namespace berth::agent

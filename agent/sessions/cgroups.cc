#include "agent/sessions/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::agent {
namespace {

// Where the agent goes to: a cgroup whose children have controllers may have
// no processes of its own.
constexpr char kAgentLeaf[] = "berth-agent";
constexpr int64_t kPeriodUs = 100'000;
constexpr absl::Duration kRemoveLimit = absl::Seconds(1);
constexpr absl::Duration kRemoveAgain = absl::Milliseconds(10);

// Files of the cgroup file system take a value in one write.
absl::Status Write(const std::string& path, const std::string& value) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid() || write(file.get(), value.data(), value.size()) !=
                           static_cast<ssize_t>(value.size())) {
    return ErrnoToStatus(errno, absl::StrCat("write '", value, "' to ", path));
  }
  return absl::OkStatus();
}

absl::Status WriteLimits(const std::string& path, const Limits& limits,
                         const CgroupControllers& controllers) {
  if (limits.memory.has_value() && controllers.memory) {
    BERTH_RETURN_IF_ERROR(
        Write(path + "/memory.max", absl::StrCat(*limits.memory)));
    // Else it would only be moved there. Kernels without swap have no such
    // file.
    Write(path + "/memory.swap.max", "0").IgnoreError();
  }
  if (limits.processes.has_value() && controllers.processes) {
    BERTH_RETURN_IF_ERROR(
        Write(path + "/pids.max", absl::StrCat(*limits.processes)));
  }
  if (limits.cpu.has_value() && controllers.cpu) {
    const auto quota = static_cast<int64_t>(*limits.cpu * kPeriodUs);
    BERTH_RETURN_IF_ERROR(
        Write(path + "/cpu.max", absl::StrCat(quota, " ", kPeriodUs)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string FindOwnCgroup(absl::string_view self_cgroup,
                          absl::string_view mounts) {
  absl::string_view own;
  for (absl::string_view line : absl::StrSplit(self_cgroup, '\n')) {
    if (absl::ConsumePrefix(&line, "0::")) own = line;
  }
  if (!absl::StartsWith(own, "/")) return "";
  for (const absl::string_view line : absl::StrSplit(mounts, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 3 || fields[2] != "cgroup2") continue;
    absl::ConsumeSuffix(&own, kAgentLeaf);
    absl::ConsumeSuffix(&own, "/");
    return absl::StrCat(fields[1], own);
  }
  return "";
}

CgroupControllers Cgroups::Controllers() const {
  CgroupControllers controllers;
  if (base_.empty() ||
      access((base_ + "/cgroup.subtree_control").c_str(), W_OK) != 0 ||
      access(base_.c_str(), W_OK) != 0) {
    return controllers;
  }
  const absl::StatusOr<std::string> text =
      ReadFile(base_ + "/cgroup.controllers");
  if (!text.ok()) return controllers;
  const absl::flat_hash_set<std::string> words =
      absl::StrSplit(absl::StripAsciiWhitespace(*text), ' ', absl::SkipEmpty());
  controllers.memory = words.contains("memory");
  controllers.processes = words.contains("pids");
  controllers.cpu = words.contains("cpu");
  return controllers;
}

absl::Status Cgroups::Enable(const CgroupControllers& controllers) const {
  std::string wanted;
  if (controllers.memory) absl::StrAppend(&wanted, " +memory");
  if (controllers.processes) absl::StrAppend(&wanted, " +pids");
  if (controllers.cpu) absl::StrAppend(&wanted, " +cpu");
  const std::string file = base_ + "/cgroup.subtree_control";
  const std::string words = wanted.substr(1);
  if (Write(file, words).ok()) return absl::OkStatus();
  // The agent itself may be in the way.
  const std::string leaf = absl::StrCat(base_, "/", kAgentLeaf);
  if (mkdir(leaf.c_str(), 0755) == 0 || errno == EEXIST) {
    Write(leaf + "/cgroup.procs", absl::StrCat(getpid())).IgnoreError();
  }
  return Write(file, words);
}

absl::StatusOr<std::string> Cgroups::Make(absl::string_view instance_id,
                                          const Limits& limits) const {
  CgroupControllers needed = Controllers();
  needed.memory = needed.memory && limits.memory.has_value();
  needed.processes = needed.processes && limits.processes.has_value();
  needed.cpu = needed.cpu && limits.cpu.has_value();
  if (!needed.memory && !needed.processes && !needed.cpu) return "";
  const std::string path = absl::StrCat(base_, "/session-", instance_id);
  absl::Status status = Enable(needed);
  if (status.ok() && mkdir(path.c_str(), 0755) != 0) {
    status = ErrnoToStatus(errno, path);
  }
  if (status.ok()) {
    status = WriteLimits(path, limits, needed);
    if (!status.ok()) Remove(path);
  }
  if (status.ok()) return path;
  return absl::FailedPreconditionError(
      absl::StrCat("the session's limits can't be set: ", status.message(),
                   "; give the agent a cgroup of its own ('cgroup' in "
                   "agent.toml)"));
}

void Cgroups::Remove(const std::string& path) {
  const absl::Time deadline = MonotonicNow() + kRemoveLimit;
  while (rmdir(path.c_str()) != 0 && errno == EBUSY &&
         MonotonicNow() < deadline) {
    // Of kernels since 5.14; before, what the holder left is all there is.
    Write(path + "/cgroup.kill", "1").IgnoreError();
    absl::SleepFor(kRemoveAgain);
  }
}

}  // namespace berth::agent

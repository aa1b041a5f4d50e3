#ifndef BERTH_AGENT_SESSIONS_CGROUPS_H_
#define BERTH_AGENT_SESSIONS_CGROUPS_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/configuration.h"

namespace berth::agent {

// Which limits cgroups can keep here.
struct CgroupControllers {
  bool memory = false;
  bool processes = false;
  bool cpu = false;
};

// Cgroups makes a cgroup (v2) for each session that needs one, below a
// directory of the cgroup file system. Where there is none, or it may not be
// written, it has no controllers, and the sessions' limits are left to others.
// Thread-safe: it keeps nothing.
class Cgroups {
 public:
  // `base` empty: there is none.
  explicit Cgroups(std::string base) : base_(std::move(base)) {}

  // The controllers that sessions' cgroups can have.
  CgroupControllers Controllers() const;

  // Makes the cgroup of a session, with those of `limits` that Controllers()
  // allows; empty if that is none. FAILED_PRECONDITION: it can't be made,
  // though it could be.
  absl::StatusOr<std::string> Make(absl::string_view instance_id,
                                   const Limits& limits) const;

  // Ends what is left in the cgroup at `path` and removes it. Waits, for a
  // second at most. Harmless if it is not there.
  static void Remove(const std::string& path);

 private:
  absl::Status Enable(const CgroupControllers& controllers) const;

  const std::string base_;
};

// The directory of the calling process's own cgroup, by the texts of
// /proc/self/cgroup and /proc/self/mounts; the one above it if the agent moved
// there by itself. Empty if there is none of version 2.
std::string FindOwnCgroup(absl::string_view self_cgroup,
                          absl::string_view mounts);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CGROUPS_H_

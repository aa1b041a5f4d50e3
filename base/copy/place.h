#ifndef BERTH_BASE_COPY_PLACE_H_
#define BERTH_BASE_COPY_PLACE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::copy {

// Where a session's copies may reach, and what their paths mean. Thread-safe:
// constant, but for the file system.
class Place {
 public:
  // Of a session with a shell: all that this process may reach. Relative paths
  // begin at `cwd`, those with "~" at `home`.
  Place(std::string cwd, std::string home)
      : cwd_(std::move(cwd)), home_(std::move(home)) {}

  // Of a restricted session: what is below `area` and nothing else. No link is
  // followed there, since a copy can make one. The folder is made.
  static absl::StatusOr<Place> Restricted(std::string area);

  // What a client's path means: absolute; or relative to the area. Errors say
  // what a path may be. PERMISSION_DENIED: outside of the area.
  absl::StatusOr<std::string> Resolve(absl::string_view path) const;

  // Opens a resolved path with O_PATH.
  absl::StatusOr<UniqueFd> Open(const std::string& path) const;

  // Where something is to be stored.
  struct Destination {
    UniqueFd folder;
    std::string folder_path;
    // Absolute, as far as the client knows; to be resolved again.
    std::string path;
    // Set if the one source gets this name in `folder`.
    std::string name;
  };
  // NOT_FOUND: its folder is not there. FAILED_PRECONDITION: it is no folder,
  // but has to be.
  absl::StatusOr<Destination> OpenDestination(
      const v1::CopyDestination& to) const;

  bool restricted() const { return area_.valid(); }
  // What is stored in the area, as sums of Quota::Cost(). ABORTED: somebody
  // else copies into it, and does so until that Place is gone.
  absl::StatusOr<uint64_t> LockAndMeasure() const;

 private:
  Place(UniqueFd area, std::string shown)
      : cwd_(std::move(shown)), area_(std::move(area)) {}

  absl::StatusOr<UniqueFd> OpenBelow(const std::string& path, bool make) const;
  absl::Status MakeFolders(const std::string& path) const;
  std::string Show(absl::string_view path) const;

  std::string cwd_;
  std::string home_;
  UniqueFd area_;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_PLACE_H_

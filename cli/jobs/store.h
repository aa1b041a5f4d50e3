#ifndef BERTH_CLI_JOBS_STORE_H_
#define BERTH_CLI_JOBS_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/invocation/environment.h"
#include "cli/jobs/job.pb.h"

namespace berth::cli {

// The jobs of one user on one machine: a file each, that only they can read.
// Safe for many processes and threads.
class JobStore {
 public:
  // Makes the directory if it is not there.
  static absl::StatusOr<JobStore> Open(const Environment& environment);

  // Keeps a new job; gives it its id, which none had before, and its name if it
  // has none.
  absl::Status Add(jobs::Job& job) const;
  // Keeps it as it is now.
  absl::Status Update(const jobs::Job& job) const;
  absl::Status Remove(uint32_t id) const;

  // By id.
  absl::StatusOr<std::vector<jobs::Job>> List() const;

  // The one that "%1", "1", "job:1", "nightly" or "job:nightly" means; of
  // several with one name the latest. NotFound.
  absl::StatusOr<jobs::Job> Find(absl::string_view text) const;

 private:
  explicit JobStore(std::string directory) : directory_(std::move(directory)) {}
  std::string PathOf(uint32_t id) const;
  absl::StatusOr<uint32_t> TakeId() const;

  std::string directory_;
};

// As JobStore::Find(), for who only needs one.
absl::StatusOr<jobs::Job> FindJob(const Environment& environment,
                                  absl::string_view text);

// Whether `text` can only mean a job: "%1", "job:1" or "job:nightly".
bool IsJobName(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_JOBS_STORE_H_

#ifndef BERTH_CLI_JOBS_RENDER_H_
#define BERTH_CLI_JOBS_RENDER_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/jobs/follow.h"
#include "cli/jobs/job.pb.h"
#include "cli/render/format.h"

namespace berth::cli {

// A job, and how far its targets are; `error` if that can't be told.
struct JobView {
  jobs::Job job;
  std::vector<JobTargetState> states;
  std::string error;
};

// A list of jobs, as `jobs` prints it.
std::string RenderJobs(const std::vector<JobView>& jobs, Format format,
                       absl::Time now);

}  // namespace berth::cli

#endif  // BERTH_CLI_JOBS_RENDER_H_

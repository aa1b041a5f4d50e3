#include "cli/commands/jobs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/client/sessions.h"
#include "cli/commands/parser.h"
#include "cli/jobs/follow.h"
#include "cli/jobs/render.h"
#include "cli/jobs/store.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "A job is a command that 'berth run --job' left running on many targets.\n"
    "It is known to you on this machine alone; how far it is, is asked of its\n"
    "sessions, which know it from anywhere. 'rm' forgets jobs; it ends "
    "nothing\n"
    "('berth rm' ends sessions).\n\n"
    "Examples:\n"
    "  berth run -c 'web*' --job nightly -- ./backup\n"
    "  berth jobs\n"
    "  berth jobs nightly -o wide\n"
    "  berth wait %1; berth receive %1\n"
    "  berth jobs rm %1\n";

// The jobs that `names` mean; all, if there are none.
absl::StatusOr<std::vector<jobs::Job>> FindJobs(
    const JobStore& store, const std::vector<std::string>& names) {
  if (names.empty()) return store.List();
  std::vector<jobs::Job> found;
  for (const std::string& name : names) {
    absl::StatusOr<jobs::Job> job = store.Find(name);
    if (!job.ok()) return job.status();
    found.push_back(*std::move(job));
  }
  return found;
}

int Remove(Invocation& invocation, const JobStore& store,
           const std::vector<jobs::Job>& jobs) {
  for (const jobs::Job& job : jobs) {
    const absl::Status status = store.Remove(job.id());
    if (!status.ok()) return invocation.Fail(status);
  }
  return 0;
}

int List(Invocation& invocation, Connection& connection,
         std::vector<jobs::Job> jobs, Format format) {
  std::vector<JobView> views;
  for (jobs::Job& job : jobs) {
    JobView view;
    if (job.broker() != connection.broker()) {
      view.error = absl::StrCat("it is with broker ", job.broker());
    } else if (auto states = AskJob(invocation, connection, job); states.ok()) {
      view.states = *std::move(states);
    } else {
      view.error = std::string(states.status().message());
    }
    view.job = std::move(job);
    views.push_back(std::move(view));
    if (invocation.signals().left()) return invocation.signals().exit_code();
  }
  return invocation.Print(RenderJobs(views, format, absl::Now()));
}

}  // namespace

int RunJobs(Invocation& invocation, std::vector<std::string> words) {
  std::vector<std::string> names;
  Format format = Format::kTable;
  Parser parser("jobs", "Lists jobs, or with 'rm' forgets them.", kExamples);
  parser.app()
      .add_option("jobs", names, "which: %1, or a name; without it, all")
      ->type_name("[rm] JOB");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  names = SplitLists(names);
  const bool remove = !names.empty() && names.front() == "rm";
  if (remove) names.erase(names.begin());
  if (remove && names.empty()) {
    invocation.Say("no job named: as in 'berth jobs rm %1'");
    return kUsageExit;
  }
  const auto store = JobStore::Open(invocation.environment());
  if (!store.ok()) return invocation.Fail(store.status());
  auto jobs = FindJobs(*store, names);
  if (!jobs.ok()) return invocation.Fail(jobs.status());
  if (remove) return Remove(invocation, *store, *jobs);
  if (jobs->empty()) {
    return invocation.Print(RenderJobs({}, format, absl::Now()));
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  return List(invocation, **connection, *std::move(jobs), format);
}

}  // namespace berth::cli

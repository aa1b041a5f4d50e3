#include "cli/jobs/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "cli/config/paths.h"
#include "google/protobuf/text_format.h"

namespace berth::cli {
namespace {

constexpr char kSuffix[] = ".job";
constexpr size_t kMaxFile = 64 << 20;

// The id that a file's name says; 0: none.
uint32_t IdOf(absl::string_view name) {
  uint32_t id = 0;
  if (!absl::ConsumeSuffix(&name, kSuffix) || !absl::SimpleAtoi(name, &id)) {
    return 0;
  }
  return id;
}

}  // namespace

bool IsJobName(absl::string_view text) {
  return absl::StartsWith(text, "%") || absl::StartsWith(text, "job:");
}

absl::StatusOr<jobs::Job> FindJob(const Environment& environment,
                                  absl::string_view text) {
  BERTH_ASSIGN_OR_RETURN(const JobStore store, JobStore::Open(environment));
  return store.Find(text);
}

absl::StatusOr<JobStore> JobStore::Open(const Environment& environment) {
  BERTH_ASSIGN_OR_RETURN(std::string directory, StateDirectory(environment));
  absl::StrAppend(&directory, "/jobs");
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  return JobStore(std::move(directory));
}

std::string JobStore::PathOf(uint32_t id) const {
  return absl::StrCat(directory_, "/", id, kSuffix);
}

absl::Status JobStore::Add(jobs::Job& job) const {
  if (!job.name().empty()) {
    BERTH_RETURN_IF_ERROR(CheckName("job", job.name()));
  }
  BERTH_ASSIGN_OR_RETURN(const std::vector<jobs::Job> all, List());
  uint32_t id = all.empty() ? 1 : all.back().id() + 1;
  for (;; ++id) {
    // Whoever makes the file has the id.
    const UniqueFd file(open(PathOf(id).c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.valid()) break;
    if (errno != EEXIST) return ErrnoToStatus(errno, PathOf(id));
  }
  job.set_id(id);
  if (job.name().empty()) job.set_name(absl::StrCat("Job", id));
  return Update(job);
}

absl::Status JobStore::Update(const jobs::Job& job) const {
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(job, &text)) {
    return absl::InternalError("a job that can't be written");
  }
  return WriteFileAtomically(PathOf(job.id()), text);
}

absl::Status JobStore::Remove(uint32_t id) const {
  if (unlink(PathOf(id).c_str()) == 0) return absl::OkStatus();
  return ErrnoToStatus(errno, PathOf(id));
}

absl::StatusOr<std::vector<jobs::Job>> JobStore::List() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      opendir(directory_.c_str()), closedir);
  if (directory == nullptr) return ErrnoToStatus(errno, directory_);
  std::vector<jobs::Job> all;
  while (const dirent* entry = readdir(directory.get())) {
    const uint32_t id = IdOf(entry->d_name);
    if (id == 0) continue;
    const auto text = ReadFile(PathOf(id), kMaxFile);
    jobs::Job job;
    // One that is just being made, or removed, is not there yet, or any more.
    if (!text.ok() ||
        !google::protobuf::TextFormat::ParseFromString(*text, &job) ||
        job.id() != id) {
      continue;
    }
    all.push_back(std::move(job));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.id() < b.id(); });
  return all;
}

absl::StatusOr<jobs::Job> JobStore::Find(absl::string_view text) const {
  absl::string_view name = text;
  if (!absl::ConsumePrefix(&name, "%")) absl::ConsumePrefix(&name, "job:");
  BERTH_ASSIGN_OR_RETURN(std::vector<jobs::Job> all, List());
  uint32_t id = 0;
  const bool by_id = absl::SimpleAtoi(name, &id);
  for (auto job = all.rbegin(); job != all.rend(); ++job) {
    if (by_id ? job->id() == id : job->name() == name) return std::move(*job);
  }
  return absl::NotFoundError(
      absl::StrCat("no job '", EscapeForTerminal(text), "'; see 'berth jobs'"));
}

}  // namespace berth::cli

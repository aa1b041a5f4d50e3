#include "cli/jobs/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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
// The id that was given last, so that no job gets that of one that was removed.
constexpr char kLastId[] = "last";
constexpr int kIdWidth = 10;
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
  BERTH_ASSIGN_OR_RETURN(const uint32_t id, TakeId());
  job.set_id(id);
  if (job.name().empty()) job.set_name(absl::StrCat("Job", id));
  return Update(job);
}

absl::StatusOr<uint32_t> JobStore::TakeId() const {
  const std::string path = absl::StrCat(directory_, "/", kLastId);
  const UniqueFd file(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Until it is closed; nobody has it for longer than this takes.
  if (!file.valid() || flock(file.get(), LOCK_EX) != 0) {
    return ErrnoToStatus(errno, path);
  }
  char text[kIdWidth + 1] = "";
  const ssize_t length = pread(file.get(), text, kIdWidth, 0);
  uint32_t id = 0;
  // What can't be read is made up for by the jobs that are there.
  if (length > 0 && !absl::SimpleAtoi(text, &id)) id = 0;
  BERTH_ASSIGN_OR_RETURN(const std::vector<jobs::Job> all, List());
  if (!all.empty()) id = std::max(id, all.back().id());
  const std::string next = absl::StrFormat("%0*u", kIdWidth, ++id);
  if (pwrite(file.get(), next.data(), next.size(), 0) != kIdWidth) {
    return ErrnoToStatus(errno, path);
  }
  return id;
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

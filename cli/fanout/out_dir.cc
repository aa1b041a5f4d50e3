#include "cli/fanout/out_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::cli {

absl::StatusOr<std::unique_ptr<OutDirPresenter>> OutDirPresenter::Make(
    const std::string& path, const std::vector<TargetName>& names) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoToStatus(errno, absl::StrCat(path, ": making the directory"));
  }
  UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return ErrnoToStatus(errno, absl::StrCat(path, ": opening the directory"));
  }
  std::unique_ptr<OutDirPresenter> result(
      new OutDirPresenter(path, std::move(directory)));
  for (const TargetName& name : names) {
    result->names_.push_back(absl::StrReplaceAll(name.label, {{"/", "@"}}));
  }
  result->files_.resize(names.size());
  return result;
}

absl::StatusOr<UniqueFd> OutDirPresenter::Open(const std::string& name) const {
  UniqueFd file(openat(
      directory_.get(), name.c_str(),
      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600));
  if (!file.valid())
    return ErrnoToStatus(errno, absl::StrCat(path_, "/", name));
  return file;
}

absl::Status OutDirPresenter::OpenOutput(size_t target) {
  Files& files = files_[target];
  if (files.out.valid()) return absl::OkStatus();
  BERTH_ASSIGN_OR_RETURN(files.out, Open(names_[target] + ".out"));
  BERTH_ASSIGN_OR_RETURN(files.err, Open(names_[target] + ".err"));
  return absl::OkStatus();
}

Presenter::Taken OutDirPresenter::Output(size_t target, v1::OutputStream stream,
                                         uint64_t offset,
                                         absl::string_view data) {
  Taken taken{0, offset + data.size(), OpenOutput(target)};
  if (!taken.status.ok()) return taken;
  const bool err = stream == v1::OUTPUT_STREAM_STDERR;
  taken.status =
      WriteAll((err ? files_[target].err : files_[target].out).get(), data);
  if (!taken.status.ok()) {
    taken.status = absl::Status(
        taken.status.code(),
        absl::StrCat(path_, "/", names_[target],
                     err ? ".err: " : ".out: ", taken.status.message()));
  }
  return taken;
}

absl::Status OutDirPresenter::Ended(size_t target, const Outcome& outcome) {
  if (outcome.state != TargetState::kSkipped) {
    BERTH_RETURN_IF_ERROR(OpenOutput(target));
  }
  files_[target] = Files();
  BERTH_ASSIGN_OR_RETURN(const UniqueFd file, Open(names_[target] + ".status"));
  std::string line(StateName(outcome.state));
  if (outcome.state == TargetState::kOk ||
      outcome.state == TargetState::kFailed) {
    absl::StrAppend(&line, " ", outcome.exit_code);
  }
  return WriteAll(file.get(), line + "\n");
}

}  // namespace berth::cli

#include "base/copy/walker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/copy/names.h"
#include "base/files.h"

namespace berth::copy {
namespace {

// A fifo without a writer must not keep us.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// Opens for reading what was opened with O_PATH.
UniqueFd Reopen(int fd, int flags) {
  return UniqueFd(
      open(absl::StrCat("/proc/self/fd/", fd).c_str(), kReadFlags | flags));
}

}  // namespace

absl::StatusOr<UniqueFd> OpenAnywhere(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, path);
  return fd;
}

Walker::Walker(Options options) : options_(std::move(options)) {
  if (!options_.after.has_value()) return;
  source_ = options_.after->source();
  resume_.assign(options_.after->names().begin(),
                 options_.after->names().end());
  if (options_.after->whole() && resume_.empty()) {
    ++source_;
  } else {
    source_done_ = true;
  }
}

Step Walker::Next() {
  Step step;
  step.source = source_;
  if (levels_.empty()) {
    if (source_ >= options_.sources.size()) return step;
    if (announced_) return OpenSource();
    announced_ = true;
    step.kind = Step::Kind::kSource;
    return step;
  }
  if (!resume_.empty() && EnterAgain(step)) return step;
  SortedNames::Name name;
  do {
    if (!levels_.back().names.Next(name)) return Leave();
  } while (IsPartName(name.text));
  return Visit(name);
}

Step Walker::OpenSource() {
  Step step;
  step.source = source_;
  const std::string& path = options_.sources[source_];
  step.name = LastName(path);
  step.again = std::exchange(source_done_, false);
  announced_ = false;
  current_.clear();
  ++source_;
  const absl::StatusOr<UniqueFd> source = options_.open(path);
  if (!source.ok()) {
    step.kind = Step::Kind::kProblem;
    step.problem = std::string(source.status().message());
  } else if (fstat(source->get(), &step.info) != 0) {
    step = Problem(std::move(step), strerror(errno));
  } else if (S_ISDIR(step.info.st_mode)) {
    if (!options_.recursive) {
      return Problem(std::move(step), "is a folder: copy it with -r");
    }
    UniqueFd folder = Reopen(source->get(), O_DIRECTORY);
    if (folder.valid()) return Enter(std::move(folder), std::move(step));
    step = Problem(std::move(step), strerror(errno));
  } else if (!S_ISREG(step.info.st_mode)) {
    step = Problem(std::move(step), "is neither a file nor a folder");
  } else {
    step.kind = Step::Kind::kFile;
    step.file = Reopen(source->get(), 0);
    if (!step.file.valid()) step = Problem(std::move(step), strerror(errno));
  }
  // What is no folder was done as a whole.
  return step.again ? Next() : std::move(step);
}

bool Walker::EnterAgain(Step& step) {
  step.name = std::move(resume_.front());
  resume_.pop_front();
  UniqueFd fd(openat(folder(), step.name.c_str(),
                     kReadFlags | O_DIRECTORY | O_NOFOLLOW));
  step.again = true;
  if (!fd.valid() || fstat(fd.get(), &step.info) != 0) {
    resume_.clear();
    step = Step();
    return false;
  }
  step.source = source_ - 1;
  step = Enter(std::move(fd), std::move(step));
  return true;
}

Step Walker::Visit(const SortedNames::Name& name) {
  Step step;
  step.source = source_ - 1;
  step.name = name.text;
  current_ = name.text;
  unsigned char type = name.type;
  if (type == DT_UNKNOWN) {
    if (fstatat(folder(), name.text.c_str(), &step.info, AT_SYMLINK_NOFOLLOW) !=
        0) {
      return Problem(std::move(step), strerror(errno));
    }
    type = IFTODT(step.info.st_mode);
  }
  switch (type) {
    case DT_REG:
      return VisitFile(std::move(step));
    case DT_DIR:
      return VisitFolder(std::move(step));
    case DT_LNK:
      return VisitLink(std::move(step));
    default:
      return Problem(std::move(step),
                     "is neither a file, a folder nor a link: not copied");
  }
}

Step Walker::VisitFile(Step step) {
  step.kind = Step::Kind::kFile;
  if (options_.only_stat) {
    if (fstatat(folder(), step.name.c_str(), &step.info, AT_SYMLINK_NOFOLLOW) ==
        0) {
      return step;
    }
    return Problem(std::move(step), strerror(errno));
  }
  step.file =
      UniqueFd(openat(folder(), step.name.c_str(), kReadFlags | O_NOFOLLOW));
  if (!step.file.valid() || fstat(step.file.get(), &step.info) != 0) {
    return Problem(std::move(step), strerror(errno));
  }
  if (S_ISREG(step.info.st_mode)) return step;
  return Problem(std::move(step), "was replaced while it was copied");
}

Step Walker::VisitFolder(Step step) {
  UniqueFd fd(openat(folder(), step.name.c_str(),
                     kReadFlags | O_DIRECTORY | O_NOFOLLOW));
  if (!fd.valid() || fstat(fd.get(), &step.info) != 0) {
    return Problem(std::move(step), strerror(errno));
  }
  if (levels_.size() >= kMaxDepth) {
    return Problem(std::move(step), absl::StrCat("lies deeper than ", kMaxDepth,
                                                 " folders: not copied"));
  }
  return Enter(std::move(fd), std::move(step));
}

Step Walker::VisitLink(Step step) {
  step.kind = Step::Kind::kLink;
  char target[PATH_MAX];
  const ssize_t size =
      readlinkat(folder(), step.name.c_str(), target, sizeof(target));
  if (size < 0) return Problem(std::move(step), strerror(errno));
  step.target.assign(target, size);
  return step;
}

Step Walker::Enter(UniqueFd folder, Step step) {
  step.kind = Step::Kind::kEnter;
  absl::StatusOr<SortedNames> names = SortedNames::Open(
      std::move(folder), resume_.empty() ? "" : resume_.front());
  if (!names.ok()) return Problem(std::move(step), names.status().message());
  levels_.push_back({step.name, *std::move(names), step.info});
  current_.clear();
  if (resume_.size() == 1 && options_.after->whole()) resume_.clear();
  return step;
}

Step Walker::Leave() {
  Step step;
  step.source = source_ - 1;
  Level& level = levels_.back();
  if (!level.names.status().ok()) {
    // Told once; then it is left.
    current_.clear();
    step = Problem(std::move(step), level.names.status().message());
    level.names.ClearStatus();
    return step;
  }
  step.kind = Step::Kind::kLeave;
  step.info = level.info;
  levels_.pop_back();
  return step;
}

void Walker::SkipFolder() { levels_.back().names.SkipAll(); }

Step Walker::Problem(Step step, absl::string_view why) const {
  step.kind = Step::Kind::kProblem;
  step.problem = absl::StrCat(path(), ": ", why);
  step.file.reset();
  return step;
}

v1::CopyPosition Walker::position() const {
  v1::CopyPosition position;
  position.set_source(source_ - 1);
  for (size_t i = 1; i < levels_.size(); ++i) {
    position.add_names(levels_[i].name);
  }
  if (!current_.empty()) position.add_names(current_);
  return position;
}

std::string Walker::path() const {
  std::string path = source_ == 0 ? "" : options_.sources[source_ - 1];
  for (size_t i = 1; i < levels_.size(); ++i) {
    absl::StrAppend(&path, "/", levels_[i].name);
  }
  if (!current_.empty()) absl::StrAppend(&path, "/", current_);
  return path;
}

}  // namespace berth::copy

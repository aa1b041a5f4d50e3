#include "base/copy/receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/copy/names.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::copy {
namespace {

// Without `preserve`: what grants the owner's rights to others stays behind.
constexpr mode_t kPlainMode = 0777;
constexpr mode_t kFullMode = 07777;
// Of a folder that is not complete. It gets its own mode in the end, also by a
// later attempt: nobody else makes private folders with a sticky bit.
constexpr mode_t kNewFolderMode = 01700;

absl::Status Errno() {
  return absl::Status(absl::ErrnoToStatusCode(errno), strerror(errno));
}

}  // namespace

Receiver::Receiver(Options options)
    : options_(std::move(options)), decoder_(options_.sources) {}

Receiver::~Receiver() {
  if (file_.has_value()) Count(-file_->counted);
}

absl::Status Receiver::Take(const ReceivedFrame& frame) {
  if (options_.stopped()) return absl::CancelledError("stopped");
  for (const v1::CopyPart& part : frame.message().parts()) {
    BERTH_RETURN_IF_ERROR(decoder_.Take(part));
    BERTH_RETURN_IF_ERROR(TakePart(part));
  }
  if (frame.data_size() > 0) BERTH_RETURN_IF_ERROR(TakeData(frame));
  return absl::OkStatus();
}

absl::Status Receiver::TakePart(const v1::CopyPart& part) {
  switch (part.part_case()) {
    case v1::CopyPart::kStart:
      key_ = part.start().checksum_key();
      checksum_ = std::make_unique<Checksum>(key_);
      break;
    case v1::CopyPart::kSource:
      source_ = part.source().index();
      break;
    case v1::CopyPart::kEnter:
      Enter(part.enter());
      break;
    case v1::CopyPart::kLeave:
      Leave();
      break;
    case v1::CopyPart::kFile:
      Store(part.file());
      break;
    case v1::CopyPart::kLink:
      Link(part.link());
      break;
    case v1::CopyPart::kSeek:
      Seek(part.seek());
      break;
    case v1::CopyPart::kHole:
      Hole(part.hole().length());
      break;
    case v1::CopyPart::kEnd:
      End(part.end());
      break;
    case v1::CopyPart::kProblem:
      options_.problem(part.problem().message());
      Done(part.problem().name(), absl::OkStatus());
      break;
    case v1::CopyPart::kTotal:
      if (options_.progress != nullptr) {
        options_.progress->SetTotal(part.total().bytes(), part.total().files());
      }
      break;
    case v1::CopyPart::kFinished:
    case v1::CopyPart::PART_NOT_SET:
      has_news_ = true;
      break;
  }
  return absl::OkStatus();
}

std::string Receiver::NameOf(absl::string_view name) const {
  if (levels_.empty() && options_.names.has_value()) {
    return (*options_.names)[source_];
  }
  return std::string(name);
}

int Receiver::folder() const {
  return levels_.empty() ? options_.folder.get() : levels_.back().folder.get();
}

bool Receiver::passes_over() const {
  return !levels_.empty() && !levels_.back().folder.valid();
}

std::string Receiver::PathOf(absl::string_view name) const {
  std::string path = options_.path;
  for (const Level& level : levels_) {
    if (!level.name.empty()) absl::StrAppend(&path, "/", level.name);
  }
  if (!name.empty()) absl::StrAppend(&path, "/", name);
  return path;
}

void Receiver::Count(uint64_t bytes) {
  if (options_.progress != nullptr) options_.progress->AddBytes(bytes);
}

void Receiver::Done(absl::string_view name, const absl::Status& status) {
  if (!status.ok()) Fail(name, status, done_);
  ++done_;
  has_news_ = true;
  done_source_ = source_;
  if (!levels_.empty()) last_ = std::string(name);
}

void Receiver::Fail(absl::string_view name, const absl::Status& status,
                    uint64_t entry) {
  v1::CopyFailure& failure = *report_.add_failures();
  failure.set_entry(entry);
  // A name need not be UTF-8, as texts of a frame have to.
  failure.set_message(
      EscapeForTerminal(absl::StrCat(PathOf(name), ": ", status.message())));
  has_news_ = true;
}

std::optional<v1::CopyPosition> Receiver::position() const {
  if (!done_source_.has_value()) return std::nullopt;
  v1::CopyPosition position;
  position.set_source(*done_source_);
  position.set_whole(levels_.empty() || !last_.empty());
  for (size_t i = 1; i < levels_.size(); ++i) {
    position.add_names(levels_[i].name);
  }
  if (!last_.empty()) position.add_names(last_);
  return position;
}

std::optional<v1::CopyReport> Receiver::TakeReport() {
  if (!std::exchange(has_news_, false)) return std::nullopt;
  report_.set_done(done_);
  return std::exchange(report_, {});
}

void Receiver::Enter(const v1::CopyFolder& folder) {
  Level level;
  level.name = NameOf(folder.name());
  level.again = folder.again();
  level.mode = folder.mode() & (options_.preserve ? kFullMode : kPlainMode);
  level.time = FromProto(folder.modified_at());
  absl::Status status;
  if (!passes_over()) status = OpenFolder(level);
  if (!status.ok()) level.folder.reset();
  if (!folder.again()) Done(level.name, status);
  done_source_ = source_;
  levels_.push_back(std::move(level));
  last_.clear();
}

absl::Status Receiver::OpenFolder(Level& level) {
  constexpr int kFlags =
      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  if (level.name.empty()) {
    level.folder.reset(openat(folder(), ".", kFlags));
    return level.folder.valid() ? absl::OkStatus() : Errno();
  }
  const char* const name = level.name.c_str();
  if (options_.quota != nullptr && !level.again) {
    BERTH_RETURN_IF_ERROR(options_.quota->Take(0));
  }
  if (mkdirat(folder(), name, kNewFolderMode) != 0) {
    if (errno != EEXIST) return Errno();
    if (options_.quota != nullptr && !level.again) options_.quota->Give(0);
  }
  level.folder.reset(openat(folder(), name, kFlags));
  if (!level.folder.valid()) {
    if (errno != ENOTDIR && errno != ELOOP) return Errno();
    return absl::FailedPreconditionError(
        "is there, and is no folder: not replaced by one");
  }
  struct stat info;
  if (fstat(level.folder.get(), &info) != 0) return Errno();
  level.ours = (info.st_mode & kFullMode) == kNewFolderMode;
  return absl::OkStatus();
}

void Receiver::Leave() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  last_ = levels_.empty() ? "" : level.name;
  if (!level.folder.valid()) return;
  if (!level.ours && (!options_.preserve || level.name.empty())) return;
  absl::Status status;
  if (fchmod(level.folder.get(), level.mode) != 0) status = Errno();
  const timespec times[2] = {{0, UTIME_NOW}, absl::ToTimespec(level.time)};
  if (options_.preserve && futimens(level.folder.get(), times) != 0) {
    status = Errno();
  }
  // It is no entry of its own; so it is told with the last.
  if (!status.ok()) Fail(level.name, status, done_ - 1);
}

PartFile::Attributes Receiver::AttributesOf(const v1::CopyFile& file) const {
  return {.mode = file.mode() & (options_.preserve ? kFullMode : kPlainMode),
          .set_time = options_.preserve,
          .time = FromProto(file.modified_at())};
}

void Receiver::Store(const v1::CopyFile& file) {
  if (options_.progress != nullptr) {
    options_.progress->SetName(NameOf(file.name()));
  }
  if (file.size() > kMaxContent) return Begin(file);
  const std::string name = NameOf(file.name());
  absl::Status status;
  if (!passes_over()) status = StoreContent(file, name);
  Count(file.size());
  if (options_.progress != nullptr) options_.progress->AddFiles(1);
  Done(name, status);
}

absl::Status Receiver::StoreContent(const v1::CopyFile& file,
                                    const std::string& name) {
  const std::string& content = file.content();
  checksum_->Reset();
  checksum_->Update(content.data(), content.size());
  if (checksum_->Finish() != file.checksum()) {
    return absl::DataLossError("was damaged on its way; copy it again");
  }
  if (options_.quota != nullptr) {
    BERTH_RETURN_IF_ERROR(options_.quota->Take(file.size()));
  }
  BERTH_ASSIGN_OR_RETURN(
      PartFile part,
      PartFile::Open(folder(), name, file.size(), options_.stopped));
  const iovec piece = {const_cast<char*>(content.data()), content.size()};
  if (!content.empty()) BERTH_RETURN_IF_ERROR(part.Write({&piece, 1}, 0));
  return Commit(part, name, file);
}

absl::Status Receiver::Commit(PartFile& part, const std::string& name,
                              const v1::CopyFile& file) {
  struct stat old;
  const bool replaces =
      options_.quota != nullptr &&
      fstatat(folder(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  BERTH_RETURN_IF_ERROR(part.Commit(AttributesOf(file)));
  if (replaces) options_.quota->Give(old.st_size);
  return absl::OkStatus();
}

void Receiver::Begin(const v1::CopyFile& file) {
  file_ = File();
  file_->info = file;
  file_->name = NameOf(file.name());
  const absl::Status status =
      passes_over() ? absl::AbortedError("its folder failed") : BeginPart();
  if (status.ok()) return;
  file_->part.reset();
  if (!passes_over()) Fail(file_->name, status, done_);
  if (file.size() < kMinResumable) return;
  // The sender waits for it.
  report_.mutable_ready()->set_entry(done_);
  has_news_ = true;
}

absl::Status Receiver::BeginPart() {
  const uint64_t size = file_->info.size();
  BERTH_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(folder(), file_->name,
                                                       size, options_.stopped));
  if (options_.quota != nullptr) {
    BERTH_RETURN_IF_ERROR(options_.quota->Take(size - part.kept()));
  }
  file_->part = std::move(part);
  file_->sum = std::make_unique<Checksum>(key_);
  if (size < kMinResumable) return absl::OkStatus();
  v1::CopyReady ready;
  ready.set_entry(done_);
  if (const uint64_t kept = file_->part->kept(); kept > 0) {
    checksum_->Reset();
    BERTH_RETURN_IF_ERROR(
        file_->part->Sum(kept, *checksum_, *file_->sum, options_.stopped));
    ready.set_offset(kept);
    ready.set_checksum(checksum_->Finish());
    decoder_.ExpectSeek(kept);
  }
  *report_.mutable_ready() = ready;
  has_news_ = true;
  return absl::OkStatus();
}

void Receiver::Seek(const v1::CopySeek& seek) {
  if (!file_->part.has_value()) return;
  if (seek.offset() > 0) {
    Count(seek.offset() - file_->counted);
    file_->counted = seek.offset();
    return;
  }
  // It was another file's.
  file_->sum->Reset();
  Count(-file_->counted);
  file_->counted = 0;
  const absl::Status status = file_->part->Truncate(0);
  if (status.ok()) return;
  Fail(file_->name, status, done_);
  file_->part.reset();
}

absl::Status Receiver::TakeData(const ReceivedFrame& frame) {
  const uint64_t offset = decoder_.position();
  BERTH_RETURN_IF_ERROR(decoder_.TakeData(frame.data_size()));
  if (!file_->part.has_value() || decoder_.expects_seek()) {
    return absl::OkStatus();
  }
  const absl::Status status = file_->part->Write(frame.data(), offset);
  if (!status.ok()) {
    Fail(file_->name,
         file_->info.size() < kMinResumable
             ? status
             : absl::Status(status.code(),
                            absl::StrCat(status.message(),
                                         "; what came is kept: copy it again "
                                         "to go on from there")),
         done_);
    file_->part.reset();
    return absl::OkStatus();
  }
  for (const iovec& piece : frame.data()) {
    file_->sum->Update(piece.iov_base, piece.iov_len);
  }
  file_->counted += frame.data_size();
  Count(frame.data_size());
  return absl::OkStatus();
}

void Receiver::Hole(uint64_t length) {
  if (!file_->part.has_value() || decoder_.expects_seek()) return;
  file_->sum->UpdateZeros(length);
  file_->counted += length;
  Count(length);
}

void Receiver::End(const v1::CopyFileEnd& end) {
  absl::Status status;
  if (file_->part.has_value()) status = Complete(end);
  if (!end.problem().empty()) options_.problem(end.problem());
  if (options_.progress != nullptr) options_.progress->AddFiles(1);
  const std::string name = std::move(file_->name);
  file_.reset();
  Done(name, status);
}

absl::Status Receiver::Complete(const v1::CopyFileEnd& end) {
  if (end.checksum().empty()) return absl::OkStatus();  // `problem` says why.
  if (file_->sum->Finish() != end.checksum()) {
    file_->part->Discard();
    return absl::DataLossError("was damaged on its way; copy it again");
  }
  // A hole at the end has written nothing.
  BERTH_RETURN_IF_ERROR(file_->part->Truncate(file_->info.size()));
  return Commit(*file_->part, file_->name, file_->info);
}

void Receiver::Link(const v1::CopyLink& link) {
  const std::string name = NameOf(link.name());
  absl::Status status;
  if (!passes_over()) status = MakeLink(link, name);
  Done(name, status);
}

absl::Status Receiver::MakeLink(const v1::CopyLink& link,
                                const std::string& name) {
  if (!IsEntryName(name)) return absl::InvalidArgumentError("has no name");
  if (options_.quota != nullptr) {
    BERTH_RETURN_IF_ERROR(options_.quota->Take(0));
  }
  const char* const target = link.target().c_str();
  if (symlinkat(target, folder(), name.c_str()) == 0) return absl::OkStatus();
  if (errno != EEXIST) return Errno();
  struct stat there;
  if (fstatat(folder(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) {
    return absl::FailedPreconditionError(
        "is there, and is neither file nor link: not replaced");
  }
  const std::string part = PartName(name);
  unlinkat(folder(), part.c_str(), 0);
  if (symlinkat(target, folder(), part.c_str()) != 0 ||
      renameat(folder(), part.c_str(), folder(), name.c_str()) != 0) {
    return Errno();
  }
  return absl::OkStatus();
}

}  // namespace berth::copy

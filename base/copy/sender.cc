#include "base/copy/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::copy {
namespace {

// As much as a frame of data, so that small files travel as well.
constexpr size_t kBatch = 256 << 10;
// What a part takes besides its strings; rather more.
constexpr size_t kPartOverhead = 64;
// Not many more entries than this are ever on their way.
constexpr uint64_t kMaxUndone = 100'000;
constexpr absl::Duration kCheckTime = absl::Milliseconds(200);
// Holes that are smaller are sent as the zeros that they are.
constexpr uint64_t kMinHole = 64 << 10;

google::protobuf::Timestamp TimeOf(const struct stat& info) {
  return ToProto(absl::TimeFromTimespec(info.st_mtim));
}

bool HasHoles(const struct stat& info) {
  return static_cast<uint64_t>(info.st_blocks) * 512 + kMinHole <
         static_cast<uint64_t>(info.st_size);
}

// As pread(), but all of it unless the file ends.
ssize_t ReadFully(int fd, char* data, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(fd, data + done, size - done, offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += n;
  }
  return done;
}

}  // namespace

Sender::Sender(Options options)
    : options_(std::move(options)),
      walker_(options_.walk),
      key_(Checksum::NewKey()),
      checksum_(key_),
      position_(options_.walk.after) {
  if (options_.count) counter_ = std::make_unique<Counter>(options_.walk);
}

Sender::~Sender() {
  if (options_.progress == nullptr || all_done()) return;
  MutexLock lock(mu_);
  options_.progress->AddBytes(done_bytes_ - bytes_);
  options_.progress->AddFiles(done_files_ - files_);
}

absl::Status Sender::Run() {
  v1::CopyPart start;
  start.mutable_start()->set_checksum_key(key_);
  BERTH_RETURN_IF_ERROR(Add(std::move(start), kPartOverhead));
  for (;;) {
    Step step = walker_.Next();
    if (step.kind == Step::Kind::kEnd) break;
    BERTH_RETURN_IF_ERROR(SendStep(std::move(step)));
    BERTH_RETURN_IF_ERROR(SendTotal());
    if (entries_ % kMaxUndone == 0) BERTH_RETURN_IF_ERROR(WaitForReports());
  }
  v1::CopyPart finished;
  finished.mutable_finished();
  BERTH_RETURN_IF_ERROR(Add(std::move(finished), kPartOverhead));
  return Flush(/*more=*/false);
}

absl::Status Sender::SendStep(Step step) {
  const bool is_entry = step.is_entry();
  v1::CopyPart part;
  switch (step.kind) {
    case Step::Kind::kSource:
      part.mutable_source()->set_index(step.source);
      return Add(std::move(part), kPartOverhead);
    case Step::Kind::kLeave:
      folders_.pop_back();
      part.mutable_leave();
      return Add(std::move(part), kPartOverhead);
    case Step::Kind::kEnter:
      BERTH_RETURN_IF_ERROR(SendEnter(step));
      break;
    case Step::Kind::kFile:
      BERTH_RETURN_IF_ERROR(SendFile(std::move(step)));
      break;
    case Step::Kind::kLink:
      part.mutable_link()->set_name(step.name);
      part.mutable_link()->set_target(step.target);
      BERTH_RETURN_IF_ERROR(
          Add(std::move(part), kPartOverhead + kMaxDepth + step.target.size()));
      break;
    case Step::Kind::kProblem:
      BERTH_RETURN_IF_ERROR(SendProblem(step));
      break;
    case Step::Kind::kEnd:
      break;
  }
  if (is_entry) EntrySent();
  return absl::OkStatus();
}

absl::Status Sender::SendEnter(const Step& step) {
  folders_.push_back(step.again ? UINT64_MAX : entries_);
  v1::CopyPart part;
  v1::CopyFolder& folder = *part.mutable_enter();
  folder.set_name(step.name);
  folder.set_mode(step.info.st_mode & 07777);
  *folder.mutable_modified_at() = TimeOf(step.info);
  folder.set_again(step.again);
  return Add(std::move(part), kPartOverhead + step.name.size());
}

absl::Status Sender::SendProblem(const Step& step) {
  options_.problem(step.problem);
  // It names files, which need not be UTF-8, as texts of a frame have to.
  std::string message = EscapeForTerminal(step.problem);
  const size_t size = kPartOverhead + step.name.size() + message.size();
  v1::CopyPart part;
  part.mutable_problem()->set_name(step.name);
  part.mutable_problem()->set_message(std::move(message));
  return Add(std::move(part), size);
}

absl::Status Sender::SendFile(Step step) {
  if (options_.progress != nullptr) options_.progress->SetName(step.name);
  const absl::Status status =
      static_cast<uint64_t>(step.info.st_size) <= kMaxContent
          ? SendContent(step)
          : SendLarge(step);
  CountFile();
  return status;
}

absl::Status Sender::SendContent(const Step& step) {
  v1::CopyPart part;
  v1::CopyFile& file = *part.mutable_file();
  // As much as there is now: it may just be written.
  std::string& content = *file.mutable_content();
  content.resize(kMaxContent);
  const ssize_t size =
      ReadFully(step.file.get(), content.data(),
                std::min<size_t>(content.size(), step.info.st_size), 0);
  if (size < 0) {
    Step problem;
    problem.name = step.name;
    problem.problem = absl::StrCat(walker_.path(), ": ", strerror(errno));
    return SendProblem(problem);
  }
  content.resize(size);
  checksum_.Reset();
  checksum_.Update(content.data(), content.size());
  file.set_checksum(checksum_.Finish());
  file.set_size(content.size());
  file.set_name(step.name);
  file.set_mode(step.info.st_mode & 07777);
  *file.mutable_modified_at() = TimeOf(step.info);
  Count(size);
  return Add(std::move(part), kPartOverhead + step.name.size() + size);
}

absl::Status Sender::SendTotal() {
  if (counter_ == nullptr || !counter_->done()) return absl::OkStatus();
  const Counter::Total total = counter_->total();
  counter_.reset();
  if (options_.progress != nullptr) {
    options_.progress->SetTotal(total.bytes, total.files);
  }
  v1::CopyPart part;
  part.mutable_total()->set_bytes(total.bytes);
  part.mutable_total()->set_files(total.files);
  return Add(std::move(part), kPartOverhead);
}

absl::Status Sender::SendLarge(const Step& step) {
  mark_ = true;
  v1::CopyPart part;
  v1::CopyFile& file = *part.mutable_file();
  file.set_size(step.info.st_size);
  file.set_name(step.name);
  file.set_mode(step.info.st_mode & 07777);
  *file.mutable_modified_at() = TimeOf(step.info);
  BERTH_RETURN_IF_ERROR(Add(std::move(part), kPartOverhead + kMaxDepth));
  std::string problem;
  BERTH_RETURN_IF_ERROR(SendData(step, entries_, problem));
  v1::CopyPart last;
  v1::CopyFileEnd& end = *last.mutable_end();
  if (!problem.empty()) {
    options_.problem(problem);
    end.set_problem(EscapeForTerminal(problem));
  } else if (!Refused(entries_)) {
    end.set_checksum(checksum_.Finish());
  }
  return Add(std::move(last), kPartOverhead + end.problem().size());
}

absl::Status Sender::SendData(const Step& step, uint64_t entry,
                              std::string& problem) {
  BERTH_RETURN_IF_ERROR(Flush(/*more=*/true));
  const int fd = step.file.get();
  const uint64_t size = step.info.st_size;
  const bool has_holes = HasHoles(step.info);
  bool asked = size >= kMinResumable;
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  checksum_.Reset();
  for (uint64_t at = 0; at < size || asked;) {
    if (Refused(entry)) {
      Count(size - at);  // It is behind us.
      return absl::OkStatus();
    }
    if (asked && at == size) BERTH_RETURN_IF_ERROR(WaitForReady(entry));
    if (asked) {
      if (const auto ready = TakeReady(entry); ready.has_value()) {
        asked = false;
        BERTH_RETURN_IF_ERROR(AnswerReady(step, *ready, at));
        continue;
      }
    }
    if (has_holes) {
      BERTH_RETURN_IF_ERROR(SkipHole(fd, size, at));
      if (at == size) continue;
    }
    DataFrame frame;
    const size_t wanted = std::min<uint64_t>(kMaxData, size - at);
    const ssize_t n = ReadFully(fd, frame.buffer().data(), wanted, at);
    if (n != static_cast<ssize_t>(wanted)) {
      problem = absl::StrCat(
          walker_.path(), ": ",
          n < 0 ? strerror(errno) : "became shorter while it was copied");
      Count(size - at);
      return absl::OkStatus();
    }
    checksum_.Update(frame.buffer().data(), n);
    at += n;
    Count(n);
    BERTH_RETURN_IF_ERROR(Write(frame.Finish(n), /*more=*/at < size));
    BERTH_RETURN_IF_ERROR(SendTotal());
    BERTH_RETURN_IF_ERROR(Flush(/*more=*/true));
  }
  return absl::OkStatus();
}

absl::Status Sender::SkipHole(int fd, uint64_t size, uint64_t& at) {
  const off_t data = lseek(fd, at, SEEK_DATA);
  const uint64_t next =
      data < 0 ? (errno == ENXIO ? size : at)
               : std::min<uint64_t>(static_cast<uint64_t>(data), size);
  if (next < at + kMinHole) return absl::OkStatus();
  v1::CopyPart part;
  part.mutable_hole()->set_length(next - at);
  checksum_.UpdateZeros(next - at);
  Count(next - at);
  at = next;
  BERTH_RETURN_IF_ERROR(Add(std::move(part), kPartOverhead));
  return Flush(/*more=*/true);
}

absl::Status Sender::AnswerReady(const Step& step, const v1::CopyReady& ready,
                                 uint64_t& at) {
  if (ready.offset() == 0) return absl::OkStatus();
  uint64_t offset = ready.offset();
  Checksum prefix(key_);
  Count(-static_cast<int64_t>(at));
  checksum_.Reset();
  const auto buffer = std::make_unique<char[]>(kMaxData);
  for (at = 0; at < offset;) {
    const size_t wanted = std::min<uint64_t>(kMaxData, offset - at);
    const ssize_t n = ReadFully(step.file.get(), buffer.get(), wanted, at);
    if (n <= 0) break;
    BERTH_RETURN_IF_ERROR(CheckStopped());
    prefix.Update(buffer.get(), n);
    checksum_.Update(buffer.get(), n);
    at += n;
  }
  if (at != offset || prefix.Finish() != ready.checksum()) {
    at = 0;
    checksum_.Reset();
  }
  Count(at);
  v1::CopyPart part;
  part.mutable_seek()->set_offset(at);
  BERTH_RETURN_IF_ERROR(Add(std::move(part), kPartOverhead));
  return Flush(/*more=*/true);
}

absl::Status Sender::Add(v1::CopyPart part, size_t size) {
  *frame_.add_parts() = std::move(part);
  frame_size_ += size;
  return frame_size_ < kBatch ? absl::OkStatus() : Flush(/*more=*/true);
}

absl::Status Sender::Flush(bool more) {
  if (frame_.parts().empty()) return absl::OkStatus();
  const grpc::ByteBuffer frame = ToFrame(frame_);
  frame_.Clear();
  frame_size_ = 0;
  return Write(frame, more);
}

absl::Status Sender::Write(const grpc::ByteBuffer& frame, bool more) {
  BERTH_RETURN_IF_ERROR(CheckStopped());
  if (options_.write(frame, more)) return absl::OkStatus();
  MutexLock lock(mu_);
  return stopped_.ok() ? absl::UnavailableError("the stream broke") : stopped_;
}

absl::Status Sender::CheckStopped() const {
  MutexLock lock(mu_);
  return stopped_;
}

void Sender::EntrySent() {
  const uint64_t entry = entries_++;
  std::optional<v1::CopyPosition> position;
  if (entry % kMarkEvery == 0 || std::exchange(mark_, false)) {
    position = walker_.position();
  }
  bool skip = false;
  {
    MutexLock lock(mu_);
    sent_ = entries_;
    if (position.has_value())
      marks_.push_back({entry, *position, bytes_, files_});
    // No point in filling a folder that the receiver doesn't have.
    for (const uint64_t folder : folders_) skip |= refused_.contains(folder);
  }
  if (skip && walker_.depth() > 0) walker_.SkipFolder();
}

// The receiver need not be that far behind, as it reads all there is.
absl::Status Sender::WaitForReports() {
  for (;;) {
    BERTH_RETURN_IF_ERROR(options_.check());
    MutexLock lock(mu_);
    if (!stopped_.ok() || sent_ - done_ <= kMaxUndone) return stopped_;
    changed_.WaitFor(mu_, kCheckTime);
  }
}

void Sender::CountFile() {
  ++files_;
  if (options_.progress != nullptr) options_.progress->AddFiles(1);
}

void Sender::Count(int64_t bytes) {
  bytes_ += bytes;
  if (options_.progress != nullptr) options_.progress->AddBytes(bytes);
}

absl::Status Sender::OnReport(const v1::CopyReport& report) {
  MutexLock lock(mu_);
  if (report.done() < done_) {
    return absl::FailedPreconditionError(
        "the receiver broke the rules of copying: what was done is not");
  }
  done_ = report.done();
  while (!marks_.empty() && marks_.front().entry < done_) {
    position_ = std::move(marks_.front().position);
    done_bytes_ = marks_.front().bytes;
    done_files_ = marks_.front().files;
    marks_.pop_front();
  }
  for (const v1::CopyFailure& failure : report.failures()) {
    if (refused_.size() < kMaxUndone) refused_.insert(failure.entry());
  }
  if (report.has_ready()) ready_ = report.ready();
  changed_.NotifyAll();
  return absl::OkStatus();
}

void Sender::Stop(const absl::Status& reason) {
  MutexLock lock(mu_);
  if (stopped_.ok()) stopped_ = reason;
  changed_.NotifyAll();
}

std::optional<v1::CopyReady> Sender::TakeReady(uint64_t entry) {
  MutexLock lock(mu_);
  if (!ready_.has_value() || ready_->entry() != entry) return std::nullopt;
  return std::exchange(ready_, std::nullopt);
}

bool Sender::Refused(uint64_t entry) const {
  MutexLock lock(mu_);
  return refused_.contains(entry);
}

absl::Status Sender::WaitForReady(uint64_t entry) {
  for (;;) {
    BERTH_RETURN_IF_ERROR(options_.check());
    MutexLock lock(mu_);
    if (!stopped_.ok() || refused_.contains(entry) ||
        (ready_.has_value() && ready_->entry() == entry)) {
      return stopped_;
    }
    changed_.WaitFor(mu_, kCheckTime);
  }
}

bool Sender::all_done() const {
  MutexLock lock(mu_);
  return done_ == sent_;
}

std::optional<v1::CopyPosition> Sender::position() const {
  MutexLock lock(mu_);
  return position_;
}

}  // namespace berth::copy

#include "broker/audit/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

AuditEvent OwnEvent(absl::string_view verb, std::string detail) {
  AuditEvent event;
  event.time = absl::Now();
  event.verb = std::string(verb);
  event.outcome = "done";
  event.detail = std::move(detail);
  return event;
}

absl::Status SyncDirectory(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) return ErrnoToStatus(errno, path);
  return absl::OkStatus();
}

// The first line of a segment. NotFound: it has none.
absl::StatusOr<AuditLine> FirstLine(const AuditSegment& segment) {
  AuditLineReader reader(segment.path);
  absl::string_view line;
  if (!reader.Next(&line)) return absl::NotFoundError(segment.path);
  return ParseLine(line);
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLogFile>> AuditLogFile::Open(
    const Options& options, AuditKey key, std::vector<AuditEvent>* mended) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(options.directory));
  BERTH_ASSIGN_OR_RETURN(const std::vector<AuditSegment> segments,
                         ListAuditSegments(options.directory));
  std::unique_ptr<AuditLogFile> log(new AuditLogFile(options, std::move(key)));
  if (segments.empty()) {
    BERTH_RETURN_IF_ERROR(log->Begin());
  } else {
    BERTH_RETURN_IF_ERROR(log->OpenLast(segments.back(), mended));
  }
  log->CheckHead(mended);
  return log;
}

absl::Status AuditLogFile::OpenLast(const AuditSegment& last,
                                    std::vector<AuditEvent>* mended) {
  chain_.head.seq = last.first_seq - 1;
  // Of a segment that begins the log, or one whose lines never came.
  bool any = false;
  AuditLineReader reader(last.path);
  absl::string_view text;
  while (reader.Next(&text)) {
    absl::StatusOr<AuditLine> line = ParseLine(text);
    // What is no line still has its place in the chain; verifying names it.
    chain_.head.seq = line.ok() ? line->seq : chain_.head.seq + 1;
    chain_.head.hash = HexSha256(text);
    const bool checkpoint = line.ok() && line->event.verb == kCheckpointVerb;
    chain_.since_checkpoint = checkpoint ? 0 : chain_.since_checkpoint + 1;
    any = true;
  }
  BERTH_RETURN_IF_ERROR(reader.status());
  size_ = reader.offset();
  path_ = last.path;
  fd_ = UniqueFd(open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_.valid()) return ErrnoToStatus(errno, path_);
  if (const size_t torn = reader.torn_bytes(); torn > 0) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      return ErrnoToStatus(errno, path_);
    }
    mended->push_back(
        OwnEvent(kRecoveredVerb,
                 absl::StrCat("log recovered, ", torn,
                              " bytes of an unfinished last line dropped")));
  }
  if (any || chain_.head.seq == 0) return absl::OkStatus();
  // A broker died between making this file and its first line: the chain's
  // end is in the segment before.
  BERTH_ASSIGN_OR_RETURN(const std::vector<AuditSegment> segments,
                         ListAuditSegments(options_.directory));
  if (segments.size() < 2) return absl::OkStatus();
  AuditLineReader before(segments[segments.size() - 2].path);
  while (before.Next(&text)) chain_.head.hash = HexSha256(text);
  return before.status();
}

void AuditLogFile::CheckHead(std::vector<AuditEvent>* mended) {
  const std::string path =
      absl::StrCat(options_.directory, "/", kAuditHeadFile);
  absl::StatusOr<std::string> kept = ReadFile(path);
  if (!kept.ok() || kept->empty()) return;
  auto line = ParseLine(absl::string_view(*kept).substr(0, kept->size() - 1));
  if (!line.ok() || line->seq <= chain_.head.seq) return;
  mended->push_back(
      OwnEvent(kRecoveredVerb,
               absl::StrCat("lines are gone: a checkpoint was written as line ",
                            line->seq, ", and the log ended at line ",
                            chain_.head.seq)));
}

absl::Status AuditLogFile::Begin() {
  const std::string path = absl::StrCat(options_.directory, "/",
                                        AuditSegmentName(chain_.head.seq + 1));
  // It may be there from an attempt that failed, and then it is empty.
  UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info = {};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) {
    return ErrnoToStatus(errno, path);
  }
  if (info.st_size != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is there, but is no part of the log"));
  }
  BERTH_RETURN_IF_ERROR(SyncDirectory(options_.directory));
  fd_ = std::move(fd);
  path_ = path;
  size_ = 0;
  return absl::OkStatus();
}

void AuditLogFile::Add(const AuditEvent& event, bool checkpoint, Chain& chain,
                       std::string& out) const {
  AuditLine line{.seq = chain.head.seq + 1,
                 .event = event,
                 .prev = chain.head.hash,
                 .key = "",
                 .signature = ""};
  if (checkpoint) line.key = key_.id();
  std::string text = FormatLine(line);
  if (checkpoint) text = AddSignature(text, key_.Sign(text));
  chain.head = {line.seq, HexSha256(text)};
  chain.since_checkpoint = checkpoint ? 0 : chain.since_checkpoint + 1;
  text += '\n';
  if (checkpoint) chain.last_checkpoint = text;
  out += text;
}

absl::Status AuditLogFile::Append(const std::vector<AuditEvent>& events,
                                  std::string* written) {
  BERTH_RETURN_IF_ERROR(RotateIfFull(written));
  Chain chain = chain_;
  std::string bytes;
  for (const AuditEvent& event : events) {
    Add(event, /*checkpoint=*/false, chain, bytes);
    if (chain.since_checkpoint + 1 < options_.checkpoint_lines) continue;
    Add(OwnEvent(kCheckpointVerb, ""), /*checkpoint=*/true, chain, bytes);
  }
  return Write(bytes, std::move(chain), written);
}

absl::Status AuditLogFile::Checkpoint(std::string* written) {
  if (chain_.since_checkpoint == 0) return absl::OkStatus();
  Chain chain = chain_;
  std::string bytes;
  Add(OwnEvent(kCheckpointVerb, ""), /*checkpoint=*/true, chain, bytes);
  return Write(bytes, std::move(chain), written);
}

absl::Status AuditLogFile::Write(const std::string& bytes, Chain chain,
                                 std::string* written) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
               static_cast<off_t>(size_ + done));
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      const absl::Status status = ErrnoToStatus(n == 0 ? ENOSPC : errno, path_);
      // What is there of it must not look like a line. If even that fails, the
      // next attempt writes over it.
      if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
        return absl::Status(status.code(),
                            absl::StrCat(status.message(), ", and truncate"));
      }
      return status;
    }
  }
  size_ += bytes.size();
  chain_ = std::move(chain);
  if (written != nullptr) *written += bytes;
  return absl::OkStatus();
}

absl::Status AuditLogFile::Sync() {
  if (fdatasync(fd_.get()) != 0) return ErrnoToStatus(errno, path_);
  if (chain_.last_checkpoint.empty()) return absl::OkStatus();
  // Not before the log has it. A help for finding lines that were cut off, no
  // part of the chain: on a full disk the next checkpoint does it.
  WriteFileAtomically(absl::StrCat(options_.directory, "/", kAuditHeadFile),
                      chain_.last_checkpoint)
      .IgnoreError();
  chain_.last_checkpoint.clear();
  return absl::OkStatus();
}

absl::Status AuditLogFile::RotateIfFull(std::string* written) {
  if (size_ < options_.segment_bytes) return absl::OkStatus();
  // So that a segment can be moved away and still be verified by itself.
  BERTH_RETURN_IF_ERROR(Checkpoint(written));
  BERTH_RETURN_IF_ERROR(Sync());
  BERTH_RETURN_IF_ERROR(Begin());
  return RemoveOld(written);
}

absl::Status AuditLogFile::RemoveOld(std::string* written) {
  if (options_.retention <= absl::ZeroDuration()) return absl::OkStatus();
  BERTH_ASSIGN_OR_RETURN(const std::vector<AuditSegment> segments,
                         ListAuditSegments(options_.directory));
  for (size_t i = 0; i + 2 < segments.size(); ++i) {
    struct stat info = {};
    if (stat(segments[i].path.c_str(), &info) != 0 ||
        absl::Now() - absl::FromTimeT(info.st_mtime) < options_.retention) {
      break;
    }
    auto next = FirstLine(segments[i + 1]);
    if (!next.ok()) break;
    // Signed before it goes: else it would be a segment that somebody took.
    Chain chain = chain_;
    std::string bytes;
    AuditEvent retired = OwnEvent(
        kRetiredVerb, absl::StrCat("through ", next->seq - 1, " ", next->prev));
    Add(retired, /*checkpoint=*/false, chain, bytes);
    Add(OwnEvent(kCheckpointVerb, ""), /*checkpoint=*/true, chain, bytes);
    BERTH_RETURN_IF_ERROR(Write(bytes, std::move(chain), written));
    BERTH_RETURN_IF_ERROR(Sync());
    if (unlink(segments[i].path.c_str()) != 0) {
      return ErrnoToStatus(errno, segments[i].path);
    }
  }
  return absl::OkStatus();
}

}  // namespace berth::broker

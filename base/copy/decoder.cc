#include "base/copy/decoder.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/copy/checksum.h"
#include "base/copy/frame.h"
#include "base/copy/names.h"
#include "base/copy/walker.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::copy {
namespace {

// Offsets in files are signed to the kernel.
constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
constexpr size_t kMaxTarget = 4095;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the sender broke the rules of copying: ", what));
}

absl::Status OutOfOrder(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the sender broke the rules of copying: ", what, " is out of order"));
}

}  // namespace

absl::Status Decoder::Take(const v1::CopyPart& part) {
  if (finished_) return OutOfOrder("what came after the end");
  if (part.has_start()) {
    if (started_) return OutOfOrder("a second start");
    started_ = true;
    return part.start().checksum_key().size() == Checksum::kKeySize
               ? absl::OkStatus()
               : Malformed("a key for checksums of another size");
  }
  if (!started_) return OutOfOrder("what came before the start");
  switch (part.part_case()) {
    case v1::CopyPart::kStart:
    case v1::CopyPart::kTotal:
    case v1::CopyPart::PART_NOT_SET:  // Of a later version.
      return absl::OkStatus();
    case v1::CopyPart::kSource:
      return Source(part.source());
    case v1::CopyPart::kEnter:
      return Folder(part.enter());
    case v1::CopyPart::kLeave:
      return Leave();
    case v1::CopyPart::kFile:
      return File(part.file());
    case v1::CopyPart::kLink:
      return Link(part.link());
    case v1::CopyPart::kSeek:
      return Seek(part.seek());
    case v1::CopyPart::kHole:
      return Hole(part.hole());
    case v1::CopyPart::kEnd:
      return End(part.end());
    case v1::CopyPart::kProblem:
      // Without a name: of the folder itself.
      if (part.problem().name().empty() && !names_.empty() && !in_file_) {
        return absl::OkStatus();
      }
      return Entry(part.problem().name(), /*may_be_empty=*/true);
    case v1::CopyPart::kFinished:
      return Finish();
  }
  return absl::OkStatus();
}

absl::Status Decoder::TakeData(uint64_t size) {
  if (!in_file_) return OutOfOrder("data outside of a file");
  if (size > size_ - position_) {
    return Malformed(
        absl::StrCat("more data than the ", size_, " bytes that the file has"));
  }
  position_ += size;
  return absl::OkStatus();
}

absl::Status Decoder::Source(const v1::CopySource& source) {
  if (in_file_ || !names_.empty()) return OutOfOrder("a source");
  if (source.index() <= source_ || source.index() >= sources_) {
    return Malformed(absl::StrCat("source ", source.index(), " of ", sources_,
                                  " after ", source_));
  }
  source_ = source.index();
  source_taken_ = false;
  return absl::OkStatus();
}

absl::Status Decoder::Entry(absl::string_view name, bool may_be_empty) {
  if (in_file_) return OutOfOrder("an entry inside of a file");
  const bool good = IsEntryName(name) || (name.empty() && may_be_empty);
  if (!good) {
    return Malformed(absl::StrCat("'", EscapeForTerminal(name.substr(0, 300)),
                                  "' is not a name of an entry"));
  }
  if (!names_.empty()) {
    if (name <= names_.back()) {
      return OutOfOrder(
          absl::StrCat("the name '", EscapeForTerminal(name), "'"));
    }
    names_.back() = std::string(name);
    return absl::OkStatus();
  }
  if (source_ < 0 || source_taken_) return OutOfOrder("an entry of no source");
  source_taken_ = true;
  return absl::OkStatus();
}

absl::Status Decoder::Folder(const v1::CopyFolder& folder) {
  // A source may be a folder without a name of its own, such as "..".
  BERTH_RETURN_IF_ERROR(Entry(folder.name(), names_.empty()));
  if (names_.size() >= kMaxDepth) {
    return Malformed(absl::StrCat("over ", kMaxDepth, " folders deep"));
  }
  names_.emplace_back();
  return absl::OkStatus();
}

absl::Status Decoder::Leave() {
  if (in_file_ || names_.empty()) return OutOfOrder("the end of a folder");
  names_.pop_back();
  return absl::OkStatus();
}

absl::Status Decoder::File(const v1::CopyFile& file) {
  BERTH_RETURN_IF_ERROR(Entry(file.name(), false));
  if (file.size() > kMaxSize) return Malformed("a file too large to exist");
  if (file.size() <= kMaxContent) {
    if (file.content().size() == file.size()) return absl::OkStatus();
    return Malformed(absl::StrCat("a file of ", file.size(), " bytes with ",
                                  file.content().size()));
  }
  if (!file.content().empty()) return Malformed("content of a large file");
  in_file_ = true;
  size_ = file.size();
  position_ = 0;
  seek_offset_ = 0;
  return absl::OkStatus();
}

absl::Status Decoder::Link(const v1::CopyLink& link) {
  BERTH_RETURN_IF_ERROR(Entry(link.name(), false));
  if (link.target().empty() || link.target().size() > kMaxTarget ||
      link.target().find('\0') != std::string::npos) {
    return Malformed("a link to nothing that could be");
  }
  return absl::OkStatus();
}

absl::Status Decoder::Seek(const v1::CopySeek& seek) {
  if (!in_file_ || seek_offset_ == 0) return OutOfOrder("a seek");
  if (seek.offset() != 0 && seek.offset() != seek_offset_) {
    return Malformed(
        absl::StrCat("a seek to ", seek.offset(), " for ", seek_offset_));
  }
  position_ = seek.offset();
  seek_offset_ = 0;
  return absl::OkStatus();
}

absl::Status Decoder::Hole(const v1::CopyHole& hole) {
  if (hole.length() == 0) return Malformed("a hole of no bytes");
  return TakeData(hole.length());
}

absl::Status Decoder::End(const v1::CopyFileEnd& end) {
  if (!in_file_) return OutOfOrder("the end of a file");
  in_file_ = false;
  if (end.checksum().empty()) return absl::OkStatus();  // It broke off.
  if (end.checksum().size() != Checksum::kSize) {
    return Malformed("a checksum of another size");
  }
  if (position_ != size_ || expects_seek()) {
    return Malformed(
        absl::StrCat("a file of ", size_, " bytes ends after ", position_));
  }
  return absl::OkStatus();
}

absl::Status Decoder::Finish() {
  if (in_file_ || !names_.empty()) return OutOfOrder("the end of all");
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace berth::copy

#ifndef BERTH_BASE_COPY_DECODER_H_
#define BERTH_BASE_COPY_DECODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::copy {

// Checks what a sender says, part by part, against all that files.proto
// promises, before anything is done about it: names that are names, order,
// sizes that fit. Pure. Errors are INVALID_ARGUMENT or FAILED_PRECONDITION,
// and end the stream.
class Decoder {
 public:
  // `sources`: how many there are at most.
  explicit Decoder(uint32_t sources) : sources_(sources) {}

  // The next part of a frame.
  absl::Status Take(const v1::CopyPart& part);
  // `size` bytes of data.
  absl::Status TakeData(uint64_t size);

  // The receiver has answered the file at hand with `offset` bytes, more than
  // 0: data counts from `seek` on only.
  void ExpectSeek(uint64_t offset) { seek_offset_ = offset; }

  // Where the next data of the file at hand belongs. Meaningless while a seek
  // is expected.
  uint64_t position() const { return position_; }
  bool expects_seek() const { return seek_offset_ != 0; }
  size_t depth() const { return names_.size(); }
  bool finished() const { return finished_; }

 private:
  absl::Status Source(const v1::CopySource& source);
  absl::Status Folder(const v1::CopyFolder& folder);
  absl::Status Leave();
  absl::Status File(const v1::CopyFile& file);
  absl::Status Link(const v1::CopyLink& link);
  absl::Status Seek(const v1::CopySeek& seek);
  absl::Status Hole(const v1::CopyHole& hole);
  absl::Status End(const v1::CopyFileEnd& end);
  absl::Status Finish();
  // An entry of this name may come now.
  absl::Status Entry(absl::string_view name, bool may_be_empty);

  const uint32_t sources_;
  bool started_ = false;
  bool finished_ = false;
  int64_t source_ = -1;
  bool source_taken_ = false;  // It has had its one entry.
  // The last name in each folder that the walk is in.
  std::vector<std::string> names_;
  bool in_file_ = false;
  uint64_t size_ = 0;
  uint64_t position_ = 0;
  uint64_t seek_offset_ = 0;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_DECODER_H_

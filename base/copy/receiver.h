#ifndef BERTH_BASE_COPY_RECEIVER_H_
#define BERTH_BASE_COPY_RECEIVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/copy/checksum.h"
#include "base/copy/decoder.h"
#include "base/copy/frame.h"
#include "base/copy/part_file.h"
#include "base/copy/progress.h"
#include "base/copy/quota.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::copy {

// Stores what a sender sends. Whatever that says, nothing outside of the
// destination is touched: each name is one entry of a folder that is open, and
// links are never followed. Not thread-safe.
class Receiver {
 public:
  struct Options {
    // The destination: a folder, or the folder that it lies in.
    UniqueFd folder;
    std::string path;  // Of `folder`, for messages.
    // How many sources there are.
    uint32_t sources = 1;
    // What they are to be called; empty: the sender says it. An empty name:
    // what is in that folder goes straight into the destination.
    std::optional<std::vector<std::string>> names;
    bool preserve = false;
    Quota* quota = nullptr;  // Not owned.
    Progress* progress = nullptr;
    // Whether to give up waiting. Any thread may be asked.
    std::function<bool()> stopped = [] { return false; };
    // What the sender could not read. For people; untrusted.
    std::function<void(const std::string&)> problem = [](const std::string&) {};
  };

  explicit Receiver(Options options);
  // Keeps what came of a file that was cut off.
  ~Receiver();

  // The next frame. What goes wrong with one entry goes into the report; an
  // error is the sender's fault, and the end of the stream.
  absl::Status Take(const ReceivedFrame& frame);

  // What is new since the last call; nothing if nothing is.
  std::optional<v1::CopyReport> TakeReport();

  bool finished() const { return decoder_.finished(); }

  // Up to where all is done. Nothing: not even the first source.
  std::optional<v1::CopyPosition> position() const;

 private:
  struct Level {
    std::string name;
    UniqueFd folder;    // Not valid: what is in it is passed over.
    bool ours = false;  // Made by this copy, or an attempt before it.
    bool again = false;
    mode_t mode = 0;
    absl::Time time;
  };
  struct File {
    v1::CopyFile info;
    std::string name;
    std::optional<PartFile> part;  // None: it failed, and is passed over.
    std::unique_ptr<Checksum> sum;
    uint64_t counted = 0;  // In the progress.
  };

  absl::Status TakePart(const v1::CopyPart& part);
  absl::Status TakeData(const ReceivedFrame& frame);
  void Enter(const v1::CopyFolder& folder);
  absl::Status OpenFolder(Level& level);
  void Leave();
  void Store(const v1::CopyFile& file);
  absl::Status StoreContent(const v1::CopyFile& file, const std::string& name);
  void Begin(const v1::CopyFile& file);
  absl::Status BeginPart();
  void Link(const v1::CopyLink& link);
  absl::Status MakeLink(const v1::CopyLink& link, const std::string& name);
  void Seek(const v1::CopySeek& seek);
  void Hole(uint64_t length);
  void End(const v1::CopyFileEnd& end);
  absl::Status Commit(PartFile& part, const std::string& name,
                      const v1::CopyFile& file);
  absl::Status Complete(const v1::CopyFileEnd& end);

  std::string NameOf(absl::string_view name) const;
  PartFile::Attributes AttributesOf(const v1::CopyFile& file) const;
  int folder() const;
  bool passes_over() const;
  std::string PathOf(absl::string_view name) const;
  void Count(uint64_t bytes);
  // An entry is over; `failure` says how it went.
  void Done(absl::string_view name, const absl::Status& status);
  void Fail(absl::string_view name, const absl::Status& status, uint64_t entry);

  const Options options_;
  Decoder decoder_;
  std::string key_;
  std::unique_ptr<Checksum> checksum_;  // For contents; used again.
  std::vector<Level> levels_;
  std::optional<File> file_;
  uint32_t source_ = 0;  // The one at hand.

  uint64_t done_ = 0;
  uint64_t told_ = 0;
  v1::CopyReport report_;
  bool has_news_ = false;

  // For position().
  std::optional<uint32_t> done_source_;
  std::string last_;  // The last entry that is done in the innermost folder.
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_RECEIVER_H_

#ifndef BERTH_BROKER_ARCHIVE_ARCHIVE_H_
#define BERTH_BROKER_ARCHIVE_ARCHIVE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/archive/chain.h"
#include "broker/archive/seals.h"
#include "broker/audit/signing.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::broker {

// The recordings that a broker keeps: one directory for each, named by the
// session's instance id, with its segments, "info" (berth.v1.RecordingInfo) and
// "chain" (see Chain). Reads and writes files; thread-safe.
class Archive {
 public:
  struct Options {
    std::string directory;
    // How long a recording is kept after its last entry; zero: for ever.
    absl::Duration keep;
    // All recordings together; 0: as many as the disk takes.
    uint64_t max_bytes = 0;
  };

  // Makes the directory if needed, and counts what is in it. `keys`: those that
  // chains may be signed with. Fails as the file system does.
  static absl::StatusOr<std::unique_ptr<Archive>> Open(Options options,
                                                       AuditKey key,
                                                       std::string keys_path);

  // What came of a segment.
  struct Stored {
    uint64_t next_index = 0;
    std::string sha256;
    // Of which recording, and what the archive has there now; a hash that is
    // empty: nothing, as it came too late.
    v1::RecordingInfo info;
    Seal seal;
  };
  // Whether that is so of a session, as far as it is known.
  using Check = std::function<absl::Status(const v1::RecordingInfo&)>;
  // Takes a segment from `computer`; the answers are those of
  // berth.link.v1.Recorder. `is_oldest`: none before it will come any more.
  // `check`, if not null, is asked about what the segment says.
  absl::StatusOr<Stored> Store(const std::string& computer,
                               absl::string_view bytes, bool is_oldest,
                               const Check& check = nullptr)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // NOT_FOUND: there is none. DATA_LOSS: nobody can know whose it is. Of one
  // whose chain is damaged (Recording.damage) the good part is described.
  absl::StatusOr<v1::Recording> Find(const std::string& instance_id)
      ABSL_LOCKS_EXCLUDED(io_mu_);
  // All whose info `wanted` is true for, newest first. What says nothing of its
  // owner is left out, and logged.
  std::vector<v1::Recording> List(
      const std::function<bool(const v1::RecordingInfo&)>& wanted)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // Passes the segments that do not end before `from_ns` to `visit`, in order,
  // until that returns false. DATA_LOSS: one is missing or was changed; with
  // `over_damage` a segment that says so stands for it instead.
  absl::Status Read(
      const std::string& instance_id, int64_t from_ns, bool over_damage,
      const std::function<bool(const v1::RecordingSegment&)>& visit)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // What is wrong with a recording as far as that can be told without reading
  // its segments: its chain's lines and signatures, and what `seals`, of before
  // this call, know of it. Empty: nothing. NOT_FOUND, DATA_LOSS: as Find().
  absl::StatusOr<std::string> FindDamage(const std::string& instance_id,
                                         const Seals& seals)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // Checks everything. Fails only if it can't be checked.
  absl::StatusOr<v1::VerifyRecordingResponse> Verify(
      const std::string& instance_id, const Seals& seals)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // See berth.v1.Recordings.RedactRecording. Returns the number of entries.
  absl::StatusOr<uint64_t> Redact(const std::string& instance_id,
                                  int64_t from_ns, int64_t until_ns,
                                  const v1::RecordedRedaction& redaction)
      ABSL_LOCKS_EXCLUDED(io_mu_);

  // Deletes recordings that are older than they are kept, and the oldest that
  // have their end while there are too many bytes. Returns those.
  std::vector<v1::Recording> Retire(absl::Time now) ABSL_LOCKS_EXCLUDED(io_mu_);

  uint64_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  // The file with the public keys that chains and the audit log may have.
  const std::string& keys_path() const { return keys_path_; }

 private:
  // After the name of a segment's file: what takes its place.
  static constexpr char kReplacement[] = ".new";

  struct Loaded {
    v1::RecordingInfo info;
    std::string text;  // Of the chain, whole lines.
    std::unique_ptr<Chain> chain;
    std::string damage;  // The chain is good up to there.
  };

  Archive(Options options, AuditKey key, std::string keys_path)
      : options_(std::move(options)),
        key_(std::move(key)),
        keys_path_(std::move(keys_path)) {}

  std::string DirectoryOf(absl::string_view instance_id) const;
  std::string PathOf(absl::string_view instance_id, uint64_t index) const;
  absl::StatusOr<Loaded> Load(const std::string& instance_id) const;
  // The same of a chain that is damaged, up to there.
  absl::StatusOr<Loaded> LoadGoodPart(const std::string& instance_id) const;
  // What is wrong with the chain itself; empty: nothing.
  absl::StatusOr<std::string> CheckChain(const Loaded& loaded) const;
  // The same for a session that may have none yet: then its directory is made.
  absl::StatusOr<Loaded> LoadOrMake(const std::string& computer,
                                    const v1::RecordingSegment& segment);
  absl::StatusOr<Stored> StoreIn(Loaded& loaded, const std::string& computer,
                                 const v1::RecordingSegment& segment,
                                 absl::string_view bytes, bool is_oldest);
  absl::Status CheckRoom(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // Appends a line, and cuts off what a process that died has left.
  absl::Status Append(Loaded& loaded, ChainLine line);
  // The bytes of a segment as the chain says they are. DATA_LOSS.
  absl::StatusOr<std::string> ReadSegment(const Loaded& loaded,
                                          uint64_t index) const;
  absl::StatusOr<v1::VerifyRecordingResponse> VerifyLoaded(
      const std::string& instance_id, const Seals& seals) const;
  std::vector<std::string> Names() const;
  void Count(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  const AuditKey key_;
  const std::string keys_path_;
  // Orders whatever changes or reads a recording; held during I/O on purpose.
  Mutex io_mu_;
  mutable Mutex mu_;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ARCHIVE_ARCHIVE_H_

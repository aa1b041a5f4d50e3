// What changes an archive.

#include "broker/archive/archive.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/recording/segment.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "base/uuid.h"

namespace berth::broker {
namespace {

constexpr char kInfoFile[] = "/info";
constexpr char kChainFile[] = "/chain";
constexpr size_t kMaxReason = 200;

// A session is one computer's, whatever another's agent says.
absl::Status CheckComputer(const v1::RecordingInfo& info,
                           const std::string& computer) {
  if (info.computer() == computer) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("the recording of session ", info.instance_id(),
                   " is not of computer '", computer, "'"));
}

void SetTimes(const v1::RecordingSegment& segment, ChainLine& line) {
  if (segment.entries().empty()) return;
  line.from_ns = segment.entries(0).time_ns();
  for (const v1::RecordingEntry& entry : segment.entries()) {
    line.until_ns = std::max(line.until_ns, entry.time_ns());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Archive>> Archive::Open(Options options,
                                                       AuditKey key,
                                                       std::string keys_path) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(options.directory));
  std::unique_ptr<Archive> archive(
      new Archive(std::move(options), std::move(key), std::move(keys_path)));
  for (const std::string& name : archive->Names()) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(
             archive->DirectoryOf(name), error)) {
      std::error_code ignored;
      const uint64_t size = entry.file_size(ignored);
      if (!ignored) archive->Count(static_cast<int64_t>(size));
    }
  }
  return archive;
}

std::vector<std::string> Archive::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(options_.directory, error)) {
    if (IsUuid(entry.path().filename().string())) {
      names.push_back(entry.path().filename());
    }
  }
  return names;
}

std::string Archive::DirectoryOf(absl::string_view instance_id) const {
  return absl::StrCat(options_.directory, "/", instance_id);
}

std::string Archive::PathOf(absl::string_view instance_id,
                            uint64_t index) const {
  return absl::StrCat(DirectoryOf(instance_id), "/",
                      RecordingSegmentName(index));
}

uint64_t Archive::bytes() const {
  MutexLock lock(mu_);
  return bytes_;
}

void Archive::Count(int64_t bytes) {
  MutexLock lock(mu_);
  bytes_ = static_cast<uint64_t>(
      std::max<int64_t>(0, static_cast<int64_t>(bytes_) + bytes));
}

absl::StatusOr<Archive::Loaded> Archive::Load(
    const std::string& instance_id) const {
  BERTH_ASSIGN_OR_RETURN(Loaded loaded, LoadGoodPart(instance_id));
  if (!loaded.damage.empty()) return absl::DataLossError(loaded.damage);
  return loaded;
}

absl::StatusOr<Archive::Loaded> Archive::LoadGoodPart(
    const std::string& instance_id) const {
  if (!IsUuid(instance_id)) {
    return absl::NotFoundError(absl::StrCat(
        "no recording '", EscapeForTerminal(instance_id.substr(0, 80)), "'"));
  }
  Loaded loaded;
  const std::string directory = DirectoryOf(instance_id);
  absl::StatusOr<std::string> info = ReadFile(directory + kInfoFile);
  if (absl::IsNotFound(info.status())) {
    return absl::NotFoundError(
        absl::StrCat("no recording of session ", instance_id));
  }
  BERTH_RETURN_IF_ERROR(info.status());
  if (!loaded.info.ParseFromString(*info) ||
      loaded.info.instance_id() != instance_id) {
    return absl::DataLossError(
        absl::StrCat(directory, kInfoFile, " is damaged"));
  }
  absl::StatusOr<std::string> text =
      ReadFile(directory + kChainFile, size_t{256} << 20);
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  loaded.chain = std::make_unique<Chain>(instance_id);
  if (!text.ok()) return loaded;
  const absl::Status read = loaded.chain->Load(*text);
  if (!read.ok()) {
    loaded.damage = absl::StrCat(directory, "/", read.message());
  }
  text->resize(loaded.chain->text_bytes());
  loaded.text = *std::move(text);
  return loaded;
}

absl::StatusOr<Archive::Loaded> Archive::LoadOrMake(
    const std::string& computer, const v1::RecordingSegment& segment) {
  absl::StatusOr<Loaded> loaded = Load(segment.instance_id());
  if (!absl::IsNotFound(loaded.status())) return loaded;
  v1::RecordingInfo info = segment.info();
  info.set_computer(computer);  // As the certificate says.
  const std::string directory = DirectoryOf(info.instance_id());
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(directory + kInfoFile, info.SerializeAsString()));
  return Load(info.instance_id());
}

absl::Status Archive::CheckRoom(uint64_t bytes) {
  if (options_.max_bytes == 0) return absl::OkStatus();
  const uint64_t used = this->bytes();
  if (used + bytes <= options_.max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the broker's archive of recordings has ", used, " bytes of ",
      options_.max_bytes,
      ", and no recording in it is over: raise max_mib of [recording] in "
      "broker.toml"));
}

absl::StatusOr<Archive::Stored> Archive::Store(const std::string& computer,
                                               absl::string_view bytes,
                                               bool is_oldest,
                                               const Check& check) {
  BERTH_ASSIGN_OR_RETURN(const v1::RecordingSegment segment,
                         ParseRecordingSegment(bytes));
  if (check != nullptr) {
    v1::RecordingInfo info = segment.info();
    info.set_instance_id(segment.instance_id());
    info.set_computer(computer);
    BERTH_RETURN_IF_ERROR(check(info));
  }
  BERTH_RETURN_IF_ERROR(CheckRoom(bytes.size()));
  MutexLock lock(io_mu_);
  BERTH_ASSIGN_OR_RETURN(Loaded loaded, LoadOrMake(computer, segment));
  return StoreIn(loaded, computer, segment, bytes, is_oldest);
}

absl::StatusOr<Archive::Stored> Archive::StoreIn(
    Loaded& loaded, const std::string& computer,
    const v1::RecordingSegment& segment, absl::string_view bytes,
    bool is_oldest) {
  BERTH_RETURN_IF_ERROR(CheckComputer(loaded.info, computer));
  Chain& chain = *loaded.chain;
  const uint64_t index = segment.index();
  ChainLine line;
  line.sha256 = RecordingHash(bytes);
  // The answer to the same before may be lost. What is there stays.
  if (index < chain.next_index()) {
    Stored stored{chain.next_index(), line.sha256, loaded.info, {}};
    const auto there = chain.segments().find(index);
    if (there != chain.segments().end()) {
      stored.seal = {index, there->second.original, there->second.bytes,
                     chain.ended() && index + 1 == chain.next_index()};
    }
    return stored;
  }
  const bool follows = index == chain.next_index();
  if (chain.ended() || (!follows && !is_oldest)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the recording of session ", segment.instance_id(),
        chain.ended()
            ? " has its end"
            : absl::StrCat(" has ", chain.next_index(), " segments, so number ",
                           index, " can't come next")));
  }
  if (follows && index > 0 &&
      chain.segments().rbegin()->second.original != segment.previous_sha256()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "segment ", index, " of the recording of session ",
        segment.instance_id(), " does not follow the one that is stored"));
  }
  line.index = index;
  line.bytes = bytes.size();
  line.last = segment.last();
  SetTimes(segment, line);
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(PathOf(segment.instance_id(), index), bytes));
  BERTH_RETURN_IF_ERROR(Append(loaded, line));
  Count(static_cast<int64_t>(bytes.size()));
  return Stored{chain.next_index(),
                line.sha256,
                loaded.info,
                {index, line.sha256, line.bytes, line.last}};
}

absl::Status Archive::Append(Loaded& loaded, ChainLine line) {
  const std::string path = DirectoryOf(loaded.info.instance_id()) + kChainFile;
  const uint64_t at = loaded.chain->text_bytes();
  const std::string text = loaded.chain->Add(std::move(line), key_);
  const UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return ErrnoToStatus(errno, path);
  if (ftruncate(fd.get(), static_cast<off_t>(at)) != 0 ||
      lseek(fd.get(), 0, SEEK_END) < 0) {
    return ErrnoToStatus(errno, path);
  }
  BERTH_RETURN_IF_ERROR(WriteAll(fd.get(), text));
  if (fdatasync(fd.get()) != 0) return ErrnoToStatus(errno, path);
  Count(static_cast<int64_t>(text.size()));
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Archive::Redact(
    const std::string& instance_id, int64_t from_ns, int64_t until_ns,
    const v1::RecordedRedaction& redaction) {
  if (redaction.reason().empty() || redaction.reason().size() > kMaxReason) {
    return absl::InvalidArgumentError(absl::StrCat(
        "say why something is taken out, in 1 to ", kMaxReason, " bytes"));
  }
  if (from_ns >= until_ns) {
    return absl::InvalidArgumentError(
        "the time to take out must begin before it ends");
  }
  MutexLock lock(io_mu_);
  BERTH_ASSIGN_OR_RETURN(Loaded loaded, Load(instance_id));
  uint64_t taken = 0;
  const auto segments = loaded.chain->segments();
  for (const auto& [index, known] : segments) {
    BERTH_ASSIGN_OR_RETURN(const std::string bytes, ReadSegment(loaded, index));
    BERTH_ASSIGN_OR_RETURN(v1::RecordingSegment segment,
                           ParseRecordingSegment(bytes));
    const uint64_t here = RedactSegment(from_ns, until_ns, redaction, segment);
    if (here == 0) continue;
    const std::string rest = segment.SerializeAsString();
    ChainLine line;
    line.index = index;
    line.sha256 = RecordingHash(rest);
    line.bytes = rest.size();
    line.redacted = known.sha256;
    line.by = redaction.user();
    // Whoever finds the line finds the file for it, under one of the names.
    const std::string path = PathOf(instance_id, index);
    BERTH_RETURN_IF_ERROR(WriteFileAtomically(path + kReplacement, rest));
    BERTH_RETURN_IF_ERROR(Append(loaded, line));
    if (rename((path + kReplacement).c_str(), path.c_str()) != 0) {
      return ErrnoToStatus(errno, path);
    }
    Count(static_cast<int64_t>(rest.size()) -
          static_cast<int64_t>(bytes.size()));
    taken += here;
  }
  if (taken > 0) return taken;
  return absl::FailedPreconditionError(
      absl::StrCat("nothing was recorded in that time of session ", instance_id,
                   ", or it was taken out before"));
}

std::vector<v1::Recording> Archive::Retire(absl::Time now) {
  std::vector<v1::Recording> all =
      List([](const v1::RecordingInfo&) { return true; });
  std::sort(all.begin(), all.end(),
            [](const v1::Recording& a, const v1::Recording& b) {
              return FromProto(a.until()) < FromProto(b.until());
            });
  std::vector<v1::Recording> retired;
  for (v1::Recording& recording : all) {
    const bool old = options_.keep > absl::ZeroDuration() &&
                     FromProto(recording.until()) + options_.keep < now;
    // Room for the next segments, before it is full.
    const bool too_many =
        options_.max_bytes > 0 && recording.ended() &&
        bytes() + 2 * kMaxRecordingSegmentBytes > options_.max_bytes;
    // Whoever finds out what became of it needs what is left.
    if (!recording.damage().empty()) continue;
    if (!old && !too_many) continue;
    MutexLock lock(io_mu_);
    std::error_code error;
    std::filesystem::remove_all(DirectoryOf(recording.info().instance_id()),
                                error);
    if (error) {
      SPDLOG_ERROR("the recording of session {} can't be deleted: {}",
                   recording.info().instance_id(), error.message());
      continue;
    }
    Count(-static_cast<int64_t>(recording.bytes()));
    retired.push_back(std::move(recording));
  }
  return retired;
}

}  // namespace berth::broker

// What is asked of an archive.

#include <spdlog/spdlog.h>
#include <stdio.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/recording/segment.h"
#include "base/status_macros.h"
#include "broker/archive/archive.h"

namespace berth::broker {
namespace {

// Stands for a segment that can't be shown.
v1::RecordingSegment GapFor(uint64_t index, const Chain::Segment& known,
                            const absl::Status& why) {
  v1::RecordingSegment segment;
  segment.set_index(index);
  v1::RecordingEntry& entry = *segment.add_entries();
  entry.set_time_ns(known.from_ns);
  entry.mutable_gap()->set_reason(
      absl::StrCat("segment ", index, " is damaged: ", why.message()));
  return segment;
}

v1::Recording Describe(const v1::RecordingInfo& info, const Chain& chain,
                       const std::string& damage) {
  v1::Recording recording;
  recording.set_damage(damage);
  *recording.mutable_info() = info;
  recording.set_segments(chain.segments().size());
  recording.set_bytes(chain.bytes() + chain.text_bytes());
  recording.set_ended(chain.ended());
  recording.set_missing(chain.missing());
  recording.set_redacted(chain.redacted());
  if (!chain.segments().empty()) {
    const auto time = [](int64_t ns) {
      return ToProto(absl::FromUnixNanos(ns));
    };
    *recording.mutable_from() = time(chain.segments().begin()->second.from_ns);
    *recording.mutable_until() =
        time(chain.segments().rbegin()->second.until_ns);
  } else {
    *recording.mutable_from() = info.created_at();
    *recording.mutable_until() = info.created_at();
  }
  return recording;
}

}  // namespace

absl::StatusOr<v1::Recording> Archive::Find(const std::string& instance_id) {
  MutexLock lock(io_mu_);
  BERTH_ASSIGN_OR_RETURN(const Loaded loaded, LoadGoodPart(instance_id));
  return Describe(loaded.info, *loaded.chain, loaded.damage);
}

std::vector<v1::Recording> Archive::List(
    const std::function<bool(const v1::RecordingInfo&)>& wanted) {
  std::vector<v1::Recording> all;
  for (const std::string& name : Names()) {
    MutexLock lock(io_mu_);
    const absl::StatusOr<Loaded> loaded = LoadGoodPart(name);
    if (!loaded.ok()) {
      SPDLOG_ERROR("archive: {}",
                   EscapeForTerminal(loaded.status().ToString()));
    } else if (wanted(loaded->info)) {
      all.push_back(Describe(loaded->info, *loaded->chain, loaded->damage));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const v1::Recording& a, const v1::Recording& b) {
              return FromProto(a.info().created_at()) >
                     FromProto(b.info().created_at());
            });
  return all;
}

absl::StatusOr<std::string> Archive::ReadSegment(const Loaded& loaded,
                                                 uint64_t index) const {
  const std::string path = PathOf(loaded.info.instance_id(), index);
  const Chain::Segment& known = loaded.chain->segments().at(index);
  absl::StatusOr<std::string> bytes = ReadFile(path, kMaxRecordingSegmentBytes);
  if (bytes.ok() && RecordingHash(*bytes) == known.sha256) return bytes;
  // A broker that died while it took something out.
  absl::StatusOr<std::string> newer =
      ReadFile(path + kReplacement, kMaxRecordingSegmentBytes);
  if (newer.ok() && RecordingHash(*newer) == known.sha256 &&
      rename((path + kReplacement).c_str(), path.c_str()) == 0) {
    return newer;
  }
  if (bytes.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, " is not what the chain says it is"));
  }
  return absl::DataLossError(
      absl::StrCat("can't be read: ", bytes.status().message()));
}

absl::Status Archive::Read(
    const std::string& instance_id, int64_t from_ns, bool over_damage,
    const std::function<bool(const v1::RecordingSegment&)>& visit) {
  uint64_t next = 0;
  for (;;) {
    v1::RecordingSegment segment;
    {
      // One at a time: whoever reads slowly keeps nobody out.
      MutexLock lock(io_mu_);
      BERTH_ASSIGN_OR_RETURN(const Loaded loaded, LoadGoodPart(instance_id));
      auto it = loaded.chain->segments().lower_bound(next);
      while (it != loaded.chain->segments().end() &&
             it->second.until_ns < from_ns) {
        ++it;
      }
      if (it == loaded.chain->segments().end()) return absl::OkStatus();
      next = it->first + 1;
      const absl::StatusOr<std::string> bytes = ReadSegment(loaded, it->first);
      auto parsed = bytes.ok() ? ParseRecordingSegment(*bytes) : bytes.status();
      if (!parsed.ok() && !over_damage) return parsed.status();
      segment = parsed.ok() ? *std::move(parsed)
                            : GapFor(it->first, it->second, parsed.status());
    }
    if (!visit(segment)) return absl::OkStatus();
  }
}

absl::StatusOr<std::string> Archive::CheckChain(const Loaded& loaded) const {
  if (!loaded.damage.empty()) return loaded.damage;
  BERTH_ASSIGN_OR_RETURN(const std::string pem, ReadFile(keys_path_));
  BERTH_ASSIGN_OR_RETURN(const AuditPublicKeys keys,
                         AuditPublicKeys::Parse(pem));
  const absl::Status signatures = loaded.chain->Verify(loaded.text, keys);
  if (signatures.ok()) return "";
  return absl::StrCat(DirectoryOf(loaded.info.instance_id()), "/",
                      signatures.message());
}

absl::StatusOr<std::string> Archive::FindDamage(const std::string& instance_id,
                                                const Seals& seals) {
  MutexLock lock(io_mu_);
  BERTH_ASSIGN_OR_RETURN(const Loaded loaded, LoadGoodPart(instance_id));
  BERTH_ASSIGN_OR_RETURN(std::string damage, CheckChain(loaded));
  return damage.empty() ? seals.Compare(loaded.chain->segments()) : damage;
}

absl::StatusOr<v1::VerifyRecordingResponse> Archive::Verify(
    const std::string& instance_id, const Seals& seals) {
  MutexLock lock(io_mu_);
  absl::StatusOr<v1::VerifyRecordingResponse> report =
      VerifyLoaded(instance_id, seals);
  if (!absl::IsDataLoss(report.status())) return report;
  v1::VerifyRecordingResponse changed;
  changed.set_finding(std::string(report.status().message()));
  return changed;
}

absl::StatusOr<v1::VerifyRecordingResponse> Archive::VerifyLoaded(
    const std::string& instance_id, const Seals& seals) const {
  BERTH_ASSIGN_OR_RETURN(const Loaded loaded, LoadGoodPart(instance_id));
  BERTH_ASSIGN_OR_RETURN(const std::string damage, CheckChain(loaded));
  if (!damage.empty()) return absl::DataLossError(damage);
  const Chain& chain = *loaded.chain;
  v1::VerifyRecordingResponse report;
  const Chain::Segment* before = nullptr;
  uint64_t expected = 0;
  uint64_t unknown = 0;
  for (const auto& [index, known] : chain.segments()) {
    BERTH_ASSIGN_OR_RETURN(const std::string bytes, ReadSegment(loaded, index));
    BERTH_ASSIGN_OR_RETURN(const v1::RecordingSegment segment,
                           ParseRecordingSegment(bytes));
    const std::string path = PathOf(instance_id, index);
    if (segment.instance_id() != instance_id || segment.index() != index) {
      return absl::DataLossError(absl::StrCat(path, " is another segment"));
    }
    if (index != expected) {
      report.add_notes(absl::StrCat("segments ", expected, " to ", index - 1,
                                    " never came"));
    } else if (before != nullptr &&
               before->original != segment.previous_sha256()) {
      return absl::DataLossError(
          absl::StrCat(path, " does not follow the one before it"));
    }
    if (known.redacted) {
      report.add_notes(
          absl::StrCat("something was taken out of segment ", index));
    }
    unknown += seals.segments.contains(index) ? 0 : 1;
    before = &known;
    expected = index + 1;
    report.set_segments(report.segments() + 1);
    report.set_head_sha256(known.original);
  }
  const std::string missing = seals.Compare(chain.segments());
  if (!missing.empty()) return absl::DataLossError(missing);
  if (unknown > 0) {
    report.add_notes(absl::StrCat(
        "the audit log does not know ", unknown,
        " of its segments: they are older than what it has, or just came"));
  }
  if (!chain.ended()) {
    report.add_notes("it has no end yet: what comes last can't be known");
  }
  return report;
}

}  // namespace berth::broker

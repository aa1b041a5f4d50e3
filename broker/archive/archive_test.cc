#include "broker/archive/archive.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/recording/segment.h"
#include "broker/archive/seals.h"
#include "broker/audit/log_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Id(int number) {
  return absl::StrCat("00000000-0000-4000-8000-00000000000", number);
}

class ArchiveTest : public ::testing::Test {
 protected:
  ArchiveTest() : pem_(*AuditKey::NewPem()) {
    const AuditKey key = *AuditKey::Parse(pem_);
    EXPECT_TRUE(
        WriteFileAtomically(dir_.path() + "/keys", key.public_pem()).ok());
    Open({});
  }

  void Open(Archive::Options options) {
    options.directory = dir_.path() + "/archive";
    auto archive =
        Archive::Open(options, *AuditKey::Parse(pem_), dir_.path() + "/keys");
    ASSERT_TRUE(archive.ok()) << archive.status();
    archive_ = *std::move(archive);
  }

  // The next segment of a recording: prints `text` at `time`.
  std::string Segment(int number, uint64_t index, int64_t time,
                      const std::string& text, bool last = false) {
    v1::RecordingSegment segment;
    segment.set_instance_id(Id(number));
    segment.set_index(index);
    std::string& hash = hashes_[number];
    segment.set_previous_sha256(index == 0 ? NoRecordingHash() : hash);
    segment.mutable_info()->set_instance_id(Id(number));
    segment.mutable_info()->set_owner("alice");
    segment.set_last(last);
    v1::RecordingEntry& entry = *segment.add_entries();
    entry.set_time_ns(time);
    entry.set_terminal(text);
    const std::string bytes = segment.SerializeAsString();
    hash = RecordingHash(bytes);
    return bytes;
  }

  absl::Status Store(const std::string& bytes,
                     const std::string& computer = "web",
                     bool is_oldest = false) {
    return archive_->Store(computer, bytes, is_oldest).status();
  }

  std::string PathOf(int number, const std::string& file) const {
    return absl::StrCat(dir_.path(), "/archive/", Id(number), "/", file);
  }

  std::vector<std::string> Text(int number, int64_t from = 0) {
    std::vector<std::string> text;
    const absl::Status status = archive_->Read(
        Id(number), from, over_damage_,
        [&](const v1::RecordingSegment& segment) {
          for (const auto& entry : segment.entries()) {
            text.push_back(entry.has_redacted()
                               ? "taken out: " + entry.redacted().reason()
                               : entry.terminal());
          }
          return true;
        });
    if (!status.ok()) text.push_back(status.ToString());
    return text;
  }

  std::string Finding(int number) {
    const auto report = archive_->Verify(Id(number), seals_);
    return report.ok() ? report->finding() : report.status().ToString();
  }

  testing::TempDir dir_;
  const std::string pem_;
  std::map<int, std::string> hashes_;
  std::unique_ptr<Archive> archive_;
  Seals seals_;  // What the audit log knows.
  bool over_damage_ = false;
};

TEST_F(ArchiveTest, KeepsWhatComesOnceAndInOrder) {
  const std::string a = Segment(1, 0, 10, "a");
  const std::string b = Segment(1, 1, 20, "b", /*last=*/true);
  ASSERT_TRUE(Store(a).ok());
  ASSERT_TRUE(Store(a).ok());  // Its answer was lost.
  ASSERT_TRUE(Store(b).ok());
  Open({});  // The next broker knows it all.
  ASSERT_TRUE(Store(b).ok());
  EXPECT_THAT(Text(1), ElementsAre("a", "b"));
  EXPECT_THAT(Text(1, 15), ElementsAre("b"));
  EXPECT_EQ(Finding(1), "");
  const auto found = archive_->Find(Id(1));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->segments(), 2);
  EXPECT_TRUE(found->ended());
  EXPECT_EQ(found->info().computer(), "web");
}

TEST_F(ArchiveTest, RefusesWhatDoesNotBelong) {
  ASSERT_TRUE(Store(Segment(1, 0, 10, "a")).ok());
  EXPECT_TRUE(
      absl::IsPermissionDenied(Store(Segment(1, 1, 20, "evil"), "another")));
  EXPECT_TRUE(absl::IsInvalidArgument(Store("garbage")));
  hashes_[1] = std::string(64, 'a');
  EXPECT_TRUE(absl::IsFailedPrecondition(Store(Segment(1, 1, 20, "b"))));
  EXPECT_TRUE(absl::IsFailedPrecondition(Store(Segment(1, 3, 20, "c"))));
  EXPECT_THAT(Text(1), ElementsAre("a"));
  // Unless nothing else is left.
  ASSERT_TRUE(Store(Segment(1, 3, 20, "c", true), "web", true).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Store(Segment(1, 4, 30, "d"))));
  const auto report = archive_->Verify(Id(1), {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->finding(), "");
  EXPECT_THAT(report->notes(), Contains("segments 1 to 2 never came"));
}

TEST_F(ArchiveTest, EveryChangeIsFound) {
  ASSERT_TRUE(Store(Segment(1, 0, 10, "aaaa")).ok());
  ASSERT_TRUE(Store(Segment(1, 1, 20, "bbbb")).ok());
  const std::string file = PathOf(1, RecordingSegmentName(0));
  const std::string chain = PathOf(1, "chain");
  const std::string bytes = *ReadFile(file);
  const std::string lines = *ReadFile(chain);
  for (size_t i = 0; i < bytes.size(); i += 7) {
    std::string changed = bytes;
    changed[i] ^= 1;
    ASSERT_TRUE(WriteFileAtomically(file, changed).ok());
    ASSERT_THAT(Finding(1), HasSubstr(file)) << i;
  }
  EXPECT_THAT(Text(1), ElementsAre(HasSubstr("is not what the chain says")));
  ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
  for (size_t i = 0; i + 1 < lines.size(); i += 11) {
    std::string changed = lines;
    changed[i] ^= 1;
    ASSERT_TRUE(WriteFileAtomically(chain, changed).ok());
    ASSERT_NE(Finding(1), "") << i;
  }
  // A forger without the key.
  const AuditKey forger = *AuditKey::Parse(*AuditKey::NewPem());
  Chain forged(Id(1));
  ChainLine line;
  line.sha256 = RecordingHash(bytes);
  ASSERT_TRUE(WriteFileAtomically(chain, forged.Add(line, forger)).ok());
  EXPECT_THAT(Finding(1), HasSubstr("a key that is not the broker's"));
  // A chain of another recording.
  ASSERT_TRUE(Store(Segment(2, 0, 10, "x")).ok());
  ASSERT_TRUE(WriteFileAtomically(chain, *ReadFile(PathOf(2, "chain"))).ok());
  ASSERT_TRUE(
      WriteFileAtomically(file, *ReadFile(PathOf(2, RecordingSegmentName(0))))
          .ok());
  EXPECT_THAT(Finding(1), HasSubstr("signature is not good"));
  ASSERT_TRUE(WriteFileAtomically(chain, lines).ok());
  ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
  EXPECT_EQ(Finding(1), "");
}

// Whoever can write the archive can cut its end off, and what is left has good
// hashes and signatures.
TEST_F(ArchiveTest, WhatWasCutOffIsKnownToTheAuditLog) {
  const std::string a = Segment(1, 0, 10, "a");
  const std::string b = Segment(1, 1, 20, "secret");
  const std::string c = Segment(1, 2, 30, "c", true);
  ASSERT_TRUE(Store(a).ok());
  const std::string chain = PathOf(1, "chain");
  const std::string lines = *ReadFile(chain);
  ASSERT_TRUE(Store(b).ok());
  ASSERT_TRUE(Store(c).ok());
  seals_.segments = {{0, RecordingHash(a)}, {1, RecordingHash(b)}};
  EXPECT_EQ(Finding(1), "");
  EXPECT_THAT(archive_->Verify(Id(1), seals_)->notes(),
              ElementsAre(HasSubstr("does not know 1 of its segments")));
  seals_.segments[2] = RecordingHash(c);
  // What is taken out lawfully changes nothing.
  v1::RecordedRedaction redaction;
  redaction.set_user("boss");
  redaction.set_reason("a court said so");
  ASSERT_TRUE(archive_->Redact(Id(1), 20, 30, redaction).ok());
  EXPECT_EQ(Finding(1), "");
  EXPECT_EQ(*archive_->FindDamage(Id(1), seals_), "");
  ASSERT_TRUE(WriteFileAtomically(chain, lines).ok());
  EXPECT_EQ(archive_->Verify(Id(1), {})->finding(), "");
  const std::string want = absl::StrCat(
      "the audit log knows segment 1 with the hash ", RecordingHash(b),
      ", the archive does not have it: it was removed");
  EXPECT_EQ(Finding(1), want);
  EXPECT_EQ(*archive_->FindDamage(Id(1), seals_), want);
  // One that takes its place is another.
  ASSERT_TRUE(WriteFileAtomically(chain, "").ok());
  Segment(1, 0, 10, "a");
  ASSERT_TRUE(Store(Segment(1, 0, 10, "forged")).ok());
  EXPECT_THAT(Finding(1), HasSubstr("the archive has another"));
}

TEST_F(ArchiveTest, ShowsWhatIsLeftOfADamagedOne) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Store(Segment(1, i, 10 * i, absl::StrCat("text", i))).ok());
  }
  const std::string file = PathOf(1, RecordingSegmentName(1));
  ASSERT_TRUE(WriteFileAtomically(file, "changed").ok());
  EXPECT_THAT(Text(1), ElementsAre("text0", HasSubstr("is not what")));
  over_damage_ = true;
  EXPECT_THAT(Text(1), ElementsAre("text0", "", "text2"));
  // Also of one whose chain is damaged: its owner sees that there is one.
  const std::string chain = PathOf(1, "chain");
  const std::string lines = *ReadFile(chain);
  const size_t second = lines.find('\n') + 1;
  ASSERT_TRUE(
      WriteFileAtomically(chain, lines.substr(0, second) + "{}\n").ok());
  EXPECT_THAT(Text(1), ElementsAre("text0"));
  const auto all = archive_->List([](const auto&) { return true; });
  ASSERT_EQ(all.size(), 1);
  EXPECT_THAT(all[0].damage(), HasSubstr("chain:2: "));
  EXPECT_THAT(*archive_->FindDamage(Id(1), {}), HasSubstr("chain:2: "));
  EXPECT_TRUE(absl::IsDataLoss(Store(Segment(1, 3, 40, "more"))));
  Open({.directory = "", .keep = absl::Seconds(1), .max_bytes = 0});
  EXPECT_THAT(archive_->Retire(absl::Now()), IsEmpty());
}

TEST_F(ArchiveTest, SealsAreFoundInTheAuditLog) {
  const std::string directory = dir_.path() + "/audit";
  std::vector<AuditEvent> mended;
  auto log = AuditLogFile::Open({.directory = directory},
                                *AuditKey::Parse(pem_), &mended);
  ASSERT_TRUE(log.ok()) << log.status();
  v1::RecordingInfo info;
  info.set_instance_id(Id(1));
  std::vector<AuditEvent> events(5);
  for (AuditEvent& event : events) {
    event.verb = kSealVerb;
    event.outcome = "allowed";
  }
  SetSeal(info, {0, "aa", 5, false}, events[0]);
  SetSeal(info, {1, "bb", 5, true}, events[1]);
  SetSeal(info, {1, "cc", 5, true}, events[2]);  // Came again.
  SetSeal(info, {2, "dd", 5, true}, events[3]);
  events[3].outcome = "failed";
  info.set_instance_id(Id(2));
  SetSeal(info, {7, "ee", 5, true}, events[4]);
  ASSERT_TRUE((*log)->Append(events, nullptr).ok());
  auto seals = FindSeals(directory, Id(1));
  ASSERT_TRUE(seals.ok());
  EXPECT_THAT(seals->segments,
              ElementsAre(std::make_pair(0, "aa"), std::make_pair(1, "bb")));
  EXPECT_FALSE(seals->retired);
  events.resize(1);
  events[0].verb = kRecordingRetiredVerb;
  events[0].outcome = "done";
  ASSERT_TRUE((*log)->Append(events, nullptr).ok());
  EXPECT_TRUE(FindSeals(directory, Id(1))->retired);
  EXPECT_THAT(FindSeals(dir_.path() + "/none", Id(1))->segments, IsEmpty());
}

TEST_F(ArchiveTest, ABrokerThatDiedWhileItWroteLeavesNothingWrong) {
  const std::string b = Segment(1, 0, 10, "a");
  ASSERT_TRUE(Store(b).ok());
  const std::string chain = PathOf(1, "chain");
  const std::string lines = *ReadFile(chain);
  ASSERT_TRUE(WriteFileAtomically(chain, lines.substr(0, 50)).ok());
  Open({});
  ASSERT_TRUE(Store(b).ok());
  EXPECT_EQ(Finding(1), "");
  EXPECT_THAT(Text(1), ElementsAre("a"));
}

TEST_F(ArchiveTest, TakesOutWhatItMustAndSaysSo) {
  ASSERT_TRUE(Store(Segment(1, 0, 10, "keep")).ok());
  ASSERT_TRUE(Store(Segment(1, 1, 20, "secret")).ok());
  ASSERT_TRUE(Store(Segment(1, 2, 30, "rest", true)).ok());
  v1::RecordedRedaction redaction;
  redaction.set_user("boss");
  EXPECT_TRUE(absl::IsInvalidArgument(
      archive_->Redact(Id(1), 20, 30, redaction).status()));
  redaction.set_reason("a court said so");
  const auto taken = archive_->Redact(Id(1), 20, 30, redaction);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, 1);
  EXPECT_THAT(Text(1),
              ElementsAre("keep", "taken out: a court said so", "rest"));
  EXPECT_EQ(Finding(1), "");
  EXPECT_EQ(archive_->Find(Id(1))->redacted(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(
      archive_->Redact(Id(1), 20, 30, redaction).status()));
  // The broker died before the file took its place.
  const std::string file = PathOf(1, RecordingSegmentName(1));
  const std::string rest = *ReadFile(file);
  ASSERT_TRUE(WriteFileAtomically(file + ".new", rest).ok());
  ASSERT_TRUE(WriteFileAtomically(file, "as it was").ok());
  EXPECT_EQ(Finding(1), "");
  EXPECT_EQ(*ReadFile(file), rest);
}

TEST_F(ArchiveTest, OldAndTooManyGo) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  const int64_t hour = absl::ToInt64Nanoseconds(absl::Hours(1));
  const int64_t then = absl::ToUnixNanos(now) - 100 * hour;
  Open({.directory = "", .keep = absl::Hours(50), .max_bytes = 0});
  ASSERT_TRUE(Store(Segment(1, 0, then, "old", true)).ok());
  ASSERT_TRUE(Store(Segment(2, 0, then + 60 * hour, "new", true)).ok());
  ASSERT_TRUE(Store(Segment(3, 0, then + 61 * hour, "lives")).ok());
  auto retired = archive_->Retire(now);
  ASSERT_EQ(retired.size(), 1);
  EXPECT_EQ(retired[0].info().instance_id(), Id(1));
  EXPECT_TRUE(absl::IsNotFound(archive_->Find(Id(1)).status()));
  // Full: what is over goes; what lives stays, and takes no more.
  Open({.directory = "", .keep = {}, .max_bytes = archive_->bytes() + 10});
  EXPECT_TRUE(absl::IsResourceExhausted(Store(Segment(3, 1, 1, "more"))));
  retired = archive_->Retire(now);
  ASSERT_EQ(retired.size(), 1);
  EXPECT_EQ(retired[0].info().instance_id(), Id(2));
  EXPECT_THAT(archive_->Retire(now), IsEmpty());
  EXPECT_THAT(Text(3), ElementsAre("lives"));
}

TEST_F(ArchiveTest, KnowsNoNamesButIds) {
  EXPECT_TRUE(absl::IsNotFound(archive_->Find("../../etc/passwd").status()));
  EXPECT_TRUE(absl::IsNotFound(archive_->Find(Id(9)).status()));
}

}  // namespace
}  // namespace berth::broker

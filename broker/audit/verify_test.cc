#include "broker/audit/verify.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "broker/audit/segments.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

AuditEvent Event(int number) {
  AuditEvent event;
  event.time = absl::FromUnixSeconds(1'700'000'000 + number);
  event.verb = "run";
  event.outcome = "allowed";
  event.user = absl::StrCat("user", number);
  return event;
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest()
      : key_(*AuditKey::Parse(*AuditKey::NewPem())),
        keys_(*AuditPublicKeys::Parse(key_.public_pem())) {
    options_.directory = temp_.path() + "/audit";
    options_.checkpoint_lines = 10;
  }

  std::unique_ptr<AuditLogFile> Open() {
    mended_.clear();
    auto log = AuditLogFile::Open(options_, key_, &mended_);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  // `count` events, one by one, and a checkpoint at the end if `sign`.
  void Write(int count, bool sign = true) {
    auto log = Open();
    for (const AuditEvent& event : mended_) {
      EXPECT_TRUE(log->Append({event}, nullptr).ok());
    }
    for (int i = 1; i <= count; ++i) {
      EXPECT_TRUE(log->Append({Event(i)}, nullptr).ok());
    }
    if (sign) {
      EXPECT_TRUE(log->Checkpoint(nullptr).ok());
    }
    EXPECT_TRUE(log->Sync().ok());
  }

  AuditReport Verify(std::vector<AuditHead> heads = {}) {
    auto report = VerifyAuditLog(options_.directory, keys_, std::move(heads));
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : AuditReport();
  }

  std::string Path(uint64_t first = 1) {
    return absl::StrCat(options_.directory, "/", AuditSegmentName(first));
  }
  std::vector<std::string> Lines(const std::string& path) {
    return absl::StrSplit(testing::ReadTextFile(path), '\n', absl::SkipEmpty());
  }
  void SetLines(const std::string& path, std::vector<std::string> lines) {
    testing::WriteTextFile(path, absl::StrJoin(lines, "\n") + "\n");
  }
  // As somebody without the key would do it: all hashes are right again.
  void MakeChainAnew(std::vector<std::string>& lines) {
    std::string hash = NoHash();
    for (std::string& text : lines) {
      AuditLine line = *ParseLine(text);
      line.prev = hash;
      text = FormatLine(line);
      if (!line.key.empty()) text = AddSignature(text, line.signature);
      hash = HexSha256(text);
    }
  }

  testing::TempDir temp_;
  const AuditKey key_;
  const AuditPublicKeys keys_;
  AuditLogFile::Options options_;
  std::vector<AuditEvent> mended_;
};

TEST_F(VerifyTest, AnUntouchedLogIsIntact) {
  Write(25);
  Write(5);  // Goes on where it ended.
  const AuditReport report = Verify();
  EXPECT_EQ(report.finding, "");
  EXPECT_EQ(report.lines, report.last_seq);
  EXPECT_EQ(report.signed_through, report.last_seq);
  EXPECT_GE(report.lines, 32u);
  struct stat info = {};
  ASSERT_EQ(stat(Path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

// Whatever bit is turned over, in whatever line, is found at that line.
TEST_F(VerifyTest, AnyChangedByteIsFound) {
  Write(15);
  const std::string good = testing::ReadTextFile(Path());
  for (size_t at = 0; at + 1 < good.size(); at += 7) {
    std::string bad = good;
    bad[at] ^= 1;
    testing::WriteTextFile(Path(), bad);
    EXPECT_NE(Verify().finding, "") << "byte " << at;
  }
  testing::WriteTextFile(Path(),
                         absl::StrReplaceAll(good, {{"user4", "user9"}}));
  EXPECT_TRUE(absl::StartsWith(Verify().finding, "line 4 was changed"))
      << Verify().finding;
}

TEST_F(VerifyTest, ARemovedLineIsFound) {
  Write(15);
  auto lines = Lines(Path());
  lines.erase(lines.begin() + 4);
  SetLines(Path(), lines);
  EXPECT_EQ(Verify().finding,
            "lines 5 to 5 were removed: 00000000000000000001.jsonl:5 has line "
            "6");
}

TEST_F(VerifyTest, OtherOrderIsFound) {
  Write(15);
  auto lines = Lines(Path());
  std::swap(lines[4], lines[5]);
  SetLines(Path(), lines);
  EXPECT_TRUE(
      absl::StartsWith(Verify().finding, "lines were put in another order: "))
      << Verify().finding;
}

TEST_F(VerifyTest, ALineThatWasPutInIsFound) {
  Write(15);
  auto lines = Lines(Path());
  lines.insert(lines.begin() + 4, lines[2]);
  SetLines(Path(), lines);
  EXPECT_TRUE(absl::StrContains(Verify().finding, ":5 was put in"))
      << Verify().finding;
}

TEST_F(VerifyTest, AChainMadeAnewWithoutTheKeyIsFoundAtTheCheckpoint) {
  Write(25);
  auto lines = Lines(Path());
  lines[3] = absl::StrReplaceAll(lines[3], {{"user4", "mallory"}});
  MakeChainAnew(lines);
  SetLines(Path(), lines);
  EXPECT_EQ(Verify().finding,
            "00000000000000000001.jsonl:10 (line 10) has a bad signature: "
            "lines after 0 were changed and the chain was made anew without "
            "the key");
}

// Somebody may leave the checkpoints out, too.
TEST_F(VerifyTest, AChainMadeAnewWithoutCheckpointsIsFound) {
  options_.checkpoint_lines = AuditLogFile::kCheckpointLines;
  Write(2500);
  auto lines = Lines(Path());
  std::erase_if(lines, [](const std::string& line) {
    return absl::StrContains(line, kCheckpointVerb);
  });
  uint64_t seq = 0;
  for (std::string& text : lines) {
    AuditLine line = *ParseLine(text);
    line.seq = ++seq;
    text = FormatLine(line);
  }
  MakeChainAnew(lines);
  SetLines(Path(), lines);
  EXPECT_TRUE(
      absl::StartsWith(Verify().finding, "no checkpoint among lines 1 to 1000"))
      << Verify().finding;
}

TEST_F(VerifyTest, AnotherKeysCheckpointIsFound) {
  Write(5);
  const AuditKey mallory = *AuditKey::Parse(*AuditKey::NewPem());
  std::vector<AuditEvent> mended;
  unlink((options_.directory + "/head").c_str());
  unlink(Path().c_str());
  auto log = *AuditLogFile::Open(options_, mallory, &mended);
  ASSERT_TRUE(log->Append({Event(1)}, nullptr).ok());
  ASSERT_TRUE(log->Checkpoint(nullptr).ok());
  EXPECT_TRUE(absl::StrContains(Verify().finding, "signed with another key"))
      << Verify().finding;
}

TEST_F(VerifyTest, ARemovedEndIsFoundByTheCopyOfTheLastCheckpoint) {
  Write(25);
  auto lines = Lines(Path());
  lines.resize(10);  // Ends with a good checkpoint.
  SetLines(Path(), lines);
  EXPECT_EQ(Verify().finding,
            "the log's end was removed: it ends at line 10, and line 28 was "
            "written");
  // The broker notices it when it starts, and says so in the log.
  Open();
  ASSERT_EQ(mended_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(mended_[0].detail, "lines are gone"));
}

// What is after the last checkpoint: a serving broker knows its last line. Of
// a log alone nobody can tell, and the report says so.
TEST_F(VerifyTest, ARemovedEndAfterTheLastCheckpoint) {
  Write(25, /*sign=*/false);
  auto lines = Lines(Path());
  const AuditHead head{lines.size(), HexSha256(lines.back())};
  EXPECT_EQ(Verify({head}).finding, "");
  lines.pop_back();
  SetLines(Path(), lines);
  EXPECT_TRUE(
      absl::StartsWith(Verify({head}).finding, "the log's end was removed: "));
  const AuditReport alone = Verify();
  EXPECT_EQ(alone.finding, "");
  EXPECT_EQ(alone.signed_through, 20u);
  ASSERT_EQ(alone.notes.size(), 1u);
  EXPECT_TRUE(absl::StrContains(alone.notes[0], "can't be known"));
}

TEST_F(VerifyTest, AMissingSegmentIsFound) {
  options_.segment_bytes = 1500;
  Write(40);
  auto segments = *ListAuditSegments(options_.directory);
  ASSERT_GE(segments.size(), 4u);
  EXPECT_EQ(Verify().finding, "");
  const std::string kept = testing::ReadTextFile(segments[1].path);
  unlink(segments[1].path.c_str());
  EXPECT_TRUE(absl::StartsWith(Verify().finding, "a segment is missing before"))
      << Verify().finding;
  testing::WriteTextFile(segments[1].path, kept);
  unlink(segments[0].path.c_str());
  EXPECT_TRUE(absl::StrContains(Verify().finding,
                                "does not say that they were retired"))
      << Verify().finding;
  testing::WriteTextFile(segments[0].path, "");
  unlink(segments.back().path.c_str());
  EXPECT_NE(Verify().finding, "");
}

TEST_F(VerifyTest, RetiredSegmentsAreNoFinding) {
  options_.segment_bytes = 1500;
  Write(40);
  const auto segments = *ListAuditSegments(options_.directory);
  for (const AuditSegment& segment : segments) {
    const utimbuf old = {1'000'000'000, 1'000'000'000};
    utime(segment.path.c_str(), &old);
  }
  options_.retention = absl::Hours(24);
  Write(10);
  const AuditReport report = Verify();
  EXPECT_EQ(report.finding, "");
  EXPECT_GT(report.first_seq, 10u);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_TRUE(absl::StrContains(report.notes[0], "were retired"));
}

TEST_F(VerifyTest, ATornLastLineIsMendedAndSaid) {
  Write(5, /*sign=*/false);
  const std::string good = testing::ReadTextFile(Path());
  for (size_t cut = 1; cut < 40; cut += 9) {
    testing::WriteTextFile(Path(), good.substr(0, good.size() - cut));
    EXPECT_EQ(Verify().finding, "");
    Write(2);
    ASSERT_EQ(mended_.size(), 1u);
    EXPECT_TRUE(absl::StrContains(mended_[0].detail, "log recovered, "));
    EXPECT_EQ(Verify().finding, "");
    unlink((options_.directory + "/head").c_str());
  }
  // A last line that lost only its newline is torn as well, and nothing else.
  testing::WriteTextFile(Path(), good);
  Write(1);
  EXPECT_TRUE(mended_.empty());
}

TEST_F(VerifyTest, ABrokerThatDiedBeforeASegmentsFirstLineGoesOn) {
  options_.segment_bytes = 600;
  Write(10);
  const uint64_t last = Verify().last_seq;
  testing::WriteTextFile(Path(last + 1), "");
  Write(3);
  EXPECT_EQ(Verify().finding, "");
  EXPECT_GT(Verify().last_seq, last);
}

TEST_F(VerifyTest, NoLogIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(
      VerifyAuditLog(temp_.path() + "/none", keys_, {}).status()));
  EXPECT_TRUE(
      absl::IsNotFound(VerifyAuditLog(temp_.path(), keys_, {}).status()));
}

}  // namespace
}  // namespace berth::broker

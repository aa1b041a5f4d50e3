#include "agent/recording/session_recorder.h"

#include <memory>
#include <string>
#include <vector>

#include "agent/log/command_log.h"
#include "agent/log/journal.h"
#include "agent/log/session_logs.h"
#include "base/files.h"
#include "base/recording/segment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kId[] = "00000000-0000-4000-8000-000000000001";
constexpr uint64_t kMiB = 1 << 20;

class SessionRecorderTest : public ::testing::Test {
 protected:
  SessionRecorderTest() : journal_(OpenJournal()) {
    const std::string spool = dir_.path() + "/spool";
    EXPECT_TRUE(MakePrivateDirectory(spool).ok());
    spool_ = std::make_unique<Spool>(spool, 16 * kMiB);
    logs_ = *SessionLogs::Open(dir_.path(), 64 * kMiB, WhenFull::kBlock);
    terminal_ = *SessionLogs::Open(dir_.path(), 8 * kMiB, WhenFull::kDrop);
    terminal_log_ = *terminal_->Create(0);
    info_.set_instance_id(kId);
    info_.set_terminal(true);
    info_.set_commands(true);
    EXPECT_TRUE(
        SessionRecorder::Create(*spool_, info_, dir_.path(), 64 * kMiB).ok());
    Reopen();
  }

  Journal OpenJournal() { return *Journal::Open(dir_.path() + "/journal"); }

  // As the next agent does.
  void Reopen(uint64_t limit = 16 * kMiB) {
    recorder_.reset();
    spool_ = std::make_unique<Spool>(dir_.path() + "/spool", limit);
    auto opened = SessionRecorder::Open(*spool_, kId);
    ASSERT_TRUE(opened.ok()) << opened.status();
    recorder_ = *std::move(opened);
  }

  CommandLog* Start(uint64_t sequence, const std::string& text) {
    holder::v1::JournalRecord record;
    record.mutable_started()->set_sequence(sequence);
    record.mutable_started()->set_what(text);
    record.mutable_started()->set_user("alice");
    EXPECT_TRUE(journal_.Append(record).ok());
    return *logs_->Create(sequence);
  }

  void End(uint64_t sequence, uint64_t end_offset) {
    holder::v1::JournalRecord record;
    record.mutable_ended()->set_sequence(sequence);
    record.mutable_ended()->set_exit_code(3);
    // The shell says that it is done before the last output is logged.
    record.mutable_ended()->set_ended_at_ns(1);
    record.mutable_ended()->set_end_offset(end_offset);
    EXPECT_TRUE(journal_.Append(record).ok());
  }

  void ReadAll() {
    recorder_->TouchAll();
    while (recorder_->has_work()) EXPECT_TRUE(recorder_->Read().ok());
  }

  // Takes all sealed segments, checks their chain, and says what they have.
  std::vector<std::string> Take() {
    std::vector<std::string> said;
    std::string hash = NoRecordingHash();
    for (uint64_t index = 0;; ++index) {
      const auto bytes = spool_->Read({kId, index, false});
      if (!bytes.ok()) return said;
      const auto segment = ParseRecordingSegment(*bytes);
      EXPECT_TRUE(segment.ok()) << segment.status();
      EXPECT_EQ(segment->index(), index);
      EXPECT_EQ(segment->previous_sha256(), hash);
      hash = RecordingHash(*bytes);
      for (const auto& entry : segment->entries()) {
        said.push_back(TextOf(entry));
      }
    }
  }

  static std::string TextOf(const v1::RecordingEntry& entry) {
    if (entry.has_terminal()) return "terminal " + entry.terminal();
    if (entry.has_size()) {
      return absl::StrCat("size ", entry.size().rows(), "x",
                          entry.size().columns());
    }
    if (entry.has_started()) {
      return absl::StrCat(entry.started().user(), " runs ",
                          entry.started().sequence(), " ",
                          entry.started().text());
    }
    if (entry.has_output()) {
      return absl::StrCat(entry.output().sequence(),
                          entry.output().is_error() ? " error " : " prints ",
                          entry.output().data());
    }
    if (entry.has_ended()) {
      return absl::StrCat(entry.ended().sequence(), " ended ",
                          entry.ended().exit_code());
    }
    if (entry.has_gap()) return "gap: " + entry.gap().reason();
    return "end: " + entry.session_ended().reason();
  }

  testing::TempDir dir_;
  v1::RecordingInfo info_;
  Journal journal_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<SessionLogs> logs_;
  std::unique_ptr<SessionLogs> terminal_;
  CommandLog* terminal_log_ = nullptr;
  std::unique_ptr<SessionRecorder> recorder_;
};

TEST_F(SessionRecorderTest, HasEverythingOnceAndInOrderWhoeverDiesInBetween) {
  ASSERT_TRUE(terminal_log_->Append(Stream::kStderr, "24 80").ok());
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "$ ").ok());
  CommandLog* one = Start(1, "make");
  ASSERT_TRUE(one->Append(Stream::kStdout, "a").ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  ASSERT_TRUE(one->Append(Stream::kStderr, "b").ok());
  ReadAll();
  Reopen();  // What was read and not sealed is read again.
  ReadAll();
  ASSERT_TRUE(one->Append(Stream::kStdout, "c").ok());
  End(1, 3);
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  EXPECT_EQ(recorder_->recorded().offsets().at(1), 3);
  ASSERT_TRUE(one->Append(Stream::kStdout, "late").ok());
  ASSERT_TRUE(recorder_->Finish("it was removed").ok());
  EXPECT_TRUE(recorder_->over());
  EXPECT_THAT(Take(),
              ElementsAre("alice runs 1 make", "size 24x80", "terminal $ ",
                          "1 prints a", "1 error b", "1 prints c", "1 ended 3",
                          "1 prints late", "end: it was removed"));
}

TEST_F(SessionRecorderTest, ACommandEndsBehindItsOutputAlsoIfThatIsGone) {
  CommandLog* one = Start(1, "x");
  CommandLog* two = Start(2, "y");
  ASSERT_TRUE(one->Append(Stream::kStdout, "a").ok());
  one->Skip(10);
  ASSERT_TRUE(two->Append(Stream::kStdout, "b").ok());
  End(1, 11);
  End(2, 1);
  ASSERT_TRUE(recorder_->Finish("exit").ok());
  EXPECT_THAT(Take(),
              ElementsAre("alice runs 1 x", "alice runs 2 y", "1 prints a",
                          "2 prints b", HasSubstr("gap: the session's"),
                          "1 ended 3", "2 ended 3", "end: exit"));
}

TEST_F(SessionRecorderTest, ASegmentWithoutItsStateIsMadeAgain) {
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "x").ok());
  const std::string state = dir_.path() + "/spool/" + kId + "/state";
  const std::string before = *ReadFile(state);
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  // The agent died between the two files.
  ASSERT_TRUE(WriteFileAtomically(state, before).ok());
  Reopen();
  EXPECT_THAT(Take(), IsEmpty());
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "y").ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  EXPECT_THAT(Take(), ElementsAre("terminal x", "terminal y"));
}

TEST_F(SessionRecorderTest, AFullSpoolLeavesAGapAndTheOldestStay) {
  Reopen(/*limit=*/1000);
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "first").ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  ASSERT_TRUE(
      terminal_log_->Append(Stream::kStdout, std::string(2000, 'x')).ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  EXPECT_THAT(Take(), ElementsAre("terminal first"));
  Reopen(/*limit=*/1000);  // It is remembered.
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "last").ok());
  ASSERT_TRUE(recorder_->Finish("exit").ok());
  EXPECT_THAT(Take(),
              ElementsAre("terminal first", HasSubstr("gap: the computer's"),
                          "terminal last", "end: exit"));
}

TEST_F(SessionRecorderTest, WhatTheLogLostIsAGap) {
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "a").ok());
  terminal_log_->Skip(1000);
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "b").ok());
  ASSERT_TRUE(recorder_->Finish("exit").ok());
  EXPECT_THAT(Take(), ElementsAre("terminal a", HasSubstr("gap: the session's"),
                                  "terminal b", "end: exit"));
}

TEST_F(SessionRecorderTest, StoredSegmentsGoAndTheRecordingAfterItsEnd) {
  ASSERT_TRUE(terminal_log_->Append(Stream::kStdout, "a").ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  auto next = spool_->WaitNext();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->index, 0);
  spool_->Stored(kId, 1);
  EXPECT_EQ(spool_->bytes(), 0);
  ASSERT_TRUE(recorder_->Finish("exit").ok());
  EXPECT_EQ(spool_->WaitNext()->index, 1);
  spool_->Stored(kId, 2);
  EXPECT_FALSE(ReadFile(dir_.path() + "/spool/" + kId + "/state").ok());
}

TEST_F(SessionRecorderTest, TheLogKeepsWhatIsNotRecorded) {
  logs_ = *SessionLogs::Open(dir_.path(), kMiB, WhenFull::kBlock);
  logs_->KeepUntilRecorded();
  CommandLog* log = Start(1, "yes");
  const std::string piece(60 << 10, 'x');
  while (log->Append(Stream::kStdout, piece).ok()) {
  }
  log->Ack(log->end());
  EXPECT_FALSE(log->Append(Stream::kStdout, piece).ok());
  ReadAll();
  ASSERT_TRUE(recorder_->Seal().ok());
  log->Recorded(recorder_->recorded().offsets().at(1));
  EXPECT_TRUE(log->Append(Stream::kStdout, piece).ok());
}

}  // namespace
}  // namespace berth::agent

// The writer and the reader of logs, against each other.

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/log/command_log.h"
#include "agent/log/log_reader.h"
#include "agent/log/session_logs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/berth-log-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    ASSERT_EQ(pipe2(pipe_, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_GT(fcntl(pipe_[1], F_SETPIPE_SZ, 1 << 20), 0);
  }
  void TearDown() override {
    close(pipe_[0]);
    close(pipe_[1]);
    std::filesystem::remove_all(directory_);
  }

  void Open(uint64_t limit, WhenFull when_full) {
    auto logs = SessionLogs::Open(directory_, limit, when_full);
    ASSERT_TRUE(logs.ok()) << logs.status();
    logs_ = *std::move(logs);
  }

  CommandLog& Create(uint64_t sequence) { return **logs_->Create(sequence); }

  // Passes `data` through the pipe into the log.
  absl::Status Pipe(CommandLog& log, Stream stream, std::string data) {
    EXPECT_EQ(write(pipe_[1], data.data(), data.size()),
              static_cast<ssize_t>(data.size()));
    return Drain(log, stream);
  }

  absl::Status Drain(CommandLog& log, Stream stream) {
    for (;;) {
      auto moved = log.AppendFromPipe(pipe_[0], stream, 1 << 20);
      if (!moved.ok()) return moved.status();
      if (*moved == 0) return absl::OkStatus();
    }
  }

  std::string SegmentPath(uint64_t sequence, uint64_t offset) {
    return absl::StrCat(directory_, "/", SegmentName({sequence, offset}));
  }

  uint64_t BytesOnDisk() {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      bytes += (entry.file_size() + 4095) / 4096 * 4096;
    }
    return bytes;
  }

  std::string directory_;
  int pipe_[2] = {-1, -1};
  std::unique_ptr<SessionLogs> logs_;
};

// All that a reader gets, as text: data as it is, "<gap N>" for gaps, and
// "[2]" before what came from standard error.
std::string ReadAll(LogReader& reader,
                    uint64_t logged_end = LogReader::kUnknownEnd,
                    size_t buffer_size = 256 << 10) {
  std::string all;
  std::vector<char> buffer(buffer_size);
  Stream stream = Stream::kStdout;
  for (;;) {
    auto chunk = reader.Read(absl::MakeSpan(buffer), logged_end);
    if (!chunk.ok()) return absl::StrCat(all, "!", chunk.status().message());
    if (chunk->kind == LogReader::Chunk::kEnd) return all;
    if (chunk->kind == LogReader::Chunk::kGap) {
      absl::StrAppend(&all, "<gap ", chunk->length, ">");
      continue;
    }
    if (chunk->stream != stream) {
      absl::StrAppend(&all, "[", static_cast<int>(chunk->stream), "]");
      stream = chunk->stream;
    }
    all.append(buffer.data(), chunk->length);
  }
}

LogReader Reader(const std::string& directory, uint64_t sequence,
                 uint64_t offset) {
  return *LogReader::Open(directory, sequence, offset);
}

TEST_F(LogTest, ReadsWhatCameThroughThePipe) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  ASSERT_TRUE(Pipe(log, Stream::kStdout, "hello ").ok());
  ASSERT_TRUE(Pipe(log, Stream::kStderr, "oops ").ok());
  ASSERT_TRUE(log.Append(Stream::kStdout, "world").ok());
  EXPECT_EQ(log.end(), 16u);
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader), "hello [2]oops [1]world");
  LogReader later = Reader(directory_, 1, 8);
  EXPECT_EQ(ReadAll(later), "[2]ps [1]world");
}

TEST_F(LogTest, CommandWithoutOutputHasNoFile) {
  Open(kMiB, WhenFull::kBlock);
  Create(1);
  auto moved = logs_->Find(1)->AppendFromPipe(pipe_[0], Stream::kStdout, 100);
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(*moved, 0u);
  EXPECT_EQ(BytesOnDisk(), 0u);
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader), "");
  logs_->Finish(1);
  EXPECT_EQ(logs_->Find(1), nullptr);
}

TEST_F(LogTest, MergesSmallRecordsIntoOneChunk) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(3);
  std::string want;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(log.Append(Stream::kStdout, absl::StrCat(i, "\n")).ok());
    absl::StrAppend(&want, i, "\n");
  }
  LogReader reader = Reader(directory_, 3, 0);
  std::vector<char> buffer(256 << 10);
  auto chunk = reader.Read(absl::MakeSpan(buffer));
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(std::string(buffer.data(), chunk->length), want);
}

TEST_F(LogTest, DoesNotReadPastWhatWasAnnounced) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  ASSERT_TRUE(log.Append(Stream::kStdout, "one").ok());
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader, 3), "one");
  ASSERT_TRUE(log.Append(Stream::kStdout, "two").ok());
  EXPECT_EQ(ReadAll(reader, 3), "");
  EXPECT_EQ(ReadAll(reader, 6), "two");
}

TEST_F(LogTest, BlocksUntilSomethingIsAcknowledged) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  const std::string piece(100'000, 'x');
  absl::Status status;
  while (status.ok()) status = Pipe(log, Stream::kStdout, piece);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr(directory_));
  EXPECT_LE(BytesOnDisk(), kMiB);
  const uint64_t full_at = log.end();
  EXPECT_GT(full_at, kMiB / 10 * 9);
  // What did not fit is still in the pipe, and comes once there is room.
  log.Ack(full_at / 2);
  EXPECT_TRUE(Drain(log, Stream::kStdout).ok());
  EXPECT_EQ(log.end() % piece.size(), 0u);
  LogReader reader = Reader(directory_, 1, full_at / 2);
  EXPECT_EQ(ReadAll(reader, log.end()),
            std::string(log.end() - full_at / 2, 'x'));
  EXPECT_LE(BytesOnDisk(), kMiB);
}

TEST_F(LogTest, DropsTheOldestAndSaysHowMuch) {
  Open(kMiB, WhenFull::kDrop);
  CommandLog& log = Create(1);
  std::string all;
  for (int i = 0; i < 40; ++i) {
    all += std::string(100'000, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(Pipe(log, Stream::kStdout, all.substr(i * 100'000)).ok());
  }
  EXPECT_LE(BytesOnDisk(), kMiB);
  LogReader reader = Reader(directory_, 1, 0);
  std::vector<char> buffer(10);
  auto gap = reader.Read(absl::MakeSpan(buffer), log.end());
  ASSERT_TRUE(gap.ok());
  ASSERT_EQ(gap->kind, LogReader::Chunk::kGap);
  EXPECT_EQ(gap->offset, 0u);
  EXPECT_EQ(ReadAll(reader, log.end()), all.substr(gap->length));
}

TEST_F(LogTest, AcknowledgedOutputStaysWithoutPressure) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  ASSERT_TRUE(log.Append(Stream::kStdout, "again").ok());
  log.Ack(5);
  logs_->Finish(1);
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader), "again");
}

TEST_F(LogTest, OneFullCommandGivesWayToTheNext) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& first = Create(1);
  const std::string piece(64 << 10, 'x');
  while (first.Append(Stream::kStdout, piece).ok()) {
  }
  first.Ack(first.end());
  const uint64_t first_end = first.end();
  logs_->Finish(1);
  CommandLog& second = Create(2);
  ASSERT_TRUE(second.Append(Stream::kStdout, "second").ok());
  LogReader reader = Reader(directory_, 2, 0);
  EXPECT_EQ(ReadAll(reader, second.end()), "second");
  // A recycled file has none of its old records for a reader that knows no end.
  LogReader again = Reader(directory_, 2, 0);
  EXPECT_EQ(ReadAll(again), "second");
  LogReader old = Reader(directory_, 1, 0);
  EXPECT_THAT(ReadAll(old, first_end), HasSubstr("<gap "));
}

TEST_F(LogTest, ReaderOfARecycledSegmentSeesAGapNotOtherBytes) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  const std::string old_piece(64 << 10, 'o'), new_piece(64 << 10, 'n');
  while (log.Append(Stream::kStdout, old_piece).ok()) {
  }
  const uint64_t old_end = log.end();
  LogReader reader = Reader(directory_, 1, 0);
  std::vector<char> buffer(100);
  ASSERT_TRUE(reader.Read(absl::MakeSpan(buffer), old_end).ok());
  log.Ack(old_end);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(log.Append(Stream::kStdout, new_piece).ok());
    log.Ack(log.end());
  }
  uint64_t at = reader.offset();
  std::vector<char> big(256 << 10);
  while (at < log.end()) {
    auto chunk = reader.Read(absl::MakeSpan(big), log.end());
    ASSERT_TRUE(chunk.ok());
    ASSERT_EQ(chunk->offset, at);
    at += chunk->length;
    if (chunk->kind != LogReader::Chunk::kData) continue;
    for (uint64_t i = 0; i < chunk->length; ++i) {
      ASSERT_EQ(big[i], chunk->offset + i < old_end ? 'o' : 'n');
    }
  }
}

TEST_F(LogTest, TornTailEndsTheLog) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  ASSERT_TRUE(log.Append(Stream::kStdout, "whole").ok());
  ASSERT_TRUE(log.Append(Stream::kStdout, "torn").ok());
  logs_.reset();
  std::filesystem::resize_file(SegmentPath(1, 0), 2 * kHeaderBytes + 5 + 2);
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader), "wholeto");
  LogReader known = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(known, 9), "wholeto<gap 2>");
}

TEST_F(LogTest, WhatIsSkippedIsAGap) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  log.Skip(3);
  ASSERT_TRUE(log.Append(Stream::kStdout, "one").ok());
  log.Skip(0);
  ASSERT_TRUE(log.Append(Stream::kStdout, "two").ok());
  log.Skip(4);
  ASSERT_TRUE(log.Append(Stream::kStderr, "three").ok());
  log.Skip(5);
  EXPECT_EQ(log.end(), 23u);
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader, log.end()), "<gap 3>onetwo<gap 4>[2]three<gap 5>");
}

TEST_F(LogTest, CountsWhatIsKeptUnacknowledgedAndDropped) {
  Open(kMiB, WhenFull::kDrop);
  CommandLog& log = Create(1);
  ASSERT_TRUE(log.Append(Stream::kStdout, "0123456789").ok());
  EXPECT_EQ(logs_->kept(), 10u);
  EXPECT_EQ(logs_->unacknowledged(), 10u);
  log.Ack(4);
  EXPECT_EQ(logs_->unacknowledged(), 6u);
  log.Ack(3);
  log.Skip(5);
  ASSERT_TRUE(log.Append(Stream::kStdout, "abc").ok());
  EXPECT_EQ(logs_->kept(), 13u);
  EXPECT_EQ(logs_->unacknowledged(), 9u);
  EXPECT_EQ(logs_->dropped(), 5u);
  log.Ack(12);  // Within what was left out.
  EXPECT_EQ(logs_->unacknowledged(), 3u);
  // So much that all of the above goes.
  CommandLog& flood = Create(2);
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(flood.Append(Stream::kStdout, piece).ok());
  }
  EXPECT_EQ(logs_->dropped() + logs_->kept(), 5u + 3u + 60u * 50'000u);
  EXPECT_EQ(logs_->unacknowledged(), logs_->kept());
  logs_->SetWhenFull(WhenFull::kBlock);
  absl::Status full;
  for (int i = 0; i < 60 && full.ok(); ++i) {
    full = flood.Append(Stream::kStdout, piece);
  }
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  flood.Ack(flood.end());
  EXPECT_EQ(logs_->unacknowledged(), 0u);
}

TEST_F(LogTest, DamagedHeaderIsAGapUpToTheNextSegment) {
  Open(kMiB, WhenFull::kBlock);
  CommandLog& log = Create(1);
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(log.Append(Stream::kStdout, piece).ok());
  }
  logs_.reset();
  std::fstream file(SegmentPath(1, 0),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kHeaderBytes + 50'000 + 8);
  file.put('\x7f');
  file.close();
  LogReader reader = Reader(directory_, 1, 0);
  EXPECT_EQ(ReadAll(reader), piece + "<gap 50000>" + std::string(200'000, 'x'));
}

TEST_F(LogTest, NoLimitBelowTheSmallest) {
  auto logs = SessionLogs::Open(directory_, 1000, WhenFull::kBlock);
  EXPECT_EQ(logs.status().code(), absl::StatusCode::kInvalidArgument);
}

// Random streams, sizes, acks, readers that lag, commands that overlap. The
// model is the bytes themselves.
class RandomLogTest : public LogTest,
                      public testing::WithParamInterface<int> {};

struct Model {
  std::string bytes;
  std::vector<Stream> streams;
  uint64_t acked = 0;
};

TEST_P(RandomLogTest, EveryByteOnceInOrderOrInAGap) {
  std::mt19937 random(GetParam());
  const auto pick = [&](uint32_t n) { return random() % n; };
  const WhenFull when_full = pick(2) ? WhenFull::kDrop : WhenFull::kBlock;
  Open(kMiB, when_full);
  std::map<uint64_t, Model> models;
  struct Following {
    LogReader reader;
    uint64_t sequence;
    uint64_t at;
    bool acks;
  };
  std::deque<Following> readers;
  std::vector<char> buffer(300'000);
  uint64_t last = 0;
  for (int step = 0; step < 1500; ++step) {
    if (last == 0 || pick(100) == 0) {
      if (last > 0 && pick(2)) logs_->Finish(last);
      Create(++last);
      models[last];
      readers.push_back({Reader(directory_, last, 0), last, 0, true});
      const uint64_t old = 1 + pick(last);
      const uint64_t from = pick(models[old].bytes.size() + 1);
      readers.push_back({Reader(directory_, old, from), old, from, false});
    }
    CommandLog& log = *logs_->Find(last);
    Model& model = models[last];
    const Stream stream = pick(3) ? Stream::kStdout : Stream::kStderr;
    const size_t size = 1 + pick(pick(10) ? 3000 : 150'000);
    if (pick(2)) {
      std::string data(std::min<size_t>(size, 64 << 10), '\0');
      for (char& c : data) c = static_cast<char>(random());
      if (log.Append(stream, data).ok()) {
        model.bytes += data;
        model.streams.resize(model.bytes.size(), stream);
      } else {
        ASSERT_EQ(when_full, WhenFull::kBlock);
      }
    } else {
      std::string data(size, '\0');
      for (char& c : data) c = static_cast<char>(random());
      ASSERT_EQ(write(pipe_[1], data.data(), size), static_cast<ssize_t>(size));
      size_t moved = 0;
      for (;;) {
        auto result = log.AppendFromPipe(pipe_[0], stream, 1 + pick(100'000));
        if (!result.ok()) {
          ASSERT_EQ(when_full, WhenFull::kBlock);
          ASSERT_EQ(result.status().code(),
                    absl::StatusCode::kResourceExhausted);
          break;
        }
        if (*result == 0) break;
        moved += *result;
      }
      model.bytes += data.substr(0, moved);
      model.streams.resize(model.bytes.size(), stream);
      // What did not fit is still there, from exactly there on.
      std::string rest(size, '\0');
      const ssize_t left = read(pipe_[0], rest.data(), rest.size());
      ASSERT_EQ(rest.substr(0, left < 0 ? 0 : left), data.substr(moved));
    }
    ASSERT_EQ(log.end(), model.bytes.size());
    ASSERT_LE(logs_->used(), kMiB);
    for (Following& follower : readers) {
      if (pick(4)) continue;
      const Model& m = models[follower.sequence];
      const uint64_t size_now = m.bytes.size();
      auto chunk = follower.reader.Read(
          absl::MakeSpan(buffer.data(), 1 + pick(buffer.size())), size_now);
      ASSERT_TRUE(chunk.ok()) << chunk.status();
      ASSERT_EQ(chunk->offset, follower.at);
      if (follower.at < size_now) {
        ASSERT_GT(chunk->length, 0u);
      }
      if (chunk->kind == LogReader::Chunk::kData) {
        ASSERT_EQ(m.bytes.compare(follower.at, chunk->length, buffer.data(),
                                  chunk->length),
                  0);
        for (uint64_t i = 0; i < chunk->length; ++i) {
          ASSERT_EQ(m.streams[follower.at + i], chunk->stream);
        }
      }
      if (chunk->kind == LogReader::Chunk::kGap &&
          when_full == WhenFull::kBlock) {
        ASSERT_LE(chunk->offset, m.acked) << "unacknowledged bytes are gone";
        // Only whole segments of acknowledged bytes go.
        ASSERT_LE(chunk->offset + chunk->length, m.acked);
      }
      follower.at += chunk->length;
      if (CommandLog* its_log = logs_->Find(follower.sequence);
          its_log != nullptr && follower.acks && pick(3)) {
        its_log->Ack(follower.at);
        models[follower.sequence].acked =
            std::max(models[follower.sequence].acked, follower.at);
      }
    }
    if (readers.size() > 8) readers.pop_front();
    if (pick(50) == 0) {
      ASSERT_LE(BytesOnDisk(), kMiB);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLogTest, testing::Range(0, 12));

// Files of noise, and real ones with some bytes changed: whatever is in them,
// the reader ends, and its offsets go on without a hole.
TEST_P(RandomLogTest, AnyFileContentIsReadToAnEnd) {
  std::mt19937 random(GetParam() + 1000);
  const auto pick = [&](uint32_t n) { return random() % n; };
  Open(kMiB, WhenFull::kDrop);
  CommandLog& log = Create(1);
  for (int i = 0; i < 200; ++i) {
    const Stream stream = pick(2) ? Stream::kStdout : Stream::kStderr;
    ASSERT_TRUE(log.Append(stream, std::string(1 + pick(9000), 'd')).ok());
  }
  const uint64_t end = log.end();
  logs_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const uint64_t size = entry.file_size();
    std::fstream file(entry.path(),
                      std::ios::in | std::ios::out | std::ios::binary);
    const int changes = pick(20);
    for (int i = 0; i < changes; ++i) {
      file.seekp(pick(size));
      for (uint32_t n = pick(40); n > 0; --n) file.put(random());
    }
    file.close();
    if (pick(4) == 0) std::filesystem::resize_file(entry.path(), pick(size));
  }
  for (int i = 0; i < 5; ++i) {
    std::ofstream noise(SegmentPath(1, pick(2 * end)), std::ios::binary);
    for (uint32_t n = pick(5000); n > 0; --n) noise.put(random());
  }
  std::ofstream(directory_ + "/c1.zz").put('x');
  std::filesystem::create_directory(SegmentPath(1, end + 5));
  std::vector<char> buffer(100'000);
  for (const uint64_t logged_end : {end, LogReader::kUnknownEnd}) {
    LogReader reader = Reader(directory_, 1, pick(1000));
    uint64_t at = reader.offset();
    for (int i = 0;; ++i) {
      ASSERT_LT(i, 100'000);
      auto chunk = reader.Read(absl::MakeSpan(buffer), logged_end);
      if (!chunk.ok()) {
        ASSERT_EQ(chunk.status().code(), absl::StatusCode::kDataLoss);
        break;
      }
      if (chunk->kind == LogReader::Chunk::kEnd) {
        break;
      }
      ASSERT_EQ(chunk->offset, at);
      ASSERT_GT(chunk->length, 0u);
      at += chunk->length;
    }
  }
}

}  // namespace
}  // namespace berth::agent

#include "broker/audit/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/audit/segments.h"
#include "broker/audit/verify.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

constexpr absl::Duration kLong = absl::Seconds(60);

AuditEvent Event(const std::string& user) {
  AuditEvent event;
  event.verb = "run";
  event.outcome = "allowed";
  event.user = user;
  return event;
}

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() : key_(*AuditKey::Parse(*AuditKey::NewPem())) {
    file_.directory = temp_.path() + "/audit";
  }

  std::unique_ptr<AuditLog> Open(AuditLog::Mode mode) {
    options_.mode = mode;
    return std::make_unique<AuditLog>(options_, file_, key_);
  }
  // The directory is a file: nothing can be written.
  void Break() { testing::WriteTextFile(file_.directory, "x"); }
  void Mend() { unlink(file_.directory.c_str()); }

  static absl::Status Require(AuditLog& log, const std::string& user) {
    std::promise<absl::Status> promise;
    log.Require(Event(user), [&promise](const absl::Status& status) {
      promise.set_value(status);
    });
    return promise.get_future().get();
  }
  static bool WaitForHealth(AuditLog& log, bool good) {
    for (int i = 0; i < 6000 && log.health().ok() != good; ++i) {
      log.WaitBeyond(~uint64_t{0}, absl::Milliseconds(10));
    }
    return log.health().ok() == good;
  }
  std::string Content() {
    std::string all;
    auto segments = ListAuditSegments(file_.directory);
    if (!segments.ok()) return "";
    for (const AuditSegment& segment : *segments) {
      all += testing::ReadTextFile(segment.path);
    }
    return all;
  }
  std::string Finding() {
    auto report = VerifyAuditLog(
        file_.directory, *AuditPublicKeys::Parse(key_.public_pem()), {});
    return report.ok() ? report->finding : report.status().ToString();
  }

  testing::TempDir temp_;
  const AuditKey key_;
  AuditLog::Options options_;
  AuditLogFile::Options file_;
};

TEST_F(AuditLogTest, KeepsWhatManyThreadsSay) {
  file_.segment_bytes = 20'000;
  auto log = Open(AuditLog::Mode::kBestEffort);
  uint64_t sent = 0;
  // A group goes into one segment, so there are several groups.
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t, round] {
        for (int i = 100 * round; i < 100 * (round + 1); ++i) {
          log->Record(Event(absl::StrCat("t", t, "-", i, ".")));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    sent += 400;
    ASSERT_TRUE(log->WaitBeyond(sent - 1, kLong));
  }
  log->Stop();
  const std::string content = Content();
  for (int t = 0; t < 4; ++t) {
    for (int i = 0; i < 500; ++i) {
      EXPECT_TRUE(absl::StrContains(content, absl::StrCat("\"t", t, "-", i)));
    }
  }
  EXPECT_EQ(Finding(), "");
  EXPECT_EQ(log->counts().dropped, 0u);
  EXPECT_GT(ListAuditSegments(file_.directory)->size(), 3u);
}

TEST_F(AuditLogTest, StrictWorkWaitsUntilItsEventIsInTheFile) {
  auto log = Open(AuditLog::Mode::kStrict);
  for (int i = 0; i < 20; ++i) {
    const std::string user = absl::StrCat("user-", i, ".");
    ASSERT_TRUE(Require(*log, user).ok());
    EXPECT_TRUE(absl::StrContains(Content(), user));
  }
}

TEST_F(AuditLogTest, StrictRefusesWhileItCantWriteAndGoesOnAfterwards) {
  Break();
  auto log = Open(AuditLog::Mode::kStrict);
  const absl::Status refused = Require(*log, "early");
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), file_.directory));
  ASSERT_TRUE(WaitForHealth(*log, false));
  EXPECT_TRUE(absl::IsUnavailable(log->Check()));
  EXPECT_TRUE(absl::IsUnavailable(Require(*log, "later")));
  Mend();
  ASSERT_TRUE(WaitForHealth(*log, true));
  EXPECT_TRUE(Require(*log, "again").ok());
  log->Stop();
  const std::string content = Content();
  EXPECT_FALSE(absl::StrContains(content, "\"early\""));
  EXPECT_TRUE(absl::StrContains(content,
                                "0 events dropped, 2 requests "
                                "refused since "))
      << content;
  EXPECT_EQ(Finding(), "");
}

TEST_F(AuditLogTest, BestEffortGoesOnCountsAndSaysTheGap) {
  Break();
  options_.max_waiting_bytes = 10'000;
  auto log = Open(AuditLog::Mode::kBestEffort);
  std::atomic<int> alarms = 0;
  log->SetAlarm([&alarms](const std::string&) { ++alarms; });
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Require(*log, "bob").ok());
  ASSERT_TRUE(WaitForHealth(*log, false));
  const uint64_t dropped = log->counts().dropped;
  EXPECT_GT(dropped, 900u);
  Mend();
  ASSERT_TRUE(WaitForHealth(*log, true));
  log->Stop();
  EXPECT_TRUE(absl::StrContains(
      Content(), absl::StrCat(dropped, " events dropped, 0 requests")))
      << Content();
  // The first attempt may have failed before there was an alarm to tell.
  EXPECT_GE(alarms, 1);
  EXPECT_TRUE(absl::StrContains(Content(), "\"bob\""));  // Those that waited.
  EXPECT_EQ(Finding(), "");
}

TEST_F(AuditLogTest, IsSignedAtTheStartAtTheEndAndInBetween) {
  options_.checkpoint_interval = absl::Milliseconds(200);
  auto log = Open(AuditLog::Mode::kBestEffort);
  log->Record(Event("a"));
  ASSERT_TRUE(log->WaitBeyond(1, kLong));  // With its checkpoint.
  log->Record(Event("b"));
  log->Stop();
  auto report =
      VerifyAuditLog(file_.directory,
                     *AuditPublicKeys::Parse(key_.public_pem()), {log->head()});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->finding, "");
  EXPECT_EQ(report->signed_through, report->last_seq);
}

TEST_F(AuditLogTest, CopiesWhatItWrites) {
  std::string copy;
  options_.copy = [&copy](absl::string_view lines) {
    copy.append(lines.data(), lines.size());
  };
  auto log = Open(AuditLog::Mode::kBestEffort);
  log->Record(Event("carol"));
  log->Stop();
  EXPECT_EQ(copy, Content());
}

TEST_F(AuditLogTest, AfterItsEndItRefuses) {
  auto log = Open(AuditLog::Mode::kStrict);
  log->Stop();
  EXPECT_TRUE(absl::IsUnavailable(Require(*log, "late")));
  log->Record(Event("later"));
  EXPECT_EQ(log->counts().dropped, 1u);
}

}  // namespace
}  // namespace berth::broker

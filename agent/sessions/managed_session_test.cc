#include "agent/sessions/managed_session.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "agent/sessions/idle_clock.h"
#include "agent/sessions/session_record.h"
#include "base/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

TEST(IdleClockTest, RunsOnlyWhileNotInUse) {
  IdleClock clock(absl::Minutes(10));
  EXPECT_FALSE(clock.Left(absl::Minutes(0)).has_value());
  clock.Update(false, absl::Minutes(1));
  clock.Update(false, absl::Minutes(3));
  EXPECT_EQ(clock.Left(absl::Minutes(4)), absl::Minutes(7));
  clock.Update(true, absl::Minutes(5));
  EXPECT_FALSE(clock.Left(absl::Minutes(6)).has_value());
  clock.Update(false, absl::Minutes(7));
  EXPECT_EQ(clock.Left(absl::Minutes(17)), absl::ZeroDuration());
  EXPECT_EQ(clock.Left(absl::Minutes(18)), -absl::Minutes(1));
}

TEST(IdleClockTest, GoesOnFromBeforeAndTakesANewTimeout) {
  IdleClock clock(absl::Minutes(10));
  clock.Update(false, absl::Minutes(100), absl::Minutes(4));
  EXPECT_EQ(clock.Left(absl::Minutes(100)), absl::Minutes(6));
  clock.set_timeout(absl::Minutes(5));
  EXPECT_EQ(clock.Left(absl::Minutes(100)), absl::Minutes(1));
}

class ManagedSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/berth-session-XXXXXX";
    root_ = mkdtemp(pattern.data());
    directory_ = root_ + "/session";
    mkdir(directory_.c_str(), 0700);
    *profile_.mutable_max_idle_timeout() = ToProto(absl::Hours(12));
    Make(Record());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static v1::Session Record() {
    v1::Session record;
    record.set_instance_id("11111111-1111-4111-8111-111111111111");
    record.set_id(3);
    record.set_owner("ann");
    *record.mutable_idle_timeout() = ToProto(absl::Minutes(10));
    *record.mutable_disconnected_at() = ToProto(absl::Now());
    return record;
  }

  void Make(const v1::Session& record) {
    session_ = std::make_unique<ManagedSession>(directory_, record, profile_);
  }

  void State(holder::v1::State::Kind kind, absl::Time since = absl::Now()) {
    holder::v1::State state;
    state.set_kind(kind);
    state.set_since_ns(absl::ToUnixNanos(since));
    session_->OnState(state);
  }

  static v1::Client Client(const std::string& id) {
    v1::Client client;
    client.set_id(id);
    return client;
  }

  std::string root_;
  std::string directory_;
  v1::Configuration profile_;
  std::unique_ptr<ManagedSession> session_;
};

TEST_F(ManagedSessionTest, IdleClockStopsForAHolderAndForWork) {
  EXPECT_FALSE(session_->IdleLeft().has_value()) << "it starts";
  State(holder::v1::State::IDLE);
  EXPECT_TRUE(session_->IdleLeft().has_value());
  State(holder::v1::State::COMMAND);
  EXPECT_FALSE(session_->IdleLeft().has_value());
  State(holder::v1::State::IDLE);
  const auto call = session_->Enter(Client("a"));
  ASSERT_TRUE(call.ok());
  EXPECT_FALSE(session_->IdleLeft().has_value());
  EXPECT_TRUE(session_->Snapshot().has_holder());
  session_->Leave(*call);
  const auto left = session_->IdleLeft();
  ASSERT_TRUE(left.has_value());
  EXPECT_GT(*left, absl::Minutes(9));
  EXPECT_TRUE(session_->Snapshot().has_expires_at());
}

TEST_F(ManagedSessionTest, IdleClockGoesOnOverARestart) {
  v1::Session record = Record();
  *record.mutable_disconnected_at() = ToProto(absl::Now() - absl::Minutes(20));
  Make(record);
  State(holder::v1::State::IDLE, absl::Now() - absl::Minutes(4));
  const auto left = session_->IdleLeft();
  ASSERT_TRUE(left.has_value());
  EXPECT_LE(*left, absl::Minutes(6));
  EXPECT_GT(*left, absl::Minutes(5));
}

TEST_F(ManagedSessionTest, NewIdleTimeoutIsChecked) {
  link::v1::SetHolderRequest request;
  *request.mutable_idle_timeout() = ToProto(absl::Seconds(59));
  EXPECT_EQ(session_->SetHolder(request).code(),
            absl::StatusCode::kInvalidArgument);
  *request.mutable_idle_timeout() = ToProto(absl::Hours(13));
  EXPECT_EQ(session_->SetHolder(request).code(),
            absl::StatusCode::kInvalidArgument);
  *request.mutable_idle_timeout() = ToProto(absl::Hours(1));
  EXPECT_TRUE(session_->SetHolder(request).ok());
  EXPECT_EQ(FromProto(session_->Snapshot().idle_timeout()), absl::Hours(1));
}

TEST_F(ManagedSessionTest, NeverIsForConfigurationsThatAllowIt) {
  link::v1::SetHolderRequest never;
  never.set_never_idles(true);
  const absl::Status refused = session_->SetHolder(never);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("may_never_idle"));
  profile_.set_may_never_idle(true);
  Make(Record());
  State(holder::v1::State::IDLE);
  EXPECT_TRUE(session_->IdleLeft().has_value());
  ASSERT_TRUE(session_->SetHolder(never).ok());
  EXPECT_FALSE(session_->IdleLeft().has_value());
  const v1::Session now = session_->Snapshot();
  EXPECT_TRUE(now.never_idles());
  EXPECT_FALSE(now.has_idle_timeout());
  EXPECT_FALSE(now.has_expires_at());
  // It is remembered, and taken back by a timeout.
  Make(now);
  State(holder::v1::State::IDLE);
  EXPECT_FALSE(session_->IdleLeft().has_value());
  link::v1::SetHolderRequest hour;
  *hour.mutable_idle_timeout() = ToProto(absl::Hours(1));
  ASSERT_TRUE(session_->SetHolder(hour).ok());
  EXPECT_TRUE(session_->IdleLeft().has_value());
  EXPECT_FALSE(session_->Snapshot().never_idles());
}

TEST_F(ManagedSessionTest, WorkCountsAsIdleWhereTheConfigurationSaysSo) {
  profile_.set_idle_while_busy(true);
  v1::Session record = Record();
  *record.mutable_disconnected_at() = ToProto(absl::Now() - absl::Minutes(4));
  Make(record);
  State(holder::v1::State::COMMAND);
  const auto left = session_->IdleLeft();
  ASSERT_TRUE(left.has_value());
  EXPECT_LE(*left, absl::Minutes(6));
  ASSERT_TRUE(session_->Enter(Client("a")).ok());
  EXPECT_FALSE(session_->IdleLeft().has_value()) << "it is held";
}

TEST_F(ManagedSessionTest, TemporaryIsForOneVisitOfItsClient) {
  v1::Session record = Record();
  record.set_temporary(true);
  *record.mutable_holder()->mutable_client() = Client("a");
  Make(record);
  EXPECT_FALSE(session_->TakeReport().has_value()) << "nobody lists it";
  EXPECT_EQ(session_->Enter(Client("b"), "1").status().code(),
            absl::StatusCode::kFailedPrecondition);
  const auto call = session_->Enter(Client("a"), "1");
  ASSERT_TRUE(call.ok());
  const absl::Status second = session_->Enter(Client("a"), "2").status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), testing::HasSubstr("temporary"));
  link::v1::SetHolderRequest hold;
  *hold.mutable_holder() = Client("a");
  hold.set_take(true);
  EXPECT_EQ(session_->SetHolder(hold).code(),
            absl::StatusCode::kFailedPrecondition);
  // A broken stream comes back before it was missed.
  const auto again = session_->Enter(Client("a"), "1");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(session_->Leave(*call));
  EXPECT_TRUE(session_->temporary());
  EXPECT_TRUE(session_->Leave(*again, /*complete=*/true));
}

TEST_F(ManagedSessionTest, TemporaryBecomesOrdinaryWhenItsClientIsLost) {
  v1::Session record = Record();
  record.set_temporary(true);
  *record.mutable_holder()->mutable_client() = Client("a");
  Make(record);
  const auto call = session_->Enter(Client("a"), "1");
  ASSERT_TRUE(call.ok());
  EXPECT_FALSE(session_->Leave(*call));
  const auto report = session_->TakeReport();
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->temporary());
  EXPECT_FALSE(report->has_holder());
  State(holder::v1::State::IDLE);
  EXPECT_TRUE(session_->IdleLeft().has_value());
  const auto other = session_->Enter(Client("b"));
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(session_->Leave(*other, true)) << "ordinary ones stay";

  // The broker lets go for a client that never came.
  Make(record);
  link::v1::SetHolderRequest nobody;
  nobody.set_expected_client_id("a");
  ASSERT_TRUE(session_->SetHolder(nobody).ok());
  EXPECT_FALSE(session_->temporary());
}

TEST_F(ManagedSessionTest, DetailsOfShortCommandsAreReportedWhenAskedFor) {
  State(holder::v1::State::IDLE);
  EXPECT_TRUE(session_->TakeReport().has_value());
  EXPECT_FALSE(session_->HasNewDetails());
  holder::v1::State state;
  state.set_kind(holder::v1::State::COMMAND);
  state.set_command_id("c");
  state.set_what("make");
  state.set_since_ns(absl::ToUnixNanos(absl::Now()));
  session_->OnState(state);
  state.clear_command_id();
  state.clear_what();
  state.set_kind(holder::v1::State::IDLE);
  state.set_log_bytes(100);
  state.set_unacknowledged_bytes(60);
  state.set_dropped_bytes(7);
  state.mutable_last_ended()->set_sequence(1);
  state.mutable_last_ended()->set_command_id("c");
  state.mutable_last_ended()->set_how(v1::CommandEnded::COMPLETED);
  state.mutable_last_ended()->set_exit_code(3);
  session_->OnState(state);
  EXPECT_FALSE(session_->TakeReport().has_value());
  EXPECT_TRUE(session_->HasNewDetails());
  const auto report = session_->TakeReport(/*details=*/true);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->log_bytes(), 100u);
  EXPECT_EQ(report->unacknowledged_bytes(), 60u);
  EXPECT_EQ(report->dropped_bytes(), 7u);
  EXPECT_EQ(report->last_command().exit_code(), 3);
  EXPECT_EQ(report->last_command().what(), "make");
  EXPECT_FALSE(session_->HasNewDetails());
  EXPECT_FALSE(session_->TakeReport(true).has_value());
}

TEST_F(ManagedSessionTest, ShortCommandMakesNoReport) {
  State(holder::v1::State::IDLE);
  EXPECT_TRUE(session_->TakeReport().has_value());
  EXPECT_FALSE(session_->TakeReport().has_value());
  State(holder::v1::State::COMMAND);
  State(holder::v1::State::IDLE, absl::Now() + absl::Seconds(1));
  EXPECT_FALSE(session_->TakeReport().has_value());
  State(holder::v1::State::COMMAND);
  const auto report = session_->TakeReport();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->activity().kind(), v1::Activity::COMMAND);
}

TEST_F(ManagedSessionTest, EndedSessionTakesNothing) {
  ASSERT_TRUE(session_->Enter(Client("a")).ok());
  v1::SessionEnd end;
  end.set_reason(v1::END_REASON_SHELL_EXITED);
  session_->End(end);
  EXPECT_TRUE(session_->WaitEnded(absl::ZeroDuration()));
  EXPECT_FALSE(session_->Snapshot().has_holder());
  EXPECT_FALSE(session_->Snapshot().has_activity());
  const absl::Status entered = session_->Enter(Client("a")).status();
  EXPECT_EQ(entered.code(), absl::StatusCode::kFailedPrecondition);
  v1::SessionEnd other;
  other.set_reason(v1::END_REASON_HOLDER_LOST);
  session_->End(other);
  EXPECT_EQ(session_->Snapshot().end().reason(), v1::END_REASON_SHELL_EXITED);
}

TEST_F(ManagedSessionTest, RecordRemembersALastingHolderAlone) {
  ASSERT_TRUE(session_->Enter(Client("a")).ok());
  ASSERT_TRUE(session_->Save().ok());
  auto record = LoadSessionRecord(directory_);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_FALSE(record->has_holder());
  EXPECT_TRUE(record->has_disconnected_at());
  link::v1::SetHolderRequest request;
  *request.mutable_holder() = Client("a");
  ASSERT_TRUE(session_->SetHolder(request).ok());
  ASSERT_TRUE(session_->Save().ok());
  record = LoadSessionRecord(directory_);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->holder().client().id(), "a");
  EXPECT_EQ(record->owner(), "ann");
}

TEST_F(ManagedSessionTest, NothingIsWrittenOrReportedAfterItWasForgotten) {
  session_->Forget();
  EXPECT_FALSE(std::filesystem::exists(directory_));
  EXPECT_TRUE(session_->Save().ok());
  EXPECT_FALSE(std::filesystem::exists(directory_));
  EXPECT_FALSE(session_->TakeReport().has_value()) << "it would come back";
}

TEST_F(ManagedSessionTest, DamagedRecordIsDataLoss) {
  std::filesystem::create_directories(directory_);
  ASSERT_TRUE(session_->Save().ok());
  std::filesystem::resize_file(directory_ + "/record", 10);
  EXPECT_EQ(LoadSessionRecord(directory_).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace berth::agent

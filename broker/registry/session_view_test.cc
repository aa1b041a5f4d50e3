#include "broker/registry/session_view.h"

#include <gtest/gtest.h>

#include <string>

#include "base/proto_time.h"

namespace berth::broker {
namespace {

struct Case {
  const char* name;
  bool online;
  bool ended;
  const char* holder;  // Empty: nobody.
  v1::Activity::Kind activity;
  v1::SessionState state;
  v1::SessionAvailability availability;
};

class SessionViewTest : public ::testing::TestWithParam<Case> {};

TEST_P(SessionViewTest, StateAndAvailability) {
  const Case& c = GetParam();
  v1::Session record;
  record.mutable_activity()->set_kind(c.activity);
  if (c.ended) record.mutable_end()->set_reason(v1::END_REASON_SHELL_EXITED);
  if (*c.holder) {
    record.mutable_holder()->mutable_client()->set_id(c.holder);
  }
  const absl::Time since = absl::FromUnixSeconds(1000);
  v1::Session view = SessionAsSeenBy("me", record, {c.online, since});
  EXPECT_EQ(view.state(), c.state);
  EXPECT_EQ(view.availability(), c.availability);
  const bool broken = c.state == v1::SESSION_STATE_BROKEN;
  EXPECT_EQ(view.has_broken_since(), broken);
  if (broken) {
    EXPECT_EQ(FromProto(view.broken_since()), since);
  }
  EXPECT_EQ(view.has_activity(), !broken && !c.ended);
}

constexpr auto kIdle = v1::Activity::IDLE;
constexpr auto kRuns = v1::Activity::COMMAND;
constexpr auto kNone = v1::SESSION_AVAILABILITY_NONE;
constexpr auto kAvailable = v1::SESSION_AVAILABILITY_AVAILABLE;
constexpr auto kBusy = v1::SESSION_AVAILABILITY_BUSY;
constexpr auto kOpened = v1::SESSION_STATE_OPENED;
constexpr auto kDisconnected = v1::SESSION_STATE_DISCONNECTED;
constexpr auto kBroken = v1::SESSION_STATE_BROKEN;
constexpr auto kClosed = v1::SESSION_STATE_CLOSED;

INSTANTIATE_TEST_SUITE_P(
    All, SessionViewTest,
    ::testing::ValuesIn<Case>({
        {"MineIdle", true, false, "me", kIdle, kOpened, kAvailable},
        {"MineRuns", true, false, "me", kRuns, kOpened, kBusy},
        {"MineStarting", true, false, "me", v1::Activity::STARTING, kOpened,
         kAvailable},
        {"FreeIdle", true, false, "", kIdle, kDisconnected, kNone},
        {"FreeRuns", true, false, "", kRuns, kDisconnected, kBusy},
        {"FreeTyping", true, false, "", v1::Activity::TERMINAL, kDisconnected,
         kBusy},
        {"FreeReplaced", true, false, "", v1::Activity::REPLACED, kDisconnected,
         kBusy},
        {"OthersIdle", true, false, "you", kIdle, kDisconnected, kBusy},
        {"OthersRuns", true, false, "you", kRuns, kDisconnected, kBusy},
        {"OfflineMine", false, false, "me", kRuns, kBroken, kNone},
        {"OfflineFree", false, false, "", kIdle, kBroken, kNone},
        {"Ended", true, true, "", kIdle, kClosed, kNone},
        {"EndedOffline", false, true, "me", kIdle, kClosed, kNone},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SessionViewTest, CallerWithoutAClientHoldsNothing) {
  v1::Session record;
  record.mutable_holder()->mutable_client()->set_id("");
  EXPECT_EQ(SessionAsSeenBy("", record, {true, absl::UnixEpoch()}).state(),
            v1::SESSION_STATE_DISCONNECTED);
}

}  // namespace
}  // namespace berth::broker

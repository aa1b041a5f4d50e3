#include "cli/render/events.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace berth::cli {
namespace {

v1::SessionEvent Event(v1::SessionEvent::Kind kind) {
  v1::SessionEvent event;
  event.set_kind(kind);
  event.mutable_at()->set_seconds(1000);
  event.mutable_session()->set_id(3);
  event.mutable_session()->set_name("build");
  event.mutable_session()->set_computer("web01");
  return event;
}

TEST(RenderEvent, SaysHowACommandEnded) {
  v1::SessionEvent event = Event(v1::SessionEvent::ENDED);
  v1::CommandSummary& command =
      *event.mutable_session()->mutable_last_command();
  command.set_how(v1::CommandEnded::COMPLETED);
  command.set_exit_code(2);
  command.set_what("make\x1b[31m");
  command.mutable_started_at()->set_seconds(940);
  command.mutable_ended_at()->set_seconds(1000);
  const std::string line = RenderEvent(event);
  EXPECT_TRUE(absl::StrContains(
      line,
      "  ended             3  build            web01            status 2"
      " after 1m: make"))
      << line;
  EXPECT_FALSE(absl::StrContains(line, "\x1b"));
}

TEST(RenderEvent, WarnsOfAnIdleEnd) {
  v1::SessionEvent event = Event(v1::SessionEvent::IDLE_WARNING);
  event.mutable_session()->mutable_expires_at()->set_seconds(1240);
  EXPECT_TRUE(absl::StrContains(RenderEvent(event),
                                "ends in 4m unless somebody connects"));
}

TEST(RenderEvent, NamesWhyASessionClosed) {
  v1::SessionEvent event = Event(v1::SessionEvent::CLOSED);
  event.mutable_session()->mutable_end()->set_reason(
      v1::END_REASON_IDLE_TIMEOUT);
  EXPECT_TRUE(absl::EndsWith(RenderEvent(event), "idle timeout\n"));
}

TEST(ParseEventName, KnowsAllNames) {
  EXPECT_EQ(*ParseEventName("Idle-Warning"), v1::SessionEvent::IDLE_WARNING);
  EXPECT_EQ(*ParseEventName(EventName(v1::SessionEvent::HOLDER_CHANGED)),
            v1::SessionEvent::HOLDER_CHANGED);
  EXPECT_EQ(ParseEventName("x").status().message(),
            "'x': no such event; there are known, created, holder-changed, "
            "started, ended, broken, healed, idle-warning, closed, removed, "
            "changed");
}

}  // namespace
}  // namespace berth::cli

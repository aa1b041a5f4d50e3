#include "base/session_events.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace berth {
namespace {

SessionMoment Moment(const std::function<void(v1::Session&)>& change = {}) {
  v1::Session session;
  session.set_id(1);
  session.mutable_activity()->set_kind(v1::Activity::IDLE);
  if (change) change(session);
  return {std::make_shared<const v1::Session>(session), /*online=*/true};
}

void RunCommand(v1::Session& session, const std::string& id) {
  session.mutable_activity()->set_kind(v1::Activity::COMMAND);
  session.mutable_activity()->set_command_id(id);
}

// "STARTED,ENDED".
std::string Events(const SessionMoment& before, const SessionMoment& after) {
  std::string names;
  for (const v1::SessionEvent::Kind kind : EventsBetween(before, after)) {
    if (!names.empty()) names += ",";
    names += v1::SessionEvent::Kind_Name(kind);
  }
  return names;
}

TEST(EventsBetween, TellsBirthAndDeath) {
  EXPECT_EQ(Events({}, Moment()), "CREATED");
  EXPECT_EQ(Events({}, Moment([](v1::Session& s) { RunCommand(s, "a"); })),
            "CREATED,STARTED");
  EXPECT_EQ(Events(Moment(), {}), "REMOVED");
  EXPECT_EQ(Events({}, {}), "");
  const SessionMoment closed = Moment([](v1::Session& s) { s.mutable_end(); });
  EXPECT_EQ(Events(Moment(), closed), "CLOSED");
  EXPECT_EQ(Events(closed, closed), "");
  EXPECT_EQ(Events({}, closed), "CREATED,CLOSED");
}

TEST(EventsBetween, TellsWhatRuns) {
  const auto a = Moment([](v1::Session& s) { RunCommand(s, "a"); });
  const auto b = Moment([](v1::Session& s) { RunCommand(s, "b"); });
  const auto a_done = Moment(
      [](v1::Session& s) { s.mutable_last_command()->set_command_id("a"); });
  const auto typed = Moment([](v1::Session& s) {
    s.mutable_activity()->set_kind(v1::Activity::TERMINAL);
    s.mutable_activity()->set_what("vim");
  });
  EXPECT_EQ(Events(Moment(), a), "STARTED");
  EXPECT_EQ(Events(a, a), "");
  EXPECT_EQ(Events(a, a_done), "ENDED");
  EXPECT_EQ(Events(a, b), "ENDED,STARTED");
  EXPECT_EQ(Events(Moment(), typed), "STARTED");
  EXPECT_EQ(Events(typed, Moment()), "ENDED");
  // Began and ended between two looks.
  EXPECT_EQ(Events(Moment(), a_done), "ENDED");
}

TEST(EventsBetween, TellsTheEndOfACommandThatTookTheSessionWithIt) {
  const auto runs = Moment([](v1::Session& s) { RunCommand(s, "a"); });
  const auto closed = Moment([](v1::Session& s) {
    s.mutable_last_command()->set_command_id("a");
    s.mutable_end();
  });
  EXPECT_EQ(Events(runs, closed), "ENDED,CLOSED");
}

TEST(EventsBetween, TellsWhoHoldsItAndWhetherItCanBeReached) {
  const auto held = Moment([](v1::Session& s) {
    s.mutable_holder()->mutable_client()->set_id("c");
  });
  EXPECT_EQ(Events(Moment(), held), "HOLDER_CHANGED");
  EXPECT_EQ(Events(held, Moment()), "HOLDER_CHANGED");
  SessionMoment away = held;
  away.online = false;
  EXPECT_EQ(Events(held, away), "BROKEN");
  EXPECT_EQ(Events(away, held), "HEALED");
  EXPECT_EQ(Events(away, away), "");
  // It went on meanwhile.
  const auto done = Moment(
      [](v1::Session& s) { s.mutable_last_command()->set_command_id("a"); });
  EXPECT_EQ(Events(away, done), "HEALED,HOLDER_CHANGED,ENDED");
}

TEST(EventsBetween, WarnsOnceOfAnIdleEnd) {
  SessionMoment soon = Moment();
  soon.expiring = true;
  EXPECT_EQ(Events(Moment(), soon), "IDLE_WARNING");
  EXPECT_EQ(Events(soon, soon), "");
  EXPECT_EQ(Events(soon, Moment()), "");
}

TEST(EventsBetween, TellsOtherChangesButNotCounters) {
  EXPECT_EQ(Events(Moment(), Moment([](v1::Session& s) {
                     s.mutable_idle_timeout()->set_seconds(60);
                   })),
            "CHANGED");
  EXPECT_EQ(Events(Moment(), Moment([](v1::Session& s) {
                     s.mutable_activity()->set_kind(v1::Activity::STARTING);
                   })),
            "CHANGED");
  EXPECT_EQ(Events(Moment(), Moment([](v1::Session& s) {
                     s.set_log_bytes(7);
                     s.set_cwd("/");
                     s.mutable_expires_at()->set_seconds(9);
                     s.mutable_activity()->mutable_since()->set_seconds(3);
                   })),
            "");
}

}  // namespace
}  // namespace berth

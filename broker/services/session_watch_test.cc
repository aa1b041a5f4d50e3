#include "broker/services/session_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/cond_var.h"
#include "base/proto_time.h"
#include "broker/services/session_feed.h"

namespace berth::broker {
namespace {

std::string Uuid(int n) {
  return absl::StrCat("00000000-0000-4000-8000-",
                      absl::Dec(n, absl::kZeroPad12));
}

v1::Session Session(int n, const std::string& command = "") {
  v1::Session session;
  session.set_instance_id(Uuid(n));
  session.set_id(n);
  session.set_name(absl::StrCat("s", n));
  session.set_owner("alice");
  session.mutable_activity()->set_kind(command.empty() ? v1::Activity::IDLE
                                                       : v1::Activity::COMMAND);
  session.mutable_activity()->set_command_id(command);
  return session;
}

class SessionWatchTest : public ::testing::Test {
 protected:
  SessionWatchTest() { LinkUp(); }

  void LinkUp(const std::vector<v1::Session>& sessions = {}) {
    link::v1::Hello hello;
    for (const v1::Session& session : sessions) {
      *hello.add_sessions()->mutable_session() = session;
    }
    ComputerRecord record;
    registry_.LinkUp("web01", hello, absl::Now(), &record);
  }

  void Put(const v1::Session& session) {
    ASSERT_TRUE(registry_.Put("web01", session).ok());
  }

  absl::StatusOr<SessionWatch> Begin(
      const std::vector<std::string>& selectors = {}) {
    v1::WatchSessionsRequest request;
    request.mutable_selectors()->Assign(selectors.begin(), selectors.end());
    return SessionWatch::Begin(
        Viewer(registry_,
               Rights(*Policy::Parse(Policy::BuiltInText(), "p"), "alice"),
               /*admin=*/false),
        request);
  }

  // "KNOWN 1, synced".
  std::string Drain(SessionWatch& watch) {
    std::string text;
    while (auto next = watch.Next(registry_, absl::Now())) {
      absl::StrAppend(
          &text, text.empty() ? "" : ", ",
          next->synced()
              ? "synced"
              : absl::StrCat(v1::SessionEvent::Kind_Name(next->event().kind()),
                             " ", next->event().session().id()));
    }
    return text;
  }

  Registry registry_;
};

TEST_F(SessionWatchTest, StartsWithWhatThereIs) {
  Put(Session(2));
  Put(Session(1));
  auto watch = Begin();
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(Drain(*watch), "KNOWN 1, KNOWN 2, synced");
  EXPECT_EQ(Drain(*watch), "");
  Put(Session(3));
  watch->Touch(Uuid(3), absl::Now());
  EXPECT_EQ(Drain(*watch), "CREATED 3");
  registry_.Remove("web01", Uuid(1));
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "REMOVED 1");
}

TEST_F(SessionWatchTest, MergesWhatASlowReaderDidNotTake) {
  Put(Session(1));
  auto watch = Begin();
  ASSERT_TRUE(watch.ok());
  Drain(*watch);
  for (int i = 0; i < 1000; ++i) {
    Put(Session(1, absl::StrCat("c", i)));
    watch->Touch(Uuid(1), absl::Now());
  }
  v1::Session last = Session(1);
  last.mutable_last_command()->set_command_id("c999");
  Put(last);
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "ENDED 1");
}

TEST_F(SessionWatchTest, TellsOnlyWhatWasAskedFor) {
  Put(Session(1));
  Put(Session(2));
  auto watch = Begin({"s2", "x*"});
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(Drain(*watch), "KNOWN 2, synced");
  Put(Session(1, "a"));
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "");
  EXPECT_EQ(Begin({"nosuch"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Begin({"3..1"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SessionWatchTest, TellsWhenTheComputerGoesAndComes) {
  Put(Session(1));
  auto watch = Begin();
  ASSERT_TRUE(watch.ok());
  Drain(*watch);
  registry_.LinkDown("web01", absl::Now());
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "BROKEN 1");
  LinkUp({Session(1, "a")});
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "HEALED 1, STARTED 1");
}

TEST_F(SessionWatchTest, IgnoresSessionsOfOthers) {
  auto watch = Begin();
  ASSERT_TRUE(watch.ok());
  Drain(*watch);
  v1::Session other = Session(1);
  other.set_owner("bob");
  Put(other);
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch), "");
}

TEST_F(SessionWatchTest, WarnsOfAnIdleEnd) {
  v1::Session session = Session(1);
  *session.mutable_expires_at() = ToProto(absl::Now() + absl::Minutes(4));
  Put(session);
  auto watch = Begin();
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(Drain(*watch), "KNOWN 1, IDLE_WARNING 1, synced");
}

// Counts what it is told.
class Counter : public SessionFeed::Watcher {
 public:
  void Touch(const std::string&) override {
    MutexLock lock(mu_);
    ++touches_;
    changed_.NotifyAll();
  }
  bool WaitFor(int touches) {
    MutexLock lock(mu_);
    while (touches_ < touches) {
      if (changed_.WaitFor(mu_, absl::Seconds(20))) return false;
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int touches_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST(SessionFeed, RingsBeforeAnIdleEnd) {
  Timer timer;
  SessionFeed feed(timer);
  Counter counter;
  ASSERT_TRUE(feed.Add("alice", &counter).ok());
  v1::Session session = Session(1);
  *session.mutable_expires_at() =
      ToProto(absl::Now() + kIdleWarning + absl::Milliseconds(50));
  feed.Touch({std::make_shared<const v1::Session>(session)});
  EXPECT_TRUE(counter.WaitFor(2));  // At once, and when it rings.
  feed.Remove("alice", &counter);
}

TEST(SessionFeed, BoundsTheWatchersOfAUser) {
  Timer timer;
  SessionFeed feed(timer);
  Counter counter;
  for (size_t i = 0; i < SessionFeed::kMaxWatchers; ++i) {
    ASSERT_TRUE(feed.Add("alice", &counter).ok());
  }
  EXPECT_EQ(feed.Add("alice", &counter).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(feed.Add("bob", &counter).ok());
  feed.Remove("alice", &counter);
  EXPECT_TRUE(feed.Add("alice", &counter).ok());
}

}  // namespace
}  // namespace berth::broker

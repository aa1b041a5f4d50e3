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
    return SessionWatch::Begin(ViewerOf("alice"), request);
  }

  // As the policy grants now.
  Viewer ViewerOf(const std::string& user) const {
    return Viewer(registry_, Rights(*Policy::Parse(policy_, "p"), user),
                  /*admin=*/false);
  }

  // "KNOWN 1, synced".
  std::string Drain(SessionWatch& watch, const std::string& user = "alice") {
    std::string text;
    while (auto next =
               watch.Next([&] { return ViewerOf(user); }, absl::Now())) {
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
  std::string policy_ = std::string(Policy::BuiltInText());
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

TEST_F(SessionWatchTest, TellsOfOthersWhatMayBeListedAtThatMoment) {
  Put(Session(1));
  v1::WatchSessionsRequest request;
  request.set_owner("alice");
  auto hidden = SessionWatch::Begin(ViewerOf("bob"), request);
  ASSERT_TRUE(hidden.ok());
  EXPECT_EQ(Drain(*hidden, "bob"), "synced");
  policy_ =
      "[roles.r]\nusers = [\"bob\"]\nverbs = [\"list\"]\n"
      "computers = [\"@all\"]\n";
  auto watch = SessionWatch::Begin(ViewerOf("bob"), request);
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(Drain(*watch, "bob"), "KNOWN 1, synced");
  Put(Session(1, "a"));
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch, "bob"), "STARTED 1");
  // Once it is taken away, nothing more is seen of it.
  policy_ = "";
  v1::Session after = Session(1);
  after.set_name("secret");
  Put(after);
  watch->Touch(Uuid(1), absl::Now());
  const auto gone = watch->Next([&] { return ViewerOf("bob"); }, absl::Now());
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->event().kind(), v1::SessionEvent::REMOVED);
  EXPECT_EQ(gone->event().session().name(), "s1");
  watch->Touch(Uuid(1), absl::Now());
  EXPECT_EQ(Drain(*watch, "bob"), "");
}

TEST_F(SessionWatchTest, TellsOfAllOwnersTogether) {
  Put(Session(1));
  v1::Session other = Session(2);
  other.set_owner("bob");
  Put(other);
  policy_ =
      "[roles.r]\nusers = [\"carol\"]\nverbs = [\"list\"]\n"
      "computers = [\"@all\"]\n";
  v1::WatchSessionsRequest request;
  request.set_all_owners(true);
  auto watch = SessionWatch::Begin(ViewerOf("carol"), request);
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(Drain(*watch, "carol"), "KNOWN 1, KNOWN 2, synced");
  request.set_owner("bob");
  EXPECT_EQ(SessionWatch::Begin(ViewerOf("carol"), request).status().code(),
            absl::StatusCode::kInvalidArgument);
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
  int touches() {
    MutexLock lock(mu_);
    return touches_;
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
  // It is the watcher whose share is used up, and not the one who is watched.
  EXPECT_EQ(feed.Add("alice", &counter, "bob").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(feed.Add("bob", &counter, "alice").ok());
  feed.Remove("alice", &counter);
  EXPECT_TRUE(feed.Add("alice", &counter).ok());
}

TEST(SessionFeed, TellsOfOneOwnerOrOfAll) {
  Timer timer;
  SessionFeed feed(timer);
  Counter hers, all;
  ASSERT_TRUE(feed.Add("bob", &hers, "alice").ok());
  ASSERT_TRUE(feed.Add("bob", &all, std::nullopt).ok());
  v1::Session other = Session(2);
  other.set_owner("carol");
  feed.Touch({std::make_shared<const v1::Session>(Session(1)),
              std::make_shared<const v1::Session>(other)});
  EXPECT_EQ(hers.touches(), 1);
  EXPECT_EQ(all.touches(), 2);
  feed.Remove("bob", &hers);
  feed.Remove("bob", &all);
  feed.Touch({std::make_shared<const v1::Session>(other)});
  EXPECT_EQ(all.touches(), 2);
}

}  // namespace
}  // namespace berth::broker

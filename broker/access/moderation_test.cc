#include "broker/access/moderation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cond_var.h"
#include "base/monotonic.h"

namespace berth::broker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModerationTest : public ::testing::Test {
 protected:
  ModerationTest() {
    auto session = std::make_shared<v1::Session>();
    session->set_instance_id("i");
    session->set_id(3);
    session->set_owner("alice");
    session->set_computer("db1");
    session_ = session;
    Make(absl::Milliseconds(20));
  }
  void Make(absl::Duration grace) {
    moderation_ = std::make_unique<Moderation>(
        timer_,
        [this](const std::string&, const v1::Session&, Verb) {
          MutexLock lock(mu_);
          return role_;
        },
        [this](const Moderation::Event& event) {
          MutexLock lock(mu_);
          events_.push_back(absl::StrCat(event.verb, " ", event.user));
        },
        grace);
  }

  Moderation::Work Work(const std::string& user, Verb verb = Verb::kRun) {
    return {user, session_, verb, [this, user](const absl::Status& status) {
              MutexLock lock(mu_);
              ended_.push_back(absl::StrCat(user, ": ", status.message()));
              changed_.NotifyAll();
            }};
  }
  Moderation::Id Observe(const std::string& user) {
    const Moderation::Id id = moderation_->Expect(user, session_);
    moderation_->Arrive(id);
    return id;
  }
  // Waits until so many streams were ended.
  std::vector<std::string> WaitForEnded(size_t count) {
    const absl::Time end = MonotonicNow() + absl::Seconds(20);
    MutexLock lock(mu_);
    while (ended_.size() < count && MonotonicNow() < end) {
      changed_.WaitFor(mu_, absl::Milliseconds(50));
    }
    return ended_;
  }
  std::vector<std::string> Events() {
    MutexLock lock(mu_);
    return events_;
  }

  SessionRecord session_;
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> ended_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> events_ ABSL_GUARDED_BY(mu_);
  std::string role_ ABSL_GUARDED_BY(mu_) = "dba";
  std::unique_ptr<Moderation> moderation_;
  Timer timer_;  // Last: its work uses the others.
};

TEST_F(ModerationTest, NobodyWorksUnobserved) {
  const auto refused = moderation_->Begin(Work("alice"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(),
              HasSubstr("session alice/3 on 'db1' needs an observer: role "
                        "'dba' is moderated"));
  EXPECT_THAT(refused.status().message(),
              HasSubstr("joins with 'berth enter alice/3 --peek'"));
  // Neither the owner nor who works there themself counts, nor one who did not
  // get in yet.
  const auto own = Observe("alice");
  EXPECT_FALSE(moderation_->Begin(Work("alice")).ok());
  const auto olga = moderation_->Expect("olga", session_);
  EXPECT_FALSE(moderation_->Begin(Work("alice")).ok());
  moderation_->Arrive(olga);
  EXPECT_TRUE(moderation_->Begin(Work("alice")).ok());
  EXPECT_FALSE(moderation_->Begin(Work("olga")).ok());
  moderation_->Leave(own);
}

TEST_F(ModerationTest, WorkEndsWhenTheLastObserverHasLeft) {
  const auto olga = Observe("olga");
  const auto otto = Observe("otto");
  ASSERT_TRUE(moderation_->Begin(Work("alice")).ok());
  ASSERT_TRUE(moderation_->Begin(Work("olga")).ok());
  // Olga's own work has no observer but Otto.
  moderation_->Leave(otto);
  EXPECT_THAT(WaitForEnded(1), ElementsAre(HasSubstr("olga: session alice/3")));
  moderation_->Leave(olga);
  EXPECT_THAT(WaitForEnded(2), Contains(HasSubstr("alice: session alice/3")));
  EXPECT_THAT(Events(),
              ElementsAre("observer.joined olga", "observer.joined otto",
                          "observer.left otto", "session.paused olga",
                          "observer.left olga", "session.paused alice"));
}

TEST_F(ModerationTest, AnotherObserverInTimeIsEnough) {
  Make(absl::Seconds(2));
  const auto olga = Observe("olga");
  ASSERT_TRUE(moderation_->Begin(Work("alice")).ok());
  moderation_->Leave(olga);
  const auto otto = Observe("otto");
  // Runs after what looks whether somebody came.
  bool looked = false;
  timer_.After(absl::Milliseconds(2100), [&] {
    MutexLock lock(mu_);
    looked = true;
    changed_.NotifyAll();
  });
  {
    MutexLock lock(mu_);
    while (!looked) changed_.Wait(mu_);
  }
  EXPECT_THAT(WaitForEnded(0), ElementsAre());
  moderation_->Leave(otto);
  EXPECT_EQ(WaitForEnded(1).size(), 1);
}

TEST_F(ModerationTest, ANewPolicyHoldsForWhatIsOpen) {
  {
    MutexLock lock(mu_);
    role_.clear();
  }
  const auto run = moderation_->Begin(Work("alice"));
  ASSERT_TRUE(run.ok());
  const auto other = moderation_->Begin(Work("bob"));
  ASSERT_TRUE(other.ok());
  moderation_->End(*other);
  {
    MutexLock lock(mu_);
    role_ = "dba";
  }
  moderation_->Recheck();
  EXPECT_THAT(WaitForEnded(1), ElementsAre(HasSubstr("alice: ")));
  moderation_->End(*run);  // Harmless.
}

}  // namespace
}  // namespace berth::broker

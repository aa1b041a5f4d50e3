#include "broker/services/list_tally.h"

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

using ::testing::ElementsAre;

class ListTallyTest : public ::testing::Test {
 protected:
  void Note(const std::string& user, const std::string& detail) {
    AuditEvent event;
    event.verb = "list-sessions";
    event.user = user;
    event.detail = detail;
    tally_->Note(std::move(event));
  }
  void Begin(absl::Duration window) {
    tally_ = std::make_shared<ListTally>(
        timer_,
        [this](AuditEvent event) {
          MutexLock lock(mu_);
          written_.push_back(absl::StrCat(event.user, ": ", event.detail));
          changed_.NotifyAll();
        },
        window);
  }
  std::vector<std::string> WaitFor(size_t count) {
    const absl::Time end = MonotonicNow() + absl::Seconds(20);
    MutexLock lock(mu_);
    while (written_.size() < count && MonotonicNow() < end) {
      changed_.WaitFor(mu_, absl::Milliseconds(50));
    }
    return written_;
  }

  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> written_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<ListTally> tally_;
  Timer timer_;  // Last: its work uses the others.
};

TEST_F(ListTallyTest, TheFirstIsWrittenAtOnceAndTheRestIsCounted) {
  Begin(absl::Minutes(1));
  for (int i = 0; i < 5; ++i) Note("ann", "");
  Note("ann", "owner=bob");
  Note("ben", "");
  EXPECT_THAT(WaitFor(3), ElementsAre("ann: ", "ann: owner=bob", "ben: "));
  tally_->Flush();
  EXPECT_EQ(WaitFor(4).back(), "ann: more=4 within 1m");
  // And then anew.
  Note("ann", "");
  EXPECT_EQ(WaitFor(5).back(), "ann: ");
}

TEST_F(ListTallyTest, AWindowEndsByItself) {
  Begin(absl::Seconds(2));
  Note("ann", "x");
  Note("ann", "x");
  EXPECT_THAT(WaitFor(2), ElementsAre("ann: x", "ann: x more=1 within 2s"));
}

TEST_F(ListTallyTest, WhoListsInManyWaysFillsNoLog) {
  Begin(absl::Minutes(1));
  for (int i = 0; i < 500; ++i) Note("ann", absl::StrCat("owner=", i));
  EXPECT_EQ(WaitFor(0).size(), ListTally::kMaxKinds + 1);
  tally_->Flush();
  EXPECT_EQ(WaitFor(0).back(),
            "ann: owner=499 (and others) more=479 within 1m");
}

}  // namespace
}  // namespace berth::broker

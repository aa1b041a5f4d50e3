// Sessions in which nobody works unless somebody else watches.

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

class ModerationTest : public ::testing::Test {
 protected:
  ModerationTest() : fleet_({"db1"}) {
    for (const char* user : {"alice", "olga", "eve"}) fleet_.AddUser(user);
  }

  void Apply(const std::string& moderated) {
    const std::string path = fleet_.directory() + "/policy.toml";
    WriteTextFile(path,
                  "[roles.dba]\nusers = [\"alice\"]\nverbs = [\"create\"]\n"
                  "computers = [\"db*\"]\nmoderated = " +
                      moderated +
                      "\n[roles.eyes]\nusers = [\"olga\"]\n"
                      "verbs = [\"list\", \"peek\"]\ncomputers = "
                      "[\"@all\"]\n");
    fleet_.Run({"admin", "policy", "apply", "-f", path});
  }
  // Expects `user` to be refused for want of an observer.
  void NeedsObserver(const std::vector<std::string>& words,
                     const std::string& user = "alice") {
    const auto refused = fleet_.Berth(words, "", user);
    EXPECT_NE(refused.exit_code, 0) << refused.out;
    EXPECT_THAT(refused.err,
                HasSubstr("session alice/1 on 'db1' needs an observer: role "
                          "'dba' is moderated"));
    EXPECT_THAT(refused.err, HasSubstr("'berth enter alice/1 --peek'"));
  }
  void Peek(std::optional<TtyProgram>& observer, const std::string& user) {
    observer.emplace(fleet_.Command({"enter", "alice/1", "--peek"}, user), 24,
                     80);
    // It counts from before it is shown anything.
    observer->WaitFor("$");
  }
  // Waits until the audit log has it.
  void Events(const std::string& user, const std::string& verb) {
    fleet_.WaitFor({"admin", "audit", "search", "--verb", verb, "--user", user},
                   "done", absl::Seconds(60));
  }

  Fleet fleet_;
};

TEST_F(ModerationTest, TheOwnerWorksWhileSomebodyElseWatches) {
  Apply("true");
  fleet_.Run({"new", "-c", "db1", "--name", "work"}, "", "alice");
  NeedsObserver({"run", "-s", "1", "--", "echo unseen >leak"});
  NeedsObserver({"cp", "/etc/hostname", "1:/tmp/berth-moderated"});
  // Who may not watch does not see it, and watching oneself is not enough.
  EXPECT_NE(fleet_.Berth({"enter", "alice/1", "--peek"}, "", "eve").exit_code,
            0);
  TtyProgram self(fleet_.Command({"enter", "1", "--peek"}, "alice"), 24, 80);
  self.WaitFor("$");
  NeedsObserver({"run", "-s", "1", "--", "true"});
  fleet_.WaitFor({"admin", "audit", "search", "--user", "alice", "--outcome",
                  "failed", "-o", "json"},
                 "needs an observer");

  std::optional<TtyProgram> observer;
  Peek(observer, "olga");
  Events("olga", "observer.joined");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo seen; test ! -e leak"},
                       "", "alice"),
            "seen\n");
}

TEST_F(ModerationTest, WhoIsWatchedNoMoreIsPausedAndTheSessionGoesOn) {
  Apply("true");
  fleet_.Run({"new", "-c", "db1", "--name", "work"}, "", "alice");
  std::optional<TtyProgram> observer;
  Peek(observer, "olga");
  TtyProgram owner(fleet_.Command({"enter", "1"}, "alice"), 24, 80);
  owner.WaitFor("$");
  owner.Type("kept=here; echo typed-$kept\r");
  owner.WaitForLine("typed-here");
  observer->WaitFor("typed-here");
  // The observer is lost, without a goodbye.
  observer.reset();
  Events("olga", "observer.left");
  owner.WaitFor("needs an observer");
  EXPECT_EQ(owner.Wait(), 125);
  Events("alice", "session.paused");
  NeedsObserver({"run", "-s", "1", "--", "true"});
  // All is as it was when somebody watches again.
  Peek(observer, "olga");
  TtyProgram again(fleet_.Command({"enter", "1"}, "alice"), 24, 80);
  again.WaitFor("$");
  again.Type("echo still-$kept\r");
  again.WaitForLine("still-here");
  again.Type("~.");
  EXPECT_EQ(again.Wait(), 0);
}

TEST_F(ModerationTest, APolicyThatSaysSoLaterHoldsForOpenStreams) {
  Apply("false");
  fleet_.Run({"new", "-c", "db1", "--name", "work"}, "", "alice");
  Process run =
      fleet_.Start({"run", "-s", "1", "--", "echo began; sleep 30"}, "alice");
  ASSERT_TRUE(run.WaitForLine("began").ok());
  Apply("true");
  Events("alice", "session.paused");
  NeedsObserver({"run", "-s", "1", "--", "true"});
}

}  // namespace
}  // namespace berth::testing

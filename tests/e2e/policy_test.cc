// Who may do what: a policy with two users, from the first `apply` to the last
// `rollback`.

#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PolicyTest : public ::testing::Test {
 protected:
  PolicyTest() : fleet_({"web01", "db1"}) {
    fleet_.AddUser("alice");
    fleet_.AddUser("bob");
  }

  // The administrator applies a policy.
  std::string Apply(const std::string& text) {
    const std::string path = fleet_.directory() + "/policy.toml";
    WriteTextFile(path, text);
    return fleet_.Run({"admin", "policy", "apply", "-f", path});
  }

  // Expects `user` to fail with these words.
  void Fails(const std::string& user, const std::vector<std::string>& arguments,
             const std::string& words) {
    const auto finished = fleet_.Berth(arguments, "", user);
    EXPECT_NE(finished.exit_code, 0) << finished.out << finished.err;
    EXPECT_THAT(finished.out + finished.err, HasSubstr(words));
  }

  Fleet fleet_;
};

constexpr char kAliceOnWeb[] =
    "[groups]\n"
    "dev = [\"alice\"]\n"
    "[roles.dev]\n"
    "groups = [\"dev\"]\n"
    "verbs = [\"create\"]\n"
    "computers = [\"web*\"]\n";

TEST_F(PolicyTest, FromNoneToOneAndBack) {
  // Without one, everybody makes sessions everywhere.
  EXPECT_THAT(fleet_.Run({"admin", "policy", "show"}),
              HasSubstr("version 0 (built-in)"));
  fleet_.Run({"new", "-c", "db1"}, "", "alice");
  fleet_.Run({"rm", "1"}, "", "alice");
  Fails("alice", {"admin", "policy", "show"}, "is no administrator");

  EXPECT_THAT(Apply(kAliceOnWeb), HasSubstr("version 1 of the policy holds"));
  fleet_.Run({"new", "-c", "web01"}, "", "alice");
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo hi"}, "", "alice"),
            "hi\n");
  // What nobody granted is not there.
  Fails("alice", {"new", "-c", "db1"}, "no computer 'db1'");
  Fails("alice", {"new", "-c", "nosuch"}, "no computer 'nosuch'");
  Fails("bob", {"new", "-c", "web01"}, "no computer 'web01'");
  EXPECT_THAT(fleet_.Run({"computers"}, "", "alice"), Not(HasSubstr("db1")));
  EXPECT_THAT(fleet_.Run({"computers"}, "", "bob"), Not(HasSubstr("web01")));
  // Administrators see what there is to administer, and have no other right.
  EXPECT_THAT(fleet_.Run({"computers"}), HasSubstr("db1"));
  Fails("laptop", {"new", "-c", "web01"}, "no role has user 'admin'");

  // The owner keeps what they have, whatever a policy says.
  Apply("");
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo still"}, "", "alice"),
            "still\n");
  Fails("alice", {"new", "-c", "web01"}, "no role has user 'alice'");
  EXPECT_THAT(fleet_.Run({"admin", "policy", "diff"}),
              HasSubstr("-verbs = [\"create\"]"));

  // It outlives the broker.
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "db1", "-o", "json"}, "COMPUTER_STATE_ONLINE");
  fleet_.WaitFor({"computers", "web01", "-o", "json"}, "ONLINE");
  Fails("alice", {"new", "-c", "web01"}, "no role has user 'alice'");

  fleet_.Run({"admin", "policy", "rollback", "1"});
  fleet_.Run({"new", "-c", "web01"}, "", "alice");
  const std::string history = fleet_.Run({"admin", "policy", "history"});
  EXPECT_THAT(history, HasSubstr("holds now, as version 1"));
  fleet_.Run({"admin", "policy", "rollback", "0"});
  fleet_.Run({"new", "-c", "db1"}, "", "bob");
}

TEST_F(PolicyTest, SaysWhoMayDoWhat) {
  Apply(kAliceOnWeb);
  EXPECT_THAT(fleet_.Run({"admin", "can-i", "create", "web01"}, "", "alice"),
              HasSubstr("yes: role 'dev' grants 'create' on 'web01'"));
  EXPECT_THAT(
      fleet_.Run({"admin", "can-i", "create", "web01", "--as", "alice"}),
      HasSubstr("yes: "));
  Fails("laptop", {"admin", "can-i", "create", "db1", "--as", "alice"},
        "no: no role of user 'alice' (dev) grants 'create' on 'db1'");
  Fails("laptop", {"admin", "can-i", "peek", "web01", "--as", "alice"},
        "is about sessions of others");
  Fails("laptop",
        {"admin", "can-i", "create", "web01", "--as", "alice", "--run-as",
         "root"},
        "has it as self only");
  EXPECT_EQ(fleet_.Berth({"admin", "can-i", "admin"}).exit_code, 0);
  // Others ask for themselves, about what they see.
  Fails("bob", {"admin", "can-i", "create", "web01", "--as", "alice"},
        "may ask for themselves alone");
  Fails("bob", {"admin", "can-i", "create", "web01"}, "no computer 'web01'");
  Fails("bob", {"admin", "who-can", "create", "web01"}, "is no administrator");
  EXPECT_THAT(fleet_.Run({"admin", "who-can", "create", "web01"}),
              HasSubstr("alice"));
  EXPECT_THAT(fleet_.Run({"admin", "who-can", "admin"}),
              HasSubstr("admins of broker.toml"));
  EXPECT_EQ(fleet_.Run({"admin", "who-can", "create", "db1"}), "");
}

TEST_F(PolicyTest, WhatTakesTheAgreementOfOthers) {
  fleet_.AddUser("carol");
  fleet_.Run({"new", "-c", "db1", "-o", "name"}, "", "bob");
  Apply(
      "[roles.prod]\nusers = [\"alice\"]\nverbs = [\"create\", \"list\", "
      "\"receive\"]\ncomputers = [\"db*\"]\napprovals = 2\n"
      "approvers = [\"bob\", \"carol\", \"alice\"]\n");
  Fails(
      "alice", {"new", "-c", "db1"},
      "only after 2 approvals; ask for it with 'berth approval request prod'");
  Fails("alice", {"admin", "can-i", "create", "db1"}, "only after 2 approvals");
  Fails("bob", {"approval", "request", "prod"}, "no role 'prod' that user");

  std::string id = fleet_.Run(
      {"approval", "request", "prod", "--reason", "INC-42"}, "", "alice");
  ASSERT_FALSE(id.empty());
  id.pop_back();
  EXPECT_THAT(fleet_.Run({"approval", "ls"}, "", "bob"), HasSubstr("INC-42"));
  Fails("alice", {"approval", "approve", id}, "somebody else must decide");
  fleet_.Run({"approval", "approve", id}, "", "bob");
  Fails("alice", {"new", "-c", "db1"}, "only after 2 approvals");

  // It outlives the broker, and so does what it grants.
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "db1", "-o", "json"}, "COMPUTER_STATE_ONLINE");
  EXPECT_THAT(fleet_.Run({"approval", "approve", id}, "", "carol"),
              HasSubstr("is granted until"));
  fleet_.Run({"new", "-c", "db1"}, "", "alice");
  EXPECT_THAT(fleet_.Run({"ls", "--owner", "bob"}, "", "alice"),
              HasSubstr("bob/1"));
  // A call is in the log when it was answered, not before.
  fleet_.WaitFor({"admin", "audit", "search", "--user", "carol"},
                 "approval.decide");

  // Taken back, it grants nothing more; sessions stay their owner's.
  fleet_.Run({"approval", "withdraw", id, "--reason", "done"}, "", "carol");
  Fails("alice", {"new", "-c", "db1"}, "only after 2 approvals");
  EXPECT_EQ(fleet_.Run({"ls", "--owner", "bob"}, "", "alice"), "");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo mine"}, "", "alice"),
            "mine\n");

  // A denial ends the wait of who asked.
  const std::string asked = fleet_.directory() + "/asked";
  std::thread other([&] {
    const std::string open = fleet_.WaitFor({"approval", "ls", "-o", "jsonl"},
                                            "APPROVAL_STATE_OPEN");
    const size_t at = open.find("\"id\":\"");
    ASSERT_NE(at, std::string::npos) << open;
    fleet_.Run({"approval", "deny", open.substr(at + 6, 8), "--reason", "no"},
               "", "bob");
  });
  const auto waited =
      fleet_.Berth({"approval", "request", "prod", "--wait"}, "", "alice");
  other.join();
  EXPECT_EQ(waited.exit_code, 1);
  EXPECT_THAT(waited.err, HasSubstr("is denied by bob: no"));
}

TEST_F(PolicyTest, SessionsOfOthers) {
  fleet_.Run({"new", "-c", "web01", "-o", "name", "--name", "work"}, "",
             "alice");
  fleet_.Run({"run", "-s", "1", "--detach", "--", "echo secret plan"}, "",
             "alice");
  const std::string create =
      "[roles.all]\nusers = [\"*\"]\nverbs = [\"create\"]\n"
      "computers = [\"@all\"]\n";
  const auto grant = [&](const std::string& verbs) {
    Apply(create + "[roles.help]\nusers = [\"bob\"]\nverbs = [" + verbs +
          "]\ncomputers = [\"web*\"]\n");
  };

  // Without a right there is nothing.
  Apply(create);
  EXPECT_EQ(fleet_.Run({"ls", "--owner", "alice"}, "", "bob"), "");
  EXPECT_EQ(fleet_.Run({"ls", "--all-owners", "-o", "name"}, "", "bob"), "");
  const std::string unknown = "no session '1' of user 'alice'";
  Fails("bob", {"receive", "alice/1"}, unknown);
  Fails("bob", {"rm", "alice/1"}, unknown);
  Fails("bob", {"connect", "alice/1", "--take"}, unknown);
  Fails("bob", {"run", "-s", "alice/1", "--", "true"}, unknown);

  grant("\"list\"");
  EXPECT_THAT(fleet_.Run({"ls", "--owner", "alice"}, "", "bob"),
              HasSubstr("alice/1"));
  EXPECT_THAT(fleet_.Run({"ls", "--all-owners"}, "", "bob"), HasSubstr("work"));
  EXPECT_THAT(fleet_.Run({"ls", "alice/w*"}, "", "bob"), HasSubstr("work"));
  Fails("bob", {"receive", "alice/1"}, "grants 'receive' on 'web01'");
  Fails("bob", {"wait", "alice/1"}, "grants 'receive' on 'web01'");
  EXPECT_THAT(fleet_.Run({"watch", "alice/w*", "--until", "known"}, "", "bob"),
              HasSubstr("alice/1"));
  EXPECT_THAT(
      fleet_.Run({"watch", "--all-owners", "--until", "known"}, "", "bob"),
      HasSubstr("alice/1"));
  fleet_.Run({"wait", "--owner", "alice", "1", "--until", "idle"}, "", "bob");
  const std::string here = fleet_.directory() + "/here";
  const std::string there = fleet_.directory() + "/there";
  WriteTextFile(here, "from bob");
  Fails("bob", {"cp", "--owner", "alice", here, "work:" + there},
        "grants 'copy' on 'web01'");

  // Who only reads takes nothing away.
  grant("\"receive\"");
  EXPECT_THAT(fleet_.Run({"receive", "alice/1"}, "", "bob"),
              HasSubstr("secret plan"));
  EXPECT_THAT(fleet_.Run({"receive", "--owner", "alice", "1"}, "", "bob"),
              HasSubstr("secret plan"));
  EXPECT_THAT(fleet_.Run({"receive", "1"}, "", "alice"),
              HasSubstr("secret plan"));
  grant("\"list\", \"receive\"");
  fleet_.Run({"wait", "alice/1"}, "", "bob");

  grant("\"copy\"");
  // As with what bob runs there: held is held.
  Fails("bob", {"cp", "--owner", "alice", here, "1:" + there},
        "session alice/1 is held by alice");
  fleet_.Run({"disconnect", "1"}, "", "alice");
  fleet_.Run({"cp", "--owner", "alice", here, "1:" + there}, "", "bob");
  EXPECT_EQ(ReadTextFile(there), "from bob");
  fleet_.Run({"cp", "--owner", "alice", "1:" + there, here + "2"}, "", "bob");
  EXPECT_EQ(ReadTextFile(here + "2"), "from bob");
  fleet_.Run({"connect", "1"}, "", "alice");
  Fails("bob", {"cp", here, "alice/1:" + there}, "--owner");
  grant("\"receive\"");
  Fails("bob", {"run", "-s", "alice/1", "--", "true"}, "grants 'run'");

  // Another's client is one more: what the owner's holds is held.
  grant("\"run\"");
  Fails("bob", {"run", "-s", "alice/1", "--", "true"},
        "session alice/1 is held by alice");
  Fails("bob", {"run", "-s", "alice/1", "--", "true"},
        "berth connect alice/1 --take");
  fleet_.Run({"disconnect", "1"}, "", "alice");
  EXPECT_EQ(
      fleet_.Run({"run", "-s", "alice/1", "--", "X=bob; echo $X"}, "", "bob"),
      "bob\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $X"}, "", "alice"),
            "bob\n");
  Fails("bob", {"rm", "alice/1"}, "grants 'remove'");

  grant("\"list\", \"take\"");
  fleet_.Run({"connect", "alice/1", "--take"}, "", "bob");
  EXPECT_THAT(fleet_.Run({"ls", "1", "-o", "json"}, "", "alice"),
              HasSubstr("bob ("));

  grant("\"remove\"");
  fleet_.Run({"rm", "alice/1"}, "", "bob");
  EXPECT_EQ(fleet_.Run({"ls"}, "", "alice"), "");
}

TEST_F(PolicyTest, WhatIsWrongIsSaidBeforeAnythingChanges) {
  const std::string path = fleet_.directory() + "/wrong.toml";
  WriteTextFile(path, "[roles.x]\nusers = [\"a\"]\nverbs = [\"fly\"]\n");
  Fails("laptop", {"admin", "policy", "apply", "-f", path},
        "wrong.toml:3: role 'x', verbs: no verb 'fly'");
  Fails("laptop", {"admin", "policy", "check", "-f", path}, "no verb 'fly'");
  EXPECT_THAT(fleet_.Run({"admin", "policy", "show"}), HasSubstr("version 0"));
  WriteTextFile(path, kAliceOnWeb);
  fleet_.Run({"admin", "policy", "check", "-f", path});
  EXPECT_THAT(fleet_.Run({"admin", "policy", "apply", "-f", path, "--dry-run"}),
              HasSubstr("version 1 of the policy can be applied; nothing was"));
  EXPECT_THAT(fleet_.Run({"admin", "policy", "show"}), HasSubstr("version 0"));
  Fails("laptop", {"admin", "policy", "apply", "-f", path, "--expect", "7"},
        "version 0 of the policy holds");
}

TEST_F(PolicyTest, AnAdministratorByRole) {
  Apply("[roles.boss]\nusers = [\"bob\"]\nverbs = [\"admin\"]\n");
  fleet_.Run({"admin", "policy", "history"}, "", "bob");
  fleet_.Run({"admin", "policy", "rollback", "0"}, "", "bob");
  Fails("bob", {"admin", "policy", "history"}, "is no administrator");
}

}  // namespace
}  // namespace berth::testing

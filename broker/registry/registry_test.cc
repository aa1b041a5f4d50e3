#include "broker/registry/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

std::string Uuid(int n) {
  return absl::StrCat("00000000-0000-4000-8000-",
                      absl::Dec(n, absl::kZeroPad12));
}

v1::Session Session(int n, const std::string& owner = "alice",
                    const std::string& name = "web") {
  v1::Session session;
  session.set_instance_id(Uuid(n));
  session.set_id(n);
  session.set_name(name);
  session.set_owner(owner);
  return session;
}

link::v1::Hello Hello(const std::vector<v1::Session>& sessions) {
  link::v1::Hello hello;
  for (const v1::Session& session : sessions) {
    *hello.add_sessions()->mutable_session() = session;
  }
  return hello;
}

v1::SessionRef ById(uint32_t id) {
  v1::SessionRef ref;
  ref.set_id(id);
  return ref;
}
v1::SessionRef ByName(const std::string& name) {
  v1::SessionRef ref;
  ref.set_name(name);
  return ref;
}
v1::SessionRef ByInstance(const std::string& id) {
  v1::SessionRef ref;
  ref.set_instance_id(id);
  return ref;
}

class RegistryTest : public ::testing::Test {
 protected:
  Registry::Changes LinkUp(const std::string& computer,
                           const std::vector<v1::Session>& sessions) {
    ComputerRecord record;
    return registry_.LinkUp(computer, Hello(sessions), absl::Now(), &record);
  }
  std::string ErrorOf(const std::string& owner, const v1::SessionRef& ref) {
    return std::string(registry_.Resolve(owner, ref).status().message());
  }

  Registry registry_;
};

TEST_F(RegistryTest, HelloIsComplete) {
  EXPECT_EQ(LinkUp("web01", {Session(1), Session(2)}).put.size(), 2u);
  Registry::Changes changes = LinkUp("web01", {Session(2), Session(3)});
  ASSERT_EQ(changes.put.size(), 1u);
  EXPECT_EQ(changes.put[0]->id(), 3u);
  EXPECT_EQ(changes.deleted, std::vector<std::string>{Uuid(1)});
  EXPECT_EQ(registry_.SessionsOf("alice").size(), 2u);
}

TEST_F(RegistryTest, NextIdFollowsTheHighestSeen) {
  LinkUp("web01", {Session(7)});
  EXPECT_EQ(registry_.TakeNextId("alice"), 8u);
  EXPECT_EQ(registry_.TakeNextId("alice"), 9u);
  EXPECT_EQ(registry_.TakeNextId("bob"), 1u);
}

TEST_F(RegistryTest, ResolvesByIdNameAndInstance) {
  LinkUp("web01", {Session(1), Session(2, "alice", "db")});
  LinkUp("web02", {Session(3)});
  EXPECT_EQ((*registry_.Resolve("alice", ById(2)))->name(), "db");
  EXPECT_EQ((*registry_.Resolve("alice", ByName("DB")))->id(), 2u);
  EXPECT_EQ((*registry_.Resolve("alice", ByInstance(Uuid(3))))->id(), 3u);
  v1::SessionRef on = ByName("web");
  on.set_computer("web02");
  EXPECT_EQ((*registry_.Resolve("alice", on))->id(), 3u);
}

TEST_F(RegistryTest, RefusesWhatNamesNoneOrSeveral) {
  LinkUp("web01", {Session(1), Session(4), Session(7), Session(9, "bob")});
  EXPECT_EQ(ErrorOf("alice", ByName("web")),
            "name 'web' fits 3 sessions: 1, 4, 7; use an id");
  EXPECT_EQ(ErrorOf("alice", ById(9)), "no session '9'; see `berth ls`");
  EXPECT_EQ(ErrorOf("carol", ByName("x")), "no session 'x'; see `berth ls`");
  EXPECT_TRUE(
      absl::StrContains(ErrorOf("alice", ByInstance("000")), "too short"));
  EXPECT_TRUE(
      absl::StrContains(ErrorOf("alice", ByInstance("0000")), "one of 3"));
  EXPECT_TRUE(absl::StrContains(ErrorOf("alice", {}), "names no session"));
  // Another's session is not there, even by its full instance id.
  EXPECT_FALSE(registry_.Resolve("alice", ByInstance(Uuid(9))).ok());
}

TEST_F(RegistryTest, IdThatWasGivenTwiceIsAmbiguous) {
  v1::Session twin = Session(1);
  twin.set_instance_id(Uuid(100));
  LinkUp("web01", {Session(1)});
  LinkUp("web02", {twin});
  EXPECT_TRUE(absl::StrContains(ErrorOf("alice", ById(1)), "instance id"));
  v1::SessionRef on = ById(1);
  on.set_computer("web02");
  EXPECT_EQ((*registry_.Resolve("alice", on))->instance_id(), Uuid(100));
}

TEST_F(RegistryTest, AgentsCantSpeakForEachOther) {
  LinkUp("web01", {Session(1)});
  EXPECT_TRUE(
      absl::IsAlreadyExists(registry_.Put("web02", Session(1)).status()));
  EXPECT_TRUE(registry_.Remove("web02", Uuid(1)).deleted.empty());
  EXPECT_EQ(registry_.Find(Uuid(1))->computer(), "web01");
  EXPECT_TRUE(absl::IsInvalidArgument(registry_.Put("web02", {}).status()));
}

TEST_F(RegistryTest, OnlyDurableChangesAreWritten) {
  LinkUp("web01", {Session(1)});
  v1::Session session = Session(1);
  session.mutable_activity()->set_kind(v1::Activity::COMMAND);
  EXPECT_TRUE(registry_.Put("web01", session)->put.empty());
  session.mutable_end()->set_reason(v1::END_REASON_SHELL_EXITED);
  EXPECT_EQ(registry_.Put("web01", session)->put.size(), 1u);
}

TEST_F(RegistryTest, LinkDownBreaksSessions) {
  LinkUp("web01", {Session(1)});
  registry_.LinkDown("web01", absl::FromUnixSeconds(5));
  SessionRecord session = registry_.Find(Uuid(1));
  EXPECT_EQ(registry_.View("", *session).state(), v1::SESSION_STATE_BROKEN);
  EXPECT_EQ(registry_.Computers()[0].state(), v1::COMPUTER_STATE_OFFLINE);
  EXPECT_EQ(registry_.Computers()[0].sessions(), 1u);
}

TEST_F(RegistryTest, ComputersAreFoundWithoutRegardToCase) {
  LinkUp("Server01", {});
  EXPECT_EQ(*registry_.ComputerNamed("server01"), "Server01");
  EXPECT_FALSE(registry_.ComputerNamed("server02").ok());
}

TEST_F(RegistryTest, ManyThreadsReadAndWrite) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      LinkUp("web01", {Session(1), Session(2 + i % 5)});
      registry_.Put("web02", Session(50 + i % 7)).status().IgnoreError();
      registry_.LinkDown("web01", absl::Now());
      registry_.Remove("web02", Uuid(50 + i % 3));
    }
    stop = true;
  });
  std::thread reader([&] {
    while (!stop) {
      for (const SessionRecord& session : registry_.SessionsOf("alice")) {
        registry_.View("me", *session);
      }
      registry_.Resolve("alice", ByName("web")).status().IgnoreError();
      registry_.HeldSessions();
      registry_.Computers();
      registry_.TakeNextId("bob");
    }
  });
  writer.join();
  reader.join();
  EXPECT_NE(registry_.Find(Uuid(1)), nullptr);
}

}  // namespace
}  // namespace berth::broker

#include "broker/access/viewer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/access/grants.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

class ViewerTest : public ::testing::Test {
 protected:
  ViewerTest() {
    Add("web01", 1, "alice", "std");
    Add("db1", 2, "alice", "std");
    Add("db1", 3, "alice", "root");
  }

  void Add(const std::string& computer, uint32_t id, const std::string& owner,
           const std::string& configuration) {
    if (!registry_.ComputerNamed(computer).ok()) {
      ComputerRecord record;
      record.name = computer;
      record.labels["role"] = computer.substr(0, 2) == "db" ? "db" : "web";
      registry_.AddComputer(record);
      registry_.LinkUp(computer, {}, absl::Now(), &record);
    }
    v1::Session session;
    session.set_id(id);
    session.set_instance_id(
        absl::StrCat("00000000-0000-4000-8000-00000000000", id));
    session.set_owner(owner);
    session.set_name(absl::StrCat("s", id));
    session.set_configuration(configuration);
    ASSERT_TRUE(registry_.Put(computer, session).ok());
  }

  // Grants bob these verbs on db1, for sessions of configuration "std".
  Viewer Bob(const std::string& verbs) {
    const auto policy = Policy::Parse(
        absl::StrCat("[roles.r]\nusers = [\"bob\"]\nverbs = [", verbs,
                     "]\ncomputers = [\"@label:role=db\"]\n"
                     "configurations = [\"std\"]\n"),
        "p");
    EXPECT_TRUE(policy.ok()) << policy.status();
    return Viewer(registry_, Rights(*policy, "bob"), /*admin=*/false);
  }
  Viewer Nobody(const std::string& user) {
    return Viewer(registry_, Rights(*Policy::Parse("", "p"), user),
                  /*admin=*/false);
  }
  static v1::SessionRef Ref(uint32_t id, const std::string& owner) {
    v1::SessionRef ref;
    ref.set_id(id);
    ref.set_owner(owner);
    return ref;
  }

  Registry registry_;
};

TEST_F(ViewerTest, OwnersMayDoEverythingWhateverAPolicySays) {
  Viewer alice = Nobody("alice");
  for (const Verb verb : kVerbs) {
    EXPECT_TRUE(alice.FindSession(Ref(1, ""), {verb}).ok()) << VerbName(verb);
    EXPECT_TRUE(alice.FindSession(Ref(1, "alice"), {verb}).ok());
  }
  EXPECT_EQ(alice.FindSession(Ref(9, "alice"), {Verb::kRun}).status().message(),
            "no session '9'; see `berth ls`");
}

TEST_F(ViewerTest, EachRightIsOneOfItsOwn) {
  for (const Verb granted : kVerbs) {
    if (!IsAboutSessions(granted)) continue;
    Viewer bob = Bob(absl::StrCat("\"", VerbName(granted), "\""));
    for (const Verb verb : kVerbs) {
      if (!IsAboutSessions(verb)) continue;
      const auto found = bob.FindSession(Ref(2, "alice"), {verb});
      if (verb == granted) {
        EXPECT_TRUE(found.ok()) << found.status();
        continue;
      }
      EXPECT_EQ(found.status().code(), absl::StatusCode::kPermissionDenied);
      EXPECT_THAT(std::string(found.status().message()),
                  HasSubstr(absl::StrCat("grants '", VerbName(verb), "'")));
    }
  }
}

TEST_F(ViewerTest, NeedsAllTheRightsThatAreAskedFor) {
  EXPECT_FALSE(Bob("\"enter\"")
                   .FindSession(Ref(2, "alice"), {Verb::kEnter, Verb::kTake})
                   .ok());
  EXPECT_TRUE(Bob("\"enter\", \"take\"")
                  .FindSession(Ref(2, "alice"), {Verb::kEnter, Verb::kTake})
                  .ok());
}

TEST_F(ViewerTest, WhatMayNotBeSeenIsAsIfItWereNotThere) {
  // 1 is elsewhere, 3 of another configuration, 9 is none at all.
  Viewer bob = Bob("\"peek\"");
  for (const uint32_t id : {1, 3, 9}) {
    const auto found = bob.FindSession(Ref(id, "alice"), {Verb::kPeek});
    EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(found.status().message(),
              absl::StrCat("no session '", id,
                           "' of user 'alice'; see `berth ls --all-owners`"));
  }
  // Nor do owners or computers tell.
  EXPECT_EQ(bob.FindSession(Ref(2, "carol"), {Verb::kPeek}).status().message(),
            "no session '2' of user 'carol'; see `berth ls --all-owners`");
  v1::SessionRef on = Ref(1, "alice");
  on.set_computer("web01");
  EXPECT_EQ(bob.FindSession(on, {Verb::kPeek}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(bob.FindComputer("web01").status().message(),
            "no computer 'web01'; see `berth computers`");
  EXPECT_EQ(bob.FindComputer("nosuch").status().message(),
            "no computer 'nosuch'; see `berth computers`");
  EXPECT_TRUE(bob.FindComputer("DB1").ok());
}

TEST_F(ViewerTest, ANameThatFitsOneVisibleSessionIsNotAmbiguous) {
  Add("web01", 4, "alice", "std");
  Add("db1", 5, "alice", "std");
  v1::Session session = *registry_.Find("00000000-0000-4000-8000-000000000004");
  session.set_name("both");
  ASSERT_TRUE(registry_.Put("web01", session).ok());
  session = *registry_.Find("00000000-0000-4000-8000-000000000005");
  session.set_name("both");
  ASSERT_TRUE(registry_.Put("db1", session).ok());
  v1::SessionRef ref;
  ref.set_name("both");
  ref.set_owner("alice");
  const auto found = Bob("\"peek\"").FindSession(ref, {Verb::kPeek});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->id(), 5u);
}

TEST_F(ViewerTest, CreatingIsNoRightOnSessionsOfOthers) {
  EXPECT_EQ(Bob("\"create\"")
                .FindSession(Ref(2, "alice"), {Verb::kRun})
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  v1::CreateSessionRequest request;
  request.set_configuration("std");
  const NodeSet::Node db = *registry_.NodeNamed("db1");
  EXPECT_TRUE(Bob("\"create\"").CheckCreate(db, request).ok());
  EXPECT_EQ(Bob("\"run\"").CheckCreate(db, request).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Bob("\"create\"")
                .CheckCreate(*registry_.NodeNamed("web01"), request)
                .code(),
            absl::StatusCode::kPermissionDenied);
  request.set_run_as("postgres");
  EXPECT_EQ(Bob("\"create\"").CheckCreate(db, request).code(),
            absl::StatusCode::kPermissionDenied);
  request.set_run_as("bob");
  EXPECT_TRUE(Bob("\"create\"").CheckCreate(db, request).ok());
  request.clear_run_as();
  request.set_configuration("root");
  EXPECT_EQ(Bob("\"create\"").CheckCreate(db, request).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(ViewerTest, ClientsGoByAnotherIdInSessionsOfOthers) {
  const SessionRecord session =
      registry_.Find("00000000-0000-4000-8000-000000000002");
  EXPECT_EQ(Nobody("alice").ClientIdIn(*session, "c"), "c");
  EXPECT_EQ(Nobody("bob").ClientIdIn(*session, "c"), "bob/c");
  EXPECT_EQ(Nobody("bob").ClientIdIn(*session, ""), "");
}

TEST_F(ViewerTest, ANewPolicyEndsTheStreamsThatItGrantsNoMore) {
  const SessionRecord session =
      registry_.Find("00000000-0000-4000-8000-000000000002");
  Grants grants;
  std::vector<std::string> ended;
  for (const Verb verb : {Verb::kPeek, Verb::kReceive, Verb::kRun}) {
    grants.Add({"bob", session, {verb}, [&, verb](const absl::Status& status) {
                  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
                  ended.emplace_back(VerbName(verb));
                }});
  }
  const auto recheck = [&](const std::string& verbs) {
    grants.Recheck([&](const std::string& user) {
      EXPECT_EQ(user, "bob");
      return Bob(verbs);
    });
  };
  recheck("\"peek\", \"receive\", \"run\"");
  EXPECT_TRUE(ended.empty());
  recheck("\"receive\"");
  EXPECT_THAT(ended, ::testing::UnorderedElementsAre("peek", "run"));
  // Each ends once.
  recheck("\"list\"");
  EXPECT_EQ(ended.size(), 3u);
  recheck("\"list\"");
  EXPECT_EQ(ended.size(), 3u);
}

}  // namespace
}  // namespace berth::broker

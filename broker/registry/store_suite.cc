#include "broker/registry/store_suite.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"

namespace berth::broker {

void StoreSuite::SetUp() {
  std::string pattern = "/tmp/berth.XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  Reopen();
}

void StoreSuite::TearDown() {
  store_.reset();
  std::filesystem::remove_all(directory_);
}

void StoreSuite::Reopen() {
  store_.reset();
  auto store = GetParam().open(directory_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

TEST_P(StoreSuite, KeepsComputersWithTheirLabels) {
  ComputerRecord computer{.name = "web01",
                          .labels = {{"role", "web"}, {"dc", "a"}},
                          .agent_version = "0.1.0",
                          .os = "Debian",
                          .enrolled_at = absl::FromUnixNanos(1),
                          .last_seen = absl::FromUnixNanos(2)};
  ASSERT_TRUE(store_->PutComputer(computer).ok());
  computer.labels.erase("dc");
  computer.os = "Debian 12";
  ASSERT_TRUE(store_->PutComputer(computer).ok());
  Reopen();
  auto computers = store_->ListComputers();
  ASSERT_TRUE(computers.ok());
  ASSERT_EQ(computers->size(), 1u);
  EXPECT_EQ(computers->front(), computer);
}

TEST_P(StoreSuite, KeepsSessions) {
  v1::Session session;
  session.set_instance_id("a");
  session.set_id(3);
  session.set_owner("alice");
  session.set_cwd(std::string("/\0x", 3));
  ASSERT_TRUE(store_->PutSession(session).ok());
  session.set_name("web");
  ASSERT_TRUE(store_->PutSession(session).ok());
  Reopen();
  auto sessions = store_->ListSessions();
  ASSERT_TRUE(sessions.ok());
  ASSERT_EQ(sessions->size(), 1u);
  EXPECT_EQ(sessions->front().SerializeAsString(), session.SerializeAsString());
  EXPECT_TRUE(store_->DeleteSession("a").ok());
  EXPECT_TRUE(store_->DeleteSession("a").ok());
  EXPECT_TRUE(store_->ListSessions()->empty());
}

TEST_P(StoreSuite, NextIdsNeverGoDown) {
  ASSERT_TRUE(store_->RaiseNextId("alice", 5).ok());
  ASSERT_TRUE(store_->RaiseNextId("alice", 3).ok());
  ASSERT_TRUE(store_->RaiseNextId("bob", 1).ok());
  Reopen();
  EXPECT_EQ(*store_->ListNextIds(),
            (std::map<std::string, uint32_t>{{"alice", 5}, {"bob", 1}}));
}

TEST_P(StoreSuite, KeepsTokensAndWhoUsedThem) {
  TokenRecord token{.digest = std::string("\0\xff'", 3),
                    .name_pattern = "web*",
                    .created_by = "admin",
                    .expires_at = absl::FromUnixNanos(100),
                    .used_by = "",
                    .used_at = absl::UnixEpoch()};
  EXPECT_TRUE(absl::IsNotFound(store_->GetToken(token.digest).status()));
  EXPECT_TRUE(absl::IsNotFound(
      store_->MarkTokenUsed(token.digest, "web01", absl::Now())));
  ASSERT_TRUE(store_->AddToken(token).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->AddToken(token)));
  ASSERT_TRUE(
      store_->MarkTokenUsed(token.digest, "web01", absl::FromUnixNanos(7))
          .ok());
  Reopen();
  token.used_by = "web01";
  token.used_at = absl::FromUnixNanos(7);
  token.uses = 1;
  EXPECT_EQ(*store_->GetToken(token.digest), token);
  ASSERT_TRUE(store_->DeleteTokensExpiredBefore(absl::FromUnixNanos(100)).ok());
  EXPECT_TRUE(store_->GetToken(token.digest).ok());
  ASSERT_TRUE(store_->DeleteTokensExpiredBefore(absl::FromUnixNanos(101)).ok());
  EXPECT_FALSE(store_->GetToken(token.digest).ok());
}

TEST_P(StoreSuite, CountsTheUsesOfTokens) {
  TokenRecord token{.digest = "abc",
                    .name_pattern = "web*",
                    .created_by = "admin",
                    .expires_at = absl::FromUnixNanos(100),
                    .used_by = "",
                    .used_at = absl::UnixEpoch(),
                    .max_uses = 3,
                    .uses = 0};
  ASSERT_TRUE(store_->AddToken(token).ok());
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(
        store_->MarkTokenUsed("abc", "web01", absl::FromUnixNanos(i)).ok());
  }
  Reopen();
  token.used_by = "web01";
  token.used_at = absl::FromUnixNanos(2);
  token.uses = 2;
  EXPECT_EQ(*store_->ListTokens(), std::vector<TokenRecord>{token});
  EXPECT_TRUE(store_->DeleteToken("abc").ok());
  EXPECT_TRUE(store_->DeleteToken("abc").ok());
  EXPECT_TRUE(store_->ListTokens()->empty());
}

TEST_P(StoreSuite, KeepsRecordsByKindAndKey) {
  const std::string bytes("\0\xff'", 3);
  ASSERT_TRUE(store_->PutRecord("user", "alice", "old").ok());
  ASSERT_TRUE(store_->PutRecord("user", "alice", bytes).ok());
  ASSERT_TRUE(store_->PutRecord("user", "bob", "").ok());
  ASSERT_TRUE(store_->PutRecord("other", "alice", "x").ok());
  Reopen();
  using Records = std::map<std::string, std::string>;
  EXPECT_EQ(*store_->ListRecords("user"),
            (Records{{"alice", bytes}, {"bob", ""}}));
  EXPECT_TRUE(store_->DeleteRecord("user", "alice").ok());
  EXPECT_TRUE(store_->DeleteRecord("user", "alice").ok());
  EXPECT_EQ(*store_->ListRecords("user"), (Records{{"bob", ""}}));
  EXPECT_EQ(*store_->ListRecords("other"), (Records{{"alice", "x"}}));
}

TEST_P(StoreSuite, KeepsTheLatestNotices) {
  std::vector<NoticeRecord> expected;
  for (int i = 0; i < Store::kMaxNotices + 5; ++i) {
    const NoticeRecord notice{absl::FromUnixNanos(i), absl::StrCat("it's ", i)};
    ASSERT_TRUE(store_->AddNotice(notice).ok());
    if (i >= 5) expected.push_back(notice);
  }
  Reopen();
  EXPECT_EQ(*store_->ListNotices(), expected);
}

TEST_P(StoreSuite, KeepsEveryVersionOfThePolicy) {
  EXPECT_TRUE(absl::IsNotFound(store_->GetPolicy(1).status()));
  PolicyRecord first{.version = 1,
                     .at = absl::FromUnixNanos(1),
                     .by = "ann",
                     .text = "# it's\n"};
  PolicyRecord second{.version = 2,
                      .at = absl::FromUnixNanos(2),
                      .by = "bob",
                      .built_in = true,
                      .restores = 0};
  ASSERT_TRUE(store_->AddPolicy(first).ok());
  ASSERT_TRUE(store_->AddPolicy(second).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->AddPolicy(first)));
  Reopen();
  EXPECT_EQ(*store_->GetPolicy(1), first);
  EXPECT_EQ(*store_->GetPolicy(2), second);
  first.text.clear();
  EXPECT_EQ(*store_->ListPolicies(),
            (std::vector<PolicyRecord>{first, second}));
}

TEST_P(StoreSuite, KeepsTheLatestVersionsOfThePolicy) {
  const uint32_t last = Store::kMaxPolicies + 3;
  for (uint32_t version = 1; version <= last; ++version) {
    ASSERT_TRUE(
        store_
            ->AddPolicy(
                {.version = version, .at = absl::UnixEpoch(), .by = "ann"})
            .ok());
  }
  const auto policies = store_->ListPolicies();
  ASSERT_EQ(policies->size(), size_t{Store::kMaxPolicies});
  EXPECT_EQ(policies->front().version, 4u);
  EXPECT_EQ(policies->back().version, last);
}

TEST_P(StoreSuite, RollbackUndoesAndCommitKeeps) {
  ASSERT_TRUE(store_->Begin().ok());
  ASSERT_TRUE(store_->RaiseNextId("alice", 2).ok());
  store_->Rollback();
  EXPECT_TRUE(store_->ListNextIds()->empty());
  ASSERT_TRUE(store_->Begin().ok());
  ASSERT_TRUE(store_->RaiseNextId("alice", 2).ok());
  ASSERT_TRUE(store_->Commit().ok());
  Reopen();
  EXPECT_EQ(store_->ListNextIds()->size(), 1u);
}

}  // namespace berth::broker

#include "broker/access/policy_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "broker/registry/sqlite_store.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

constexpr char kDev[] =
    "[roles.dev]\nusers = [\"dan\"]\nverbs = [\"create\"]\n"
    "computers = [\"*\"]\n";

// A book over a real store.
class PolicyBookTest : public ::testing::Test {
 protected:
  PolicyBookTest() { Restart(); }

  void Restart() {
    thread_.reset();
    book_.reset();
    auto store = SqliteStore::Open(directory_.path() + "/registry.db");
    ASSERT_TRUE(store.ok()) << store.status();
    auto latest = PolicyBook::ReadLatest(**store);
    ASSERT_TRUE(latest.ok()) << latest.status();
    problem_ = latest->problem;
    thread_ = std::make_unique<StoreThread>(*std::move(store));
    book_ = std::make_unique<PolicyBook>(*thread_);
    book_->OnChange([this] { ++changes_; });
    book_->Begin(latest->version);
  }

  template <typename T, typename Ask>
  absl::StatusOr<T> Wait(Ask ask) {
    std::promise<absl::StatusOr<T>> answer;
    ask([&](absl::StatusOr<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  absl::StatusOr<PolicyBook::VersionPtr> Apply(PolicyBook::Change change) {
    return Wait<PolicyBook::VersionPtr>(
        [&](auto done) { book_->Apply(change, std::move(done)); });
  }
  absl::StatusOr<PolicyBook::VersionPtr> RollBack(uint32_t version) {
    return Wait<PolicyBook::VersionPtr>([&](auto done) {
      book_->RollBack(version, {.text = "", .by = "ann"}, std::move(done));
    });
  }
  bool DanMayCreate() const {
    return Rights(book_->Current()->policy, "dan")
        .Allows({.verb = Verb::kCreate, .computer = {"web01", {}}});
  }

  testing::TempDir directory_;
  std::string problem_;
  std::atomic<int> changes_ = 0;
  // The thread ends first.
  std::unique_ptr<PolicyBook> book_;
  std::unique_ptr<StoreThread> thread_;
};

TEST_F(PolicyBookTest, BeginsWithTheBuiltInOne) {
  EXPECT_EQ(book_->Current()->record.version, 0u);
  EXPECT_TRUE(book_->Current()->record.built_in);
  EXPECT_TRUE(DanMayCreate());
  EXPECT_TRUE(Wait<std::vector<PolicyRecord>>([&](auto done) {
                book_->List(std::move(done));
              })->empty());
}

TEST_F(PolicyBookTest, WhatIsAppliedHoldsAtOnceAndAfterARestart) {
  auto applied = Apply({.text = "", .by = "ann"});
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ((*applied)->record.version, 1u);
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(DanMayCreate());
  Restart();
  EXPECT_EQ(book_->Current()->record.version, 1u);
  EXPECT_EQ(book_->Current()->record.by, "ann");
  EXPECT_FALSE(DanMayCreate());
  ASSERT_TRUE(Apply({.text = kDev, .by = "bob"}).ok());
  Restart();
  EXPECT_EQ(book_->Current()->record.version, 2u);
  EXPECT_EQ(book_->Current()->record.text, kDev);
  EXPECT_TRUE(DanMayCreate());
}

TEST_F(PolicyBookTest, WhatCantBeReadChangesNothing) {
  ASSERT_TRUE(Apply({.text = "", .by = "ann"}).ok());
  auto applied = Apply({.text = "nonsense = 1", .by = "ann"});
  EXPECT_EQ(applied.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(applied.status().message()),
              HasSubstr("policy:1: no key 'nonsense'"));
  EXPECT_EQ(book_->Current()->record.version, 1u);
}

TEST_F(PolicyBookTest, ADryRunChangesNothing) {
  auto version = Apply({.text = "", .by = "ann", .dry_run = true});
  ASSERT_TRUE(version.ok());
  EXPECT_EQ((*version)->record.version, 1u);
  EXPECT_EQ(book_->Current()->record.version, 0u);
  EXPECT_EQ(changes_, 0);
  EXPECT_TRUE(DanMayCreate());
  EXPECT_TRUE(Apply({.text = "", .by = "ann"}).ok());
}

TEST_F(PolicyBookTest, RefusesWhenAnotherVersionHoldsThanExpected) {
  ASSERT_TRUE(Apply({.text = "", .by = "ann", .expected = 0}).ok());
  auto late = Apply({.text = kDev, .by = "bob", .expected = 0});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(late.status().message()),
              HasSubstr("version 1 of the policy holds, by user 'ann', not "
                        "version 0"));
  EXPECT_TRUE(Apply({.text = kDev, .by = "bob", .expected = 1}).ok());
}

TEST_F(PolicyBookTest, RollsBackToAnyVersionAsANewOne) {
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  ASSERT_TRUE(Apply({.text = "", .by = "ann"}).ok());
  EXPECT_FALSE(DanMayCreate());
  auto back = RollBack(1);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ((*back)->record.version, 3u);
  EXPECT_EQ((*back)->record.restores, 1u);
  EXPECT_TRUE(DanMayCreate());
  EXPECT_EQ(RollBack(17).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PolicyBookTest, RollsBackToTheBuiltInOne) {
  ASSERT_TRUE(Apply({.text = "", .by = "ann"}).ok());
  ASSERT_TRUE(RollBack(0).ok());
  EXPECT_TRUE(book_->Current()->record.built_in);
  Restart();
  EXPECT_TRUE(book_->Current()->record.built_in);
  EXPECT_EQ(book_->Current()->record.version, 2u);
  EXPECT_EQ(book_->Current()->record.text, Policy::BuiltInText());
  // A version that was a rollback to it is one, too.
  ASSERT_TRUE(Apply({.text = "", .by = "ann"}).ok());
  ASSERT_TRUE(RollBack(2).ok());
  EXPECT_TRUE(book_->Current()->record.built_in);
}

TEST_F(PolicyBookTest, APolicyThatCantBeReadAfterAStartDeniesEverything) {
  {
    auto store = SqliteStore::Open(directory_.path() + "/registry.db");
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)
                    ->AddPolicy({.version = 1,
                                 .at = absl::UnixEpoch(),
                                 .by = "ann",
                                 .text = "of_a_newer_program = 1"})
                    .ok());
  }
  Restart();
  EXPECT_THAT(problem_, HasSubstr("can't be read"));
  EXPECT_FALSE(DanMayCreate());
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  EXPECT_TRUE(DanMayCreate());
}

}  // namespace
}  // namespace berth::broker

#include "broker/access/policy_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "base/files.h"
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
    auto store = SqliteStore::Open(Registry());
    ASSERT_TRUE(store.ok()) << store.status();
    auto latest = PolicyBook::ReadLatest(**store, PolicyCopy(Copy()));
    ASSERT_TRUE(latest.ok()) << latest.status();
    problem_ = latest->problem;
    thread_ = std::make_unique<StoreThread>(*std::move(store));
    book_ = std::make_unique<PolicyBook>(*thread_, PolicyCopy(Copy()));
    book_->OnChange([this] { ++changes_; });
    book_->Begin(*latest);
  }

  std::string Registry() const { return directory_.path() + "/registry.db"; }
  std::string Copy() const { return directory_.path() + "/policy.toml"; }
  // As if the disk had eaten it.
  void LoseRegistry() {
    thread_.reset();
    for (const char* file : {"", "-wal", "-shm"}) {
      std::filesystem::remove(Registry() + file);
    }
    Restart();
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
    auto store = SqliteStore::Open(Registry());
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

TEST_F(PolicyBookTest, ALostRegistryBringsNothingBackThatWasTakenAway) {
  // Else everybody might do everything again.
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  ASSERT_TRUE(Apply({.text = "", .by = "bob"}).ok());
  LoseRegistry();
  EXPECT_THAT(problem_, HasSubstr("policy.toml' version 2: that holds"));
  EXPECT_FALSE(DanMayCreate());
  EXPECT_EQ(book_->Current()->record.by, "bob");
  // It is in the new registry, too; and goes on from there.
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  EXPECT_EQ(book_->Current()->record.version, 3u);
  Restart();
  EXPECT_EQ(problem_, "");
  EXPECT_EQ(book_->Current()->record.text, kDev);
  EXPECT_EQ(RollBack(2).status().code(), absl::StatusCode::kOk);
}

TEST_F(PolicyBookTest, AlsoIfItWasTheBuiltInOne) {
  ASSERT_TRUE(Apply({.text = "", .by = "ann"}).ok());
  ASSERT_TRUE(RollBack(0).ok());
  LoseRegistry();
  EXPECT_TRUE(book_->Current()->record.built_in);
  EXPECT_EQ(book_->Current()->record.version, 2u);
}

TEST_F(PolicyBookTest, ALostRegistryWithADamagedCopyDeniesEverything) {
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  for (const char* damaged :
       {"", "x", "# berth-policy 1 2\n", "# berth-policy 0 1 ann given\n",
        "# berth-policy 1 1 ann taken\n"}) {
    ASSERT_TRUE(WriteFileAtomically(Copy(), damaged).ok());
    LoseRegistry();
    EXPECT_THAT(problem_, HasSubstr("nothing is granted")) << damaged;
    EXPECT_FALSE(DanMayCreate()) << damaged;
  }
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  Restart();
  EXPECT_TRUE(DanMayCreate());
}

TEST_F(PolicyBookTest, ADamagedCopyOfWhatTheRegistryHasDoesNoHarm) {
  ASSERT_TRUE(Apply({.text = kDev, .by = "ann"}).ok());
  ASSERT_TRUE(WriteFileAtomically(Copy(), "x").ok());
  Restart();
  EXPECT_TRUE(DanMayCreate());
  EXPECT_EQ(problem_, "");
  // And is mended.
  LoseRegistry();
  EXPECT_TRUE(DanMayCreate());
  EXPECT_EQ(book_->Current()->record.version, 1u);
}

}  // namespace
}  // namespace berth::broker

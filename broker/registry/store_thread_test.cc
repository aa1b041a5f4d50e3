#include "broker/registry/store_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

namespace berth::broker {
namespace {

// A store that counts, and fails on demand.
class FakeStore : public Store {
 public:
  struct State {
    std::atomic<int> commits = 0;
    std::atomic<int> raised = 0;
    std::atomic<bool> full = false;
  };
  explicit FakeStore(State& state) : state_(state) {}

  absl::Status Begin() override { return absl::OkStatus(); }
  absl::Status Commit() override {
    ++state_.commits;
    if (state_.full) return absl::ResourceExhaustedError("disk full");
    state_.raised += in_group_;
    in_group_ = 0;
    return absl::OkStatus();
  }
  void Rollback() override { in_group_ = 0; }
  absl::Status RaiseNextId(absl::string_view, uint32_t) override {
    ++in_group_;
    return absl::OkStatus();
  }
  absl::Status PutComputer(const ComputerRecord&) override { return {}; }
  absl::StatusOr<std::vector<ComputerRecord>> ListComputers() override {
    return std::vector<ComputerRecord>();
  }
  absl::Status PutSession(const v1::Session&) override { return {}; }
  absl::Status DeleteSession(absl::string_view) override { return {}; }
  absl::StatusOr<std::vector<v1::Session>> ListSessions() override {
    return std::vector<v1::Session>();
  }
  absl::StatusOr<std::map<std::string, uint32_t>> ListNextIds() override {
    return std::map<std::string, uint32_t>();
  }
  absl::Status AddToken(const TokenRecord&) override { return {}; }
  absl::StatusOr<TokenRecord> GetToken(absl::string_view) override {
    return absl::NotFoundError("none");
  }
  absl::Status MarkTokenUsed(absl::string_view, absl::string_view,
                             absl::Time) override {
    return {};
  }
  absl::Status DeleteTokensExpiredBefore(absl::Time) override { return {}; }
  absl::StatusOr<std::vector<TokenRecord>> ListTokens() override {
    return std::vector<TokenRecord>();
  }
  absl::Status DeleteToken(absl::string_view) override { return {}; }
  absl::Status PutRecord(absl::string_view, absl::string_view,
                         absl::string_view) override {
    return {};
  }
  absl::Status DeleteRecord(absl::string_view, absl::string_view) override {
    return {};
  }
  absl::StatusOr<std::map<std::string, std::string>> ListRecords(
      absl::string_view) override {
    return std::map<std::string, std::string>();
  }
  absl::Status AddNotice(const NoticeRecord&) override { return {}; }
  absl::StatusOr<std::vector<NoticeRecord>> ListNotices() override {
    return std::vector<NoticeRecord>();
  }
  absl::Status AddPolicy(const PolicyRecord&) override { return {}; }
  absl::StatusOr<PolicyRecord> GetPolicy(uint32_t) override {
    return absl::NotFoundError("none");
  }
  absl::StatusOr<std::vector<PolicyRecord>> ListPolicies() override {
    return std::vector<PolicyRecord>();
  }

 private:
  State& state_;
  int in_group_ = 0;
};

absl::Status Raise(Store& store) { return store.RaiseNextId("alice", 1); }

// Does `work` and waits for it.
absl::Status DoAndWait(StoreThread& thread, StoreThread::Work work) {
  Mutex mu;
  CondVar cv;
  std::optional<absl::Status> result;
  thread.Do(std::move(work), [&](absl::Status status) {
    MutexLock lock(mu);
    result = status;
    cv.NotifyAll();
  });
  MutexLock lock(mu);
  while (!result.has_value()) cv.WaitFor(mu, absl::Seconds(20));
  return *result;
}

TEST(StoreThreadTest, CommitsWhatWaitsAsOneGroup) {
  FakeStore::State state;
  StoreThread thread(std::make_unique<FakeStore>(state));
  Mutex mu;
  mu.Lock();  // Holds the first group up while the rest comes in.
  thread.Do([&](Store&) {
    MutexLock lock(mu);
    return absl::OkStatus();
  });
  for (int i = 0; i < 99; ++i) thread.Do(Raise);
  mu.Unlock();
  EXPECT_TRUE(DoAndWait(thread, Raise).ok());
  EXPECT_EQ(state.raised, 100);
  EXPECT_LE(state.commits, 4);
}

TEST(StoreThreadTest, FailureIsToldAndWhatNobodyWaitsForIsKept) {
  FakeStore::State state;
  StoreThread thread(std::make_unique<FakeStore>(state));
  state.full = true;
  thread.Do(Raise);
  EXPECT_TRUE(absl::IsResourceExhausted(DoAndWait(thread, Raise)));
  // A group later the store works again, and the first one is not lost.
  state.full = false;
  EXPECT_TRUE(DoAndWait(thread, Raise).ok());
  EXPECT_EQ(state.raised, 2);
  EXPECT_TRUE(DoAndWait(thread, Raise).ok());
  EXPECT_TRUE(thread.health().ok());
}

TEST(StoreThreadTest, WorkThatFailsByItselfHarmsNoOther) {
  FakeStore::State state;
  StoreThread thread(std::make_unique<FakeStore>(state));
  EXPECT_TRUE(absl::IsPermissionDenied(DoAndWait(
      thread, [](Store&) { return absl::PermissionDeniedError("used"); })));
  EXPECT_TRUE(DoAndWait(thread, Raise).ok());
}

}  // namespace
}  // namespace berth::broker

#include "broker/registry/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>

#include "absl/strings/match.h"
#include "broker/registry/store_suite.h"
#include "broker/registry/store_thread.h"

namespace berth::broker {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         ::testing::Values(StoreFactory{
                             "Sqlite",
                             [](const std::string& directory)
                                 -> absl::StatusOr<std::unique_ptr<Store>> {
                               return SqliteStore::Open(directory +
                                                        "/registry.db");
                             }}));

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/berth.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern + "/registry.db";
  }

  void Execute(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
  }

  std::string path_;
};

TEST_F(SqliteStoreTest, RefusesASchemaOfTheFuture) {
  ASSERT_TRUE(SqliteStore::Open(path_).ok());
  Execute("PRAGMA user_version = 99");
  auto store = SqliteStore::Open(path_);
  EXPECT_TRUE(absl::IsFailedPrecondition(store.status()));
  EXPECT_TRUE(absl::StrContains(store.status().message(), "schema 99"));
}

TEST_F(SqliteStoreTest, NoStoreIsDataLossOrUnavailable) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_TRUE(absl::IsDataLoss(SqliteStore::Open(path_).status()));
  EXPECT_TRUE(
      absl::IsUnavailable(SqliteStore::Open("/nonexistent/x.db").status()));
}

TEST_F(SqliteStoreTest, FileIsPrivate) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok());
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SqliteStoreTest, ThreadDoesAllThatWasAsked) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok());
  std::atomic<int> done = 0;
  {
    StoreThread thread(*std::move(store));
    for (uint32_t i = 1; i <= 1000; ++i) {
      thread.Do([i](Store& s) { return s.RaiseNextId("alice", i); },
                [&](absl::Status status) { done += status.ok(); });
    }
  }
  EXPECT_EQ(done, 1000);
  EXPECT_EQ((*SqliteStore::Open(path_).value()->ListNextIds())["alice"], 1000u);
}

}  // namespace
}  // namespace berth::broker

#ifndef BERTH_BROKER_REGISTRY_SQLITE_STORE_H_
#define BERTH_BROKER_REGISTRY_SQLITE_STORE_H_

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker/registry/sqlite.h"
#include "broker/registry/store.h"

namespace berth::broker {

// Keeps the registry in one SQLite file (write-ahead log, synchronous NORMAL:
// after a power cut the last moments may be missing, which agents tell again).
// Not thread-safe.
class SqliteStore final : public Store {
 public:
  // The schema that this program writes (PRAGMA user_version).
  static constexpr int kSchemaVersion = 5;

  // Opens `path`, making or migrating it as needed. FailedPrecondition: it was
  // written by a newer program.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(
      const std::string& path);

  // Whether this made the registry, at Open().
  bool begun() const { return begun_; }
  // Whether nobody else can open it while this is there: the disk is full, and
  // has no room for what is shared.
  bool alone() const { return alone_; }

  // Looks through all of the file. DataLoss.
  absl::Status Check();

  absl::Status Begin() override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::Status PutComputer(const ComputerRecord& computer) override;
  absl::StatusOr<std::vector<ComputerRecord>> ListComputers() override;
  absl::Status PutSession(const v1::Session& session) override;
  absl::Status DeleteSession(absl::string_view instance_id) override;
  absl::StatusOr<std::vector<v1::Session>> ListSessions() override;
  absl::Status RaiseNextId(absl::string_view owner, uint32_t id) override;
  absl::StatusOr<std::map<std::string, uint32_t>> ListNextIds() override;
  absl::Status AddToken(const TokenRecord& token) override;
  absl::StatusOr<TokenRecord> GetToken(absl::string_view digest) override;
  absl::Status MarkTokenUsed(absl::string_view digest,
                             absl::string_view computer,
                             absl::Time at) override;
  absl::Status DeleteTokensExpiredBefore(absl::Time time) override;
  absl::StatusOr<std::vector<TokenRecord>> ListTokens() override;
  absl::Status DeleteToken(absl::string_view digest) override;
  absl::Status PutRecord(absl::string_view kind, absl::string_view key,
                         absl::string_view bytes) override;
  absl::Status DeleteRecord(absl::string_view kind,
                            absl::string_view key) override;
  absl::StatusOr<std::map<std::string, std::string>> ListRecords(
      absl::string_view kind) override;
  absl::Status AddNotice(const NoticeRecord& notice) override;
  absl::StatusOr<std::vector<NoticeRecord>> ListNotices() override;
  absl::Status AddPolicy(const PolicyRecord& policy) override;
  absl::StatusOr<PolicyRecord> GetPolicy(uint32_t version) override;
  absl::StatusOr<std::vector<PolicyRecord>> ListPolicies() override;

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  using Database = std::unique_ptr<sqlite3, Close>;

  SqliteStore(Database database, std::string path, bool alone)
      : database_(std::move(database)), path_(std::move(path)), alone_(alone) {}

  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(
      const std::string& path, bool alone);

  absl::Status Migrate();
  absl::Status PutConfigurations(const ComputerRecord& computer);
  absl::Status Execute(const std::string& sql);
  // The statement for `sql`, prepared at its first use. `sql` is a literal.
  absl::StatusOr<Statement*> Get(const char* sql);

  Database database_;
  const std::string path_;
  const bool alone_;
  bool begun_ = false;
  absl::flat_hash_map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_SQLITE_STORE_H_

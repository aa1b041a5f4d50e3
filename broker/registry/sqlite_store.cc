#include "broker/registry/sqlite_store.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

// Each brings the schema from its index to the next version.
constexpr const char* kMigrations[SqliteStore::kSchemaVersion] = {
    // Times are nanoseconds since the epoch. `record` is a berth.v1.Session;
    // the columns beside it are for people and for queries.
    R"sql(
    CREATE TABLE computers (
      name TEXT PRIMARY KEY,
      agent_version TEXT NOT NULL,
      os TEXT NOT NULL,
      enrolled_at INTEGER NOT NULL,
      last_seen INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE labels (
      computer TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (computer, key)
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
      instance_id TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      id INTEGER NOT NULL,
      name TEXT NOT NULL,
      computer TEXT NOT NULL,
      record BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE owners (
      name TEXT PRIMARY KEY,
      next_id INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE tokens (
      digest TEXT PRIMARY KEY,
      name_pattern TEXT NOT NULL,
      created_by TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      used_by TEXT NOT NULL,
      used_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    )sql",
    // `record` is a berth.v1.Configuration.
    R"sql(
    CREATE TABLE configurations (
      computer TEXT NOT NULL,
      name TEXT NOT NULL,
      record BLOB NOT NULL,
      PRIMARY KEY (computer, name)
    ) WITHOUT ROWID;
    )sql",
    R"sql(
    ALTER TABLE computers ADD COLUMN linked INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE notices (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      text TEXT NOT NULL
    );
    )sql",
    // `restores`: -1 for none.
    R"sql(
    CREATE TABLE policies (
      version INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      by TEXT NOT NULL,
      text TEXT NOT NULL,
      built_in INTEGER NOT NULL,
      restores INTEGER NOT NULL
    );
    )sql",
    R"sql(
    ALTER TABLE tokens ADD COLUMN max_uses INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE tokens ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
    UPDATE tokens SET uses = 1 WHERE used_by <> '';
    CREATE TABLE records (
      kind TEXT NOT NULL,
      key TEXT NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
    )sql",
};

int64_t ToNanos(absl::Time time) { return absl::ToUnixNanos(time); }
absl::Time FromNanos(int64_t nanos) { return absl::FromUnixNanos(nanos); }

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(
    const std::string& path) {
  auto store = Open(path, /*alone=*/false);
  if (!absl::IsUnavailable(store.status()) &&
      !absl::IsResourceExhausted(store.status())) {
    return store;
  }
  // On a full disk there is no room for what processes share of it; alone it
  // can still be read. If that was not why, the first error says more.
  auto alone = Open(path, /*alone=*/true);
  return alone.ok() ? std::move(alone) : std::move(store);
}

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(
    const std::string& path, bool alone) {
  const mode_t mask = umask(0077);
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  Database database(raw);
  absl::Status status =
      result == SQLITE_OK ? absl::OkStatus() : SqliteStatus(raw, path);
  std::unique_ptr<SqliteStore> store;
  if (status.ok()) {
    sqlite3_busy_timeout(raw, 2000);
    store.reset(new SqliteStore(std::move(database), path, alone));
    status = store->Migrate();  // Makes the files beside it, too.
  }
  umask(mask);
  if (!status.ok()) return status;
  return store;
}

absl::Status SqliteStore::Check() {
  BERTH_ASSIGN_OR_RETURN(
      Statement check,
      Statement::Prepare(database_.get(), "PRAGMA quick_check(1)"));
  BERTH_ASSIGN_OR_RETURN(const bool row, check.Step());
  const std::string said = row ? check.Text(0) : "nothing can be read";
  if (said == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("registry '", path_, "': ", said));
}

absl::Status SqliteStore::Migrate() {
  if (alone_) BERTH_RETURN_IF_ERROR(Execute("PRAGMA locking_mode = EXCLUSIVE"));
  BERTH_RETURN_IF_ERROR(Execute("PRAGMA journal_mode = WAL"));
  BERTH_RETURN_IF_ERROR(Execute("PRAGMA synchronous = NORMAL"));
  int version;
  {
    BERTH_ASSIGN_OR_RETURN(
        Statement query,
        Statement::Prepare(database_.get(), "PRAGMA user_version"));
    BERTH_RETURN_IF_ERROR(query.Step().status());
    version = static_cast<int>(query.Int(0));
  }
  begun_ = version == 0;
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "registry '", path_, "' has schema ", version, ", and this program ",
        "knows ", kSchemaVersion, " at most: use a newer berth-broker"));
  }
  for (; version < kSchemaVersion; ++version) {
    BERTH_RETURN_IF_ERROR(Begin());
    absl::Status status = Execute(absl::StrCat(
        kMigrations[version], "PRAGMA user_version = ", version + 1));
    if (status.ok()) status = Commit();
    if (!status.ok()) {
      Rollback();
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK) {
    return SqliteStatus(database_.get(), path_);
  }
  return absl::OkStatus();
}

absl::StatusOr<Statement*> SqliteStore::Get(const char* sql) {
  std::unique_ptr<Statement>& statement = statements_[sql];
  if (statement == nullptr) {
    auto prepared = Statement::Prepare(database_.get(), sql);
    if (!prepared.ok()) {
      statements_.erase(sql);
      return prepared.status();
    }
    statement = std::make_unique<Statement>(*std::move(prepared));
  }
  return &statement->Reset();
}

absl::Status SqliteStore::Begin() {
  BERTH_ASSIGN_OR_RETURN(Statement * begin, Get("BEGIN IMMEDIATE"));
  return begin->Run();
}

absl::Status SqliteStore::Commit() {
  BERTH_ASSIGN_OR_RETURN(Statement * commit, Get("COMMIT"));
  return commit->Run();
}

void SqliteStore::Rollback() {
  // A failed COMMIT may have rolled back by itself.
  if (sqlite3_get_autocommit(database_.get()) == 0) {
    Execute("ROLLBACK").IgnoreError();
  }
}

absl::Status SqliteStore::PutComputer(const ComputerRecord& computer) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * put,
      Get("INSERT OR REPLACE INTO computers VALUES (?, ?, ?, ?, ?, ?)"));
  BERTH_RETURN_IF_ERROR(put->BindText(computer.name)
                            .BindText(computer.agent_version)
                            .BindText(computer.os)
                            .BindInt(ToNanos(computer.enrolled_at))
                            .BindInt(ToNanos(computer.last_seen))
                            .BindInt(computer.linked ? 1 : 0)
                            .Run());
  BERTH_ASSIGN_OR_RETURN(Statement * clear,
                         Get("DELETE FROM labels WHERE computer = ?"));
  BERTH_RETURN_IF_ERROR(clear->BindText(computer.name).Run());
  for (const auto& [key, value] : computer.labels) {
    BERTH_ASSIGN_OR_RETURN(Statement * label,
                           Get("INSERT INTO labels VALUES (?, ?, ?)"));
    BERTH_RETURN_IF_ERROR(
        label->BindText(computer.name).BindText(key).BindText(value).Run());
  }
  return PutConfigurations(computer);
}

absl::Status SqliteStore::PutConfigurations(const ComputerRecord& computer) {
  BERTH_ASSIGN_OR_RETURN(Statement * clear,
                         Get("DELETE FROM configurations WHERE computer = ?"));
  BERTH_RETURN_IF_ERROR(clear->BindText(computer.name).Run());
  for (const auto& [name, record] : computer.configurations) {
    BERTH_ASSIGN_OR_RETURN(Statement * put,
                           Get("INSERT INTO configurations VALUES (?, ?, ?)"));
    BERTH_RETURN_IF_ERROR(
        put->BindText(computer.name).BindText(name).BindBlob(record).Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ComputerRecord>> SqliteStore::ListComputers() {
  std::map<std::string, ComputerRecord> computers;
  BERTH_ASSIGN_OR_RETURN(Statement * list,
                         Get("SELECT name, agent_version, os, enrolled_at, "
                             "last_seen, linked FROM computers"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) break;
    computers[list->Text(0)] = {.name = list->Text(0),
                                .labels = {},
                                .agent_version = list->Text(1),
                                .os = list->Text(2),
                                .enrolled_at = FromNanos(list->Int(3)),
                                .last_seen = FromNanos(list->Int(4)),
                                .linked = list->Int(5) != 0,
                                .configurations = {}};
  }
  BERTH_ASSIGN_OR_RETURN(Statement * labels,
                         Get("SELECT computer, key, value FROM labels"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, labels->Step());
    if (!row) break;
    auto computer = computers.find(labels->Text(0));
    if (computer == computers.end()) continue;
    computer->second.labels[labels->Text(1)] = labels->Text(2);
  }
  BERTH_ASSIGN_OR_RETURN(
      Statement * configurations,
      Get("SELECT computer, name, record FROM configurations"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, configurations->Step());
    if (!row) break;
    auto computer = computers.find(configurations->Text(0));
    if (computer == computers.end()) continue;
    computer->second.configurations[configurations->Text(1)] =
        configurations->Text(2);
  }
  std::vector<ComputerRecord> result;
  for (auto& [name, computer] : computers) {
    result.push_back(std::move(computer));
  }
  return result;
}

absl::Status SqliteStore::PutSession(const v1::Session& session) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * put,
      Get("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)"));
  return put->BindText(session.instance_id())
      .BindText(session.owner())
      .BindInt(session.id())
      .BindText(session.name())
      .BindText(session.computer())
      .BindBlob(session.SerializeAsString())
      .Run();
}

absl::Status SqliteStore::DeleteSession(absl::string_view instance_id) {
  BERTH_ASSIGN_OR_RETURN(Statement * erase,
                         Get("DELETE FROM sessions WHERE instance_id = ?"));
  return erase->BindText(instance_id).Run();
}

absl::StatusOr<std::vector<v1::Session>> SqliteStore::ListSessions() {
  std::vector<v1::Session> sessions;
  BERTH_ASSIGN_OR_RETURN(Statement * list,
                         Get("SELECT instance_id, record FROM sessions"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return sessions;
    if (!sessions.emplace_back().ParseFromString(list->Text(1))) {
      return absl::DataLossError(absl::StrCat(
          "registry '", path_, "': session ", list->Text(0),
          " can't be read; move the file away, and agents will tell what "
          "lives"));
    }
  }
}

absl::Status SqliteStore::RaiseNextId(absl::string_view owner, uint32_t id) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * raise,
      Get("INSERT INTO owners VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
          "next_id = max(next_id, excluded.next_id)"));
  return raise->BindText(owner).BindInt(id).Run();
}

absl::StatusOr<std::map<std::string, uint32_t>> SqliteStore::ListNextIds() {
  std::map<std::string, uint32_t> ids;
  BERTH_ASSIGN_OR_RETURN(Statement * list,
                         Get("SELECT name, next_id FROM owners"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return ids;
    ids[list->Text(0)] = static_cast<uint32_t>(list->Int(1));
  }
}

absl::Status SqliteStore::AddNotice(const NoticeRecord& notice) {
  BERTH_ASSIGN_OR_RETURN(Statement * add,
                         Get("INSERT INTO notices (at, text) VALUES (?, ?)"));
  BERTH_RETURN_IF_ERROR(
      add->BindInt(ToNanos(notice.at)).BindText(notice.text).Run());
  BERTH_ASSIGN_OR_RETURN(
      Statement * trim,
      Get("DELETE FROM notices WHERE id <= (SELECT max(id) FROM notices) - ?"));
  return trim->BindInt(kMaxNotices).Run();
}

absl::StatusOr<std::vector<NoticeRecord>> SqliteStore::ListNotices() {
  std::vector<NoticeRecord> notices;
  BERTH_ASSIGN_OR_RETURN(Statement * list,
                         Get("SELECT at, text FROM notices ORDER BY id"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return notices;
    notices.push_back({FromNanos(list->Int(0)), list->Text(1)});
  }
}

}  // namespace berth::broker

#include "broker/registry/sqlite.h"

#include "absl/strings/str_cat.h"

namespace berth::broker {

absl::Status SqliteStatus(sqlite3* database, absl::string_view path) {
  const std::string text =
      absl::StrCat("registry '", path, "': ", sqlite3_errmsg(database));
  switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat(text, "; free some space there"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // All statements are ours: a table is not there.
      return absl::DataLossError(absl::StrCat(
          text, "; move it away, and agents will tell what lives"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          absl::StrCat(text, "; does another broker use it?"));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_IOERR:
      return absl::UnavailableError(text);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::StatusOr<Statement> Statement::Prepare(sqlite3* database,
                                             absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return SqliteStatus(database, sqlite3_db_filename(database, "main"));
  }
  return Statement(statement);
}

Statement& Statement::Reset() {
  sqlite3_reset(statement_.get());
  next_ = 1;
  return *this;
}

Statement& Statement::BindText(absl::string_view text) {
  sqlite3_bind_text(statement_.get(), next_++, text.data(),
                    static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::BindBlob(absl::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), next_++, bytes.data(),
                    static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::BindInt(int64_t value) {
  sqlite3_bind_int64(statement_.get(), next_++, value);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      sqlite3_reset(statement_.get());
      return false;
    default: {
      sqlite3* database = sqlite3_db_handle(statement_.get());
      absl::Status status =
          SqliteStatus(database, sqlite3_db_filename(database, "main"));
      sqlite3_reset(statement_.get());
      return status;
    }
  }
}

absl::Status Statement::Run() {
  while (true) {
    absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

std::string Statement::Text(int column) const {
  // The pointer must be asked for before the size.
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? ""
                          : std::string(static_cast<const char*>(bytes), size);
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

}  // namespace berth::broker

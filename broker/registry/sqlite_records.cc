// SqliteStore's join tokens, and the records of others.

#include "absl/strings/escaping.h"
#include "base/status_macros.h"
#include "broker/registry/sqlite_store.h"

namespace berth::broker {
namespace {

// Digests are binary; the table keeps them readable.
std::string DigestKey(absl::string_view digest) {
  return absl::BytesToHexString(digest);
}

// The columns from `name_pattern` to `uses`.
TokenRecord ReadToken(const Statement& row) {
  return {.digest = "",
          .name_pattern = row.Text(0),
          .created_by = row.Text(1),
          .expires_at = absl::FromUnixNanos(row.Int(2)),
          .used_by = row.Text(3),
          .used_at = absl::FromUnixNanos(row.Int(4)),
          .max_uses = static_cast<uint32_t>(row.Int(5)),
          .uses = static_cast<uint32_t>(row.Int(6))};
}

}  // namespace

absl::Status SqliteStore::AddToken(const TokenRecord& token) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * add,
      Get("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  return add->BindText(DigestKey(token.digest))
      .BindText(token.name_pattern)
      .BindText(token.created_by)
      .BindInt(absl::ToUnixNanos(token.expires_at))
      .BindText(token.used_by)
      .BindInt(absl::ToUnixNanos(token.used_at))
      .BindInt(token.max_uses)
      .BindInt(token.uses)
      .Run();
}

absl::StatusOr<TokenRecord> SqliteStore::GetToken(absl::string_view digest) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * get,
      Get("SELECT name_pattern, created_by, expires_at, used_by, used_at, "
          "max_uses, uses FROM tokens WHERE digest = ?"));
  BERTH_ASSIGN_OR_RETURN(const bool row,
                         get->BindText(DigestKey(digest)).Step());
  if (!row) return absl::NotFoundError("no such token");
  TokenRecord token = ReadToken(*get);
  token.digest = std::string(digest);
  get->Reset();
  return token;
}

absl::Status SqliteStore::MarkTokenUsed(absl::string_view digest,
                                        absl::string_view computer,
                                        absl::Time at) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * mark,
      Get("UPDATE tokens SET used_by = ?, used_at = ?, uses = uses + 1 "
          "WHERE digest = ?"));
  BERTH_RETURN_IF_ERROR(mark->BindText(computer)
                            .BindInt(absl::ToUnixNanos(at))
                            .BindText(DigestKey(digest))
                            .Run());
  if (sqlite3_changes(database_.get()) == 0) {
    return absl::NotFoundError("no such token");
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::DeleteTokensExpiredBefore(absl::Time time) {
  BERTH_ASSIGN_OR_RETURN(Statement * erase,
                         Get("DELETE FROM tokens WHERE expires_at < ?"));
  return erase->BindInt(absl::ToUnixNanos(time)).Run();
}

absl::StatusOr<std::vector<TokenRecord>> SqliteStore::ListTokens() {
  std::vector<TokenRecord> tokens;
  BERTH_ASSIGN_OR_RETURN(
      Statement * list,
      Get("SELECT name_pattern, created_by, expires_at, used_by, used_at, "
          "max_uses, uses, digest FROM tokens ORDER BY expires_at"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return tokens;
    tokens.push_back(ReadToken(*list));
    tokens.back().digest = absl::HexStringToBytes(list->Text(7));
  }
}

absl::Status SqliteStore::DeleteToken(absl::string_view digest) {
  BERTH_ASSIGN_OR_RETURN(Statement * erase,
                         Get("DELETE FROM tokens WHERE digest = ?"));
  return erase->BindText(DigestKey(digest)).Run();
}

absl::Status SqliteStore::PutRecord(absl::string_view kind,
                                    absl::string_view key,
                                    absl::string_view bytes) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * put, Get("INSERT OR REPLACE INTO records VALUES (?, ?, ?)"));
  return put->BindText(kind).BindText(key).BindBlob(bytes).Run();
}

absl::Status SqliteStore::DeleteRecord(absl::string_view kind,
                                       absl::string_view key) {
  BERTH_ASSIGN_OR_RETURN(Statement * erase,
                         Get("DELETE FROM records WHERE kind = ? AND key = ?"));
  return erase->BindText(kind).BindText(key).Run();
}

absl::StatusOr<std::map<std::string, std::string>> SqliteStore::ListRecords(
    absl::string_view kind) {
  std::map<std::string, std::string> records;
  BERTH_ASSIGN_OR_RETURN(Statement * list,
                         Get("SELECT key, bytes FROM records WHERE kind = ?"));
  list->BindText(kind);
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return records;
    records[list->Text(0)] = list->Text(1);
  }
}

}  // namespace berth::broker

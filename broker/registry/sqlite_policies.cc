#include "base/status_macros.h"
#include "broker/registry/sqlite_store.h"

namespace berth::broker {
namespace {

// Of a row: version, at, by, built_in, restores.
PolicyRecord RecordIn(const Statement& row) {
  PolicyRecord record{.version = static_cast<uint32_t>(row.Int(0)),
                      .at = absl::FromUnixNanos(row.Int(1)),
                      .by = row.Text(2),
                      .built_in = row.Int(3) != 0};
  if (row.Int(4) >= 0) record.restores = static_cast<uint32_t>(row.Int(4));
  return record;
}

}  // namespace

absl::Status SqliteStore::AddPolicy(const PolicyRecord& policy) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * add,
      Get("INSERT INTO policies (version, at, by, text, built_in, restores) "
          "VALUES (?, ?, ?, ?, ?, ?)"));
  BERTH_RETURN_IF_ERROR(
      add->BindInt(policy.version)
          .BindInt(absl::ToUnixNanos(policy.at))
          .BindText(policy.by)
          .BindText(policy.text)
          .BindInt(policy.built_in ? 1 : 0)
          .BindInt(policy.restores.has_value() ? int64_t{*policy.restores} : -1)
          .Run());
  BERTH_ASSIGN_OR_RETURN(Statement * trim,
                         Get("DELETE FROM policies WHERE version <= "
                             "(SELECT max(version) FROM policies) - ?"));
  return trim->BindInt(kMaxPolicies).Run();
}

absl::StatusOr<PolicyRecord> SqliteStore::GetPolicy(uint32_t version) {
  BERTH_ASSIGN_OR_RETURN(
      Statement * get,
      Get("SELECT version, at, by, built_in, restores, text FROM policies "
          "WHERE version = ?"));
  BERTH_ASSIGN_OR_RETURN(const bool row, get->BindInt(version).Step());
  if (!row) return absl::NotFoundError("no such version of the policy");
  PolicyRecord record = RecordIn(*get);
  record.text = get->Text(5);
  get->Reset();
  return record;
}

absl::StatusOr<std::vector<PolicyRecord>> SqliteStore::ListPolicies() {
  std::vector<PolicyRecord> policies;
  BERTH_ASSIGN_OR_RETURN(
      Statement * list,
      Get("SELECT version, at, by, built_in, restores FROM policies "
          "ORDER BY version"));
  while (true) {
    BERTH_ASSIGN_OR_RETURN(const bool row, list->Step());
    if (!row) return policies;
    policies.push_back(RecordIn(*list));
  }
}

}  // namespace berth::broker

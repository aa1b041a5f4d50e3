#include "broker/registry/open_registry.h"

#include <stdio.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "broker/registry/sqlite_store.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kLost =
    "computers and their sessions are known as soon as their agents have "
    "connected; not known any more are the labels of computers (join them "
    "again), join tokens (make new ones), users and their keys, which "
    "certificates were revoked (revoke them again), and which session ids were "
    "used";

// `path` and what SQLite keeps beside it.
absl::Status MoveAway(const std::string& path, const std::string& to) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string from = absl::StrCat(path, suffix);
    if (rename(from.c_str(), absl::StrCat(to, suffix).c_str()) != 0 &&
        errno != ENOENT) {
      return ErrnoToStatus(errno, from);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OpenedRegistry> OpenRegistry(const std::string& path,
                                            absl::Time now) {
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path);
  absl::Status status = store.status();
  if (status.ok()) status = (*store)->Check();
  if (absl::IsDataLoss(status)) {
    if (store.ok()) store->reset();
    return ReplaceRegistry(path, status, now);
  }
  BERTH_RETURN_IF_ERROR(status);
  OpenedRegistry opened;
  opened.is_new = (*store)->begun();
  if (opened.is_new) {
    opened.notice =
        absl::StrCat("there was no registry at '", path, "': ", kLost);
  } else if ((*store)->alone()) {
    opened.notice = absl::StrCat(
        "the disk of registry '", path,
        "' is full: what is known is served, nothing new is kept, and the "
        "broker can't be copied before it was started again with some space");
  }
  opened.store = *std::move(store);
  return opened;
}

absl::StatusOr<OpenedRegistry> ReplaceRegistry(const std::string& path,
                                               const absl::Status& why,
                                               absl::Time now) {
  const std::string away = absl::StrCat(
      path, ".damaged-",
      absl::FormatTime("%Y%m%dT%H%M%E3SZ", now, absl::UTCTimeZone()));
  BERTH_RETURN_IF_ERROR(MoveAway(path, away));
  OpenedRegistry opened;
  opened.is_new = true;
  BERTH_ASSIGN_OR_RETURN(opened.store, SqliteStore::Open(path));
  opened.notice = absl::StrCat("the registry was damaged (", why.message(),
                               ") and is now ", away, ": ", kLost);
  return opened;
}

}  // namespace berth::broker

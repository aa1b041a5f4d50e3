#include "broker/backup.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "broker/audit_setup.h"
#include "broker/config.h"
#include "broker/init.h"
#include "broker/registry/sqlite.h"

namespace berth::broker {
namespace {

// How long the copy waits for the broker to finish a write.
constexpr int kBusyMs = 10'000;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, Close>;

absl::StatusOr<Database> Open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database(raw);
  if (result != SQLITE_OK) return SqliteStatus(raw, path);
  sqlite3_busy_timeout(raw, kBusyMs);
  return database;
}

// All of it in one step, so that what is copied is one moment's registry.
absl::Status CopyRegistry(const std::string& from, const std::string& to) {
  BERTH_ASSIGN_OR_RETURN(const Database source,
                         Open(from, SQLITE_OPEN_READWRITE));
  BERTH_ASSIGN_OR_RETURN(const Database target,
                         Open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  sqlite3_backup* backup =
      sqlite3_backup_init(target.get(), "main", source.get(), "main");
  if (backup == nullptr) return SqliteStatus(target.get(), to);
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) {
    return SqliteStatus(target.get(), to);
  }
  // Whoever used one after this moment could use it again in the copy.
  if (sqlite3_exec(target.get(), "DELETE FROM tokens WHERE uses < max_uses",
                   nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SqliteStatus(target.get(), to);
  }
  return absl::OkStatus();
}

absl::Status CopyFile(const std::string& from, const std::string& to) {
  BERTH_ASSIGN_OR_RETURN(const std::string content, ReadFile(from));
  return WriteFileAtomically(to, content);
}

absl::Status CopyAll(const std::string& directory, const std::string& target) {
  const std::string config_path = absl::StrCat(directory, "/", kConfigFile);
  absl::StatusOr<std::string> text = ReadFile(config_path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(absl::StrCat(
        "no broker in '", directory, "': ", config_path, " does not exist"));
  }
  BERTH_RETURN_IF_ERROR(text.status());
  BERTH_ASSIGN_OR_RETURN(const Config config, ParseConfig(*text, config_path));
  for (const char* name :
       {kConfigFile, kCaFile, kCaKeyFile, kBrokerFile, kBrokerKeyFile}) {
    BERTH_RETURN_IF_ERROR(CopyFile(absl::StrCat(directory, "/", name),
                                   absl::StrCat(target, "/", name)));
  }
  // A broker of the version before has none until it serves with this one; nor
  // one that was never given a policy.
  for (const char* name : {kAuditKeyFile, kAuditPublicFile, kPolicyFile}) {
    const absl::Status copied = CopyFile(absl::StrCat(directory, "/", name),
                                         absl::StrCat(target, "/", name));
    if (!copied.ok() && !absl::IsNotFound(copied)) return copied;
  }
  if (const std::string old = absl::StrCat(directory, "/", kOldCaKeyFile);
      std::filesystem::exists(old)) {
    BERTH_RETURN_IF_ERROR(
        CopyFile(old, absl::StrCat(target, "/", kOldCaKeyFile)));
  }
  const std::filesystem::path registry(config.registry);
  if (registry.is_absolute()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the registry ", config.registry,
        " lies outside the broker's directory, where a copy would use it too; "
        "make `registry` in ",
        config_path, " a name without '/'"));
  }
  return CopyRegistry(absl::StrCat(directory, "/", config.registry),
                      absl::StrCat(target, "/", config.registry));
}

}  // namespace

absl::Status BackUpBroker(const std::string& directory,
                          const std::string& target) {
  struct stat info = {};
  if (lstat(target.c_str(), &info) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(target, " exists; name one that does not"));
  }
  const std::string part = absl::StrCat(target, ".part-", getpid());
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(part));
  absl::Status status = CopyAll(directory, part);
  if (status.ok() && rename(part.c_str(), target.c_str()) != 0) {
    status = ErrnoToStatus(errno, target);
  }
  if (!status.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(part, ignored);
  }
  return status;
}

}  // namespace berth::broker

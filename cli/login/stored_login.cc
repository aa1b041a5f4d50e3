#include "cli/login/stored_login.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "cli/config/paths.h"

namespace berth::cli {
namespace {

constexpr char kCa[] = "/ca.pem";
constexpr char kCertificate[] = "/certificate.pem";
constexpr char kKey[] = "/key.pem";

absl::StatusOr<std::string> LoginsDirectory(const Environment& environment) {
  BERTH_ASSIGN_OR_RETURN(const std::string config,
                         ConfigDirectory(environment));
  return absl::StrCat(config, "/logins");
}

// Where a login's files are; empty: no login has made this context.
std::string DirectoryOf(const std::string& logins, const Context& context) {
  if (!absl::StartsWith(context.key, logins + "/")) return "";
  const size_t begin = logins.size() + 1;
  const size_t slash = context.key.find('/', begin);
  const std::string own = context.key.substr(begin, slash - begin);
  return own.empty() || own == "." || own == ".." ||
                 context.key.substr(std::min(slash, context.key.size())) != kKey
             ? ""
             : absl::StrCat(logins, "/", own);
}

void Delete(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
}

absl::StatusOr<std::string> MakeDirectory(const std::string& logins,
                                          const std::string& name) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(logins));
  std::string path = absl::StrCat(logins, "/", name, ".XXXXXX");
  if (mkdtemp(path.data()) == nullptr) return ErrnoToStatus(errno, path);
  return path;
}

absl::Status WriteFiles(const std::string& directory, const NewLogin& login) {
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(directory + kKey, login.key_pem));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(directory + kCa, login.ca_pem, 0644));
  return WriteFileAtomically(directory + kCertificate, login.certificate_pem,
                             0644);
}

}  // namespace

absl::Status CheckLoginName(const Environment& environment,
                            const std::string& name) {
  BERTH_RETURN_IF_ERROR(CheckName("context", name));
  BERTH_ASSIGN_OR_RETURN(const std::string logins,
                         LoginsDirectory(environment));
  BERTH_ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(environment));
  const auto known = contexts.contexts.find(name);
  if (known == contexts.contexts.end() ||
      !DirectoryOf(logins, known->second).empty()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("there is a context '", name,
                   "' that was not made by 'berth login': choose another name "
                   "with --context, or remove it with 'berth context rm ",
                   name, "'"));
}

absl::Status StoreLogin(const Environment& environment, const std::string& name,
                        const NewLogin& login) {
  BERTH_RETURN_IF_ERROR(CheckLoginName(environment, name));
  BERTH_ASSIGN_OR_RETURN(const std::string logins,
                         LoginsDirectory(environment));
  BERTH_ASSIGN_OR_RETURN(Contexts contexts, LoadContexts(environment));
  const std::string old = DirectoryOf(logins, contexts.contexts[name]);
  BERTH_ASSIGN_OR_RETURN(const std::string directory,
                         MakeDirectory(logins, name));
  contexts.contexts[name] = {.broker = login.broker,
                             .ca = directory + kCa,
                             .certificate = directory + kCertificate,
                             .key = directory + kKey};
  contexts.current = name;
  absl::Status stored = WriteFiles(directory, login);
  if (stored.ok()) stored = SaveContexts(environment, contexts);
  Delete(stored.ok() ? old : directory);
  return stored;
}

absl::StatusOr<StoredLogin> FindLogin(const Environment& environment,
                                      std::string name) {
  BERTH_ASSIGN_OR_RETURN(const std::string logins,
                         LoginsDirectory(environment));
  BERTH_ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(environment));
  if (name.empty()) name = std::string(environment.Get("BERTH_CONTEXT"));
  if (name.empty()) name = contexts.current;
  if (name.empty()) return absl::NotFoundError("you are not logged in");
  const auto known = contexts.contexts.find(name);
  if (known == contexts.contexts.end()) {
    return absl::NotFoundError(absl::StrCat(
        "context '", name, "': not found; see 'berth context ls'"));
  }
  if (DirectoryOf(logins, known->second).empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "context '", name,
        "' was not made by 'berth login'; 'berth context rm ", name,
        "' removes it, and an administrator revokes its certificate"));
  }
  return StoredLogin{name, known->second};
}

absl::Status ForgetLogin(const Environment& environment,
                         const StoredLogin& login) {
  BERTH_ASSIGN_OR_RETURN(const std::string logins,
                         LoginsDirectory(environment));
  Delete(DirectoryOf(logins, login.context));
  BERTH_ASSIGN_OR_RETURN(Contexts contexts, LoadContexts(environment));
  contexts.contexts.erase(login.name);
  if (contexts.current == login.name) contexts.current.clear();
  return SaveContexts(environment, contexts);
}

}  // namespace berth::cli

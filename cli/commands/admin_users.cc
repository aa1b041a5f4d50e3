#include "cli/commands/admin_users.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

constexpr size_t kMaxKeyFile = 64 << 10;

std::string When(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time),
                          absl::LocalTimeZone());
}

// The key never leaves this machine: the broker sees the request alone.
absl::StatusOr<std::string> MakeCertificate(
    Invocation& invocation, Connection& connection, const std::string& user,
    const std::string& directory, std::optional<absl::Duration> lifetime) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  v1::IssueUserCertificateRequest request;
  request.set_user(user);
  BERTH_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), NewCsrPem(key));
  if (lifetime) *request.mutable_lifetime() = ToProto(*lifetime);
  v1::IssueUserCertificateResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.admin(),
           &v1::Admin::Stub::IssueUserCertificate, request, response));
  const std::string stem = absl::StrCat(directory, "/", user);
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(stem + ".key", key));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(stem + ".pem", response.certificate_pem(), 0644));
  return absl::StrCat(stem, ".pem\n", stem, ".key\n");
}

}  // namespace

AdminUsers::AdminUsers(CLI::App& admin)
    : user_(admin.add_subcommand("user", "Users, and their SSH keys")),
      add_(user_->add_subcommand(
          "add", "Makes a user, and with --out a certificate for them")),
      ls_(user_->add_subcommand("ls", "Lists users")),
      lock_(user_->add_subcommand(
          "lock", "Locks a user out, at once; their sessions live on")),
      unlock_(user_->add_subcommand("unlock", "Lets a user in again")),
      rm_(user_->add_subcommand(
          "rm", "Forgets a user and revokes their certificates")),
      key_(user_->add_subcommand("key", "A user's SSH public keys")),
      key_add_(key_->add_subcommand("add", "Adds one")),
      key_ls_(key_->add_subcommand("ls", "Lists them")),
      key_rm_(key_->add_subcommand("rm", "Removes one")) {
  user_->require_subcommand(1);
  key_->require_subcommand(1);
  for (CLI::App* command : {add_, lock_, unlock_, rm_, key_add_, key_rm_}) {
    command->add_option("name", name_, "the user")->required();
  }
  key_ls_->add_option("name", name_, "the user; else those of all");
  CLI::Option* out = add_->add_option("--out", directory_,
                                      "directory for NAME.pem and NAME.key");
  Parser::AddTime(*add_, "--ttl", lifetime_,
                  "how long the certificate is valid (12h; at most 366d)");
  add_->get_option("--ttl")->needs(out);
  lock_->add_option("--reason", reason_, "shown to the user");
  CLI::Option* file =
      key_add_->add_option("-f,--file", key_file_, "an id_*.pub file");
  key_add_->add_option("key", key_text_, "or what is in one, as one word")
      ->excludes(file);
  key_rm_->add_option("fingerprint", fingerprint_, "\"SHA256:...\"")
      ->required();
  Parser::AddFormat(*ls_, format_);
  Parser::AddFormat(*key_ls_, format_);
}

int AdminUsers::Run(Invocation& invocation, Connection& connection) {
  if (add_->parsed()) return Add(invocation, connection);
  if (ls_->parsed()) return List(invocation, connection);
  if (lock_->parsed()) return SetLocked(invocation, connection, true);
  if (unlock_->parsed()) return SetLocked(invocation, connection, false);
  if (rm_->parsed()) return Remove(invocation, connection);
  if (key_add_->parsed()) return AddKey(invocation, connection);
  if (key_rm_->parsed()) return RemoveKey(invocation, connection);
  return ListKeys(invocation, connection);
}

int AdminUsers::Add(Invocation& invocation, Connection& connection) {
  if (!directory_.empty()) {
    const absl::StatusOr<std::string> files =
        MakeCertificate(invocation, connection, name_,
                        invocation.AbsolutePath(directory_), lifetime_);
    return files.ok() ? invocation.Print(*files)
                      : invocation.Fail(files.status());
  }
  v1::AddUserRequest request;
  request.set_name(name_);
  v1::AddUserResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::AddUser, request, response);
  return status.ok() ? 0 : invocation.Fail(status);
}

absl::StatusOr<v1::ListUsersResponse> AdminUsers::Users(
    Invocation& invocation, Connection& connection) {
  v1::ListUsersResponse response;
  BERTH_RETURN_IF_ERROR(Call(connection, invocation.signals(),
                             connection.users(), &v1::Users::Stub::ListUsers,
                             v1::ListUsersRequest(), response));
  return response;
}

int AdminUsers::List(Invocation& invocation, Connection& connection) {
  const auto response = Users(invocation, connection);
  if (!response.ok()) return invocation.Fail(response.status());
  if (format_ == Format::kJson || format_ == Format::kJsonl) {
    return invocation.Print(ToJson(response->users(), format_));
  }
  Table table({{"User", 16},
               {"State", 7},
               {"Keys", 4, true},
               {"Since", 16},
               {"Made by"},
               {"Locked"}});
  std::string names;
  for (const v1::User& user : response->users()) {
    absl::StrAppend(&names, EscapeForTerminal(user.name()), "\n");
    table.AddRow(
        {user.name(), user.locked() ? "locked" : "ok",
         absl::StrCat(user.keys_size()), When(user.created_at()),
         user.created_by().empty() ? "(certificate)" : user.created_by(),
         user.locked() ? absl::StrCat(When(user.locked_at()), " by ",
                                      user.locked_by(), " ", user.lock_reason())
                       : ""});
  }
  return invocation.Print(format_ == Format::kName ? names : table.Render());
}

int AdminUsers::SetLocked(Invocation& invocation, Connection& connection,
                          bool locked) {
  v1::SetUserLockedRequest request;
  request.set_name(name_);
  request.set_locked(locked);
  request.set_reason(reason_);
  v1::SetUserLockedResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::SetUserLocked, request, response);
  return status.ok() ? 0 : invocation.Fail(status);
}

int AdminUsers::Remove(Invocation& invocation, Connection& connection) {
  v1::RemoveUserRequest request;
  request.set_name(name_);
  v1::RemoveUserResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::RemoveUser, request, response);
  return status.ok() ? 0 : invocation.Fail(status);
}

int AdminUsers::AddKey(Invocation& invocation, Connection& connection) {
  v1::AddUserKeyRequest request;
  request.set_user(name_);
  request.set_key(key_text_);
  if (!key_file_.empty()) {
    absl::StatusOr<std::string> text =
        ReadFile(invocation.AbsolutePath(key_file_), kMaxKeyFile);
    if (!text.ok()) return invocation.Fail(text.status());
    request.set_key(*std::move(text));
  }
  v1::AddUserKeyResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::AddUserKey, request, response);
  if (!status.ok()) return invocation.Fail(status);
  return invocation.Print(
      absl::StrCat(EscapeForTerminal(response.key().fingerprint()), "\n"));
}

int AdminUsers::ListKeys(Invocation& invocation, Connection& connection) {
  const auto response = Users(invocation, connection);
  if (!response.ok()) return invocation.Fail(response.status());
  Table table({{"User", 16},
               {"Fingerprint", 50},
               {"Type", 11},
               {"Added", 16},
               {"Comment"}});
  v1::User found;  // Of all that are asked for.
  std::string names;
  for (const v1::User& user : response->users()) {
    if (!name_.empty() && user.name() != name_) continue;
    found.set_name(user.name());
    for (const v1::SshKey& key : user.keys()) {
      *found.add_keys() = key;
      absl::StrAppend(&names, EscapeForTerminal(key.fingerprint()), "\n");
      table.AddRow({user.name(), key.fingerprint(), key.type(),
                    When(key.added_at()), key.comment()});
    }
  }
  if (!name_.empty() && found.name().empty()) {
    return invocation.Fail(absl::NotFoundError(absl::StrCat(
        "user '", name_, "': not found; see 'berth admin user ls'")));
  }
  if (format_ == Format::kJson || format_ == Format::kJsonl) {
    return invocation.Print(ToJson(found.keys(), format_));
  }
  return invocation.Print(format_ == Format::kName ? names : table.Render());
}

int AdminUsers::RemoveKey(Invocation& invocation, Connection& connection) {
  v1::RemoveUserKeyRequest request;
  request.set_user(name_);
  request.set_fingerprint(fingerprint_);
  v1::RemoveUserKeyResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::RemoveUserKey, request, response);
  return status.ok() ? 0 : invocation.Fail(status);
}

}  // namespace berth::cli

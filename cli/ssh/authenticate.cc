#include "cli/ssh/authenticate.h"

#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/ssh/ssh_error.h"

namespace berth::cli {
namespace {

// Tries one key after another, and notes what became of each.
class Attempts {
 public:
  explicit Attempts(ssh_session session) : session_(session) {}

  // True: logged in.
  bool Try(const std::string& file, bool named) {
    if (!named && access(file.c_str(), F_OK) != 0) return false;
    ssh_key key = nullptr;
    // An empty passphrase: libssh then asks nobody.
    const int rc =
        ssh_pki_import_privkey_file(file.c_str(), "", nullptr, nullptr, &key);
    if (rc != SSH_OK) {
      tried_.push_back(absl::StrCat(
          file, rc == SSH_EOF ? " (can't be read)"
                              : " (no key that can be used without asking for "
                                "a passphrase: add it to ssh-agent)"));
      return false;
    }
    const std::unique_ptr<std::remove_pointer_t<ssh_key>, void (*)(ssh_key)>
        owner(key, ssh_key_free);
    return Note(ssh_userauth_publickey(session_, nullptr, key), file);
  }

  bool TryAgent() {
    if (getenv("SSH_AUTH_SOCK") == nullptr) {
      tried_.push_back("no ssh-agent (SSH_AUTH_SOCK is not set)");
      return false;
    }
    return Note(ssh_userauth_agent(session_, nullptr), "the keys of ssh-agent");
  }

  // The server hung up, or has had enough.
  bool lost() const { return lost_; }
  std::string Summary() const { return absl::StrJoin(tried_, ", "); }

 private:
  bool Note(int result, const std::string& what) {
    if (result == SSH_AUTH_SUCCESS) return true;
    if (result == SSH_AUTH_ERROR && !ssh_is_connected(session_)) lost_ = true;
    tried_.push_back(result == SSH_AUTH_PARTIAL
                         ? absl::StrCat(what, " (it wants more than a key)")
                         : what);
    return false;
  }

  const ssh_session session_;
  std::vector<std::string> tried_;
  bool lost_ = false;
};

bool TryAll(Attempts& attempts, const SshKeys& keys) {
  for (const std::string& file : keys.named) {
    if (attempts.Try(file, /*named=*/true)) return true;
    if (attempts.lost()) return false;
  }
  if (attempts.TryAgent()) return true;
  for (const std::string& file : keys.usual) {
    if (attempts.lost()) return false;
    if (attempts.Try(file, /*named=*/false)) return true;
  }
  return false;
}

}  // namespace

absl::Status Authenticate(ssh_session session, const SshTarget& target,
                          const SshKeys& keys) {
  // Also what servers are asked first for which ways there are.
  const int none = ssh_userauth_none(session, nullptr);
  if (none == SSH_AUTH_SUCCESS) return absl::OkStatus();
  if (none == SSH_AUTH_ERROR) {
    return SshError(absl::StrCat("log in as ", target.user), session);
  }
  if ((ssh_userauth_list(session, nullptr) & SSH_AUTH_METHOD_PUBLICKEY) == 0) {
    return absl::FailedPreconditionError(
        "it takes no keys, and passwords are not used; see "
        "PubkeyAuthentication in its sshd_config");
  }
  Attempts attempts(session);
  if (TryAll(attempts, keys)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "login as '", target.user, "' refused",
      attempts.lost() ? ", and the connection was closed" : "",
      "; tried: ", attempts.Summary(),
      "; add a public key to that account's authorized_keys, or name its "
      "private key with --identity"));
}

}  // namespace berth::cli

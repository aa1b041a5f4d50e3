#include "cli/ssh/host_key.h"

#include <cstdlib>
#include <memory>
#include <type_traits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "cli/ssh/ssh_error.h"

namespace berth::cli {
namespace {

constexpr char kGlobalKnownHosts[] = "/etc/ssh/ssh_known_hosts";

struct ServerKey {
  std::string type;         // "ssh-ed25519".
  std::string base64;       // As in known_hosts.
  std::string fingerprint;  // "SHA256:...".
};

absl::StatusOr<ServerKey> KeyOf(ssh_session session) {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) {
    return SshError("no host key", session);
  }
  const std::unique_ptr<std::remove_pointer_t<ssh_key>, void (*)(ssh_key)>
      owner(key, ssh_key_free);
  ServerKey result;
  result.type = ssh_key_type_to_char(ssh_key_type(key));
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK) {
    result.base64 = base64;
    ssh_string_free_char(base64);
  }
  unsigned char* hash = nullptr;
  size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) ==
      0) {
    char* text =
        ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    if (text != nullptr) result.fingerprint = text;
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
  }
  if (result.base64.empty() || result.fingerprint.empty()) {
    return absl::InternalError("the host key has no fingerprint");
  }
  return result;
}

// libssh passes over the lines of known_hosts that begin with a mark. One of
// them must not be missed: that a key is no good any more, whoever has it.
bool IsRevoked(const std::string& path, const ServerKey& key) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return false;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.size() >= 4 && words[0] == "@revoked" && words[3] == key.base64) {
      return true;
    }
  }
  return false;
}

// Sessions of many threads add to one file.
Mutex& FileMutex() {
  static Mutex& mutex = *new Mutex;
  return mutex;
}

absl::Status Remember(ssh_session session, const HostKeyRules& rules) {
  MutexLock lock(FileMutex());
  if (ssh_session_update_known_hosts(session) == SSH_OK) {
    return absl::OkStatus();
  }
  return SshError(absl::StrCat("note its key in ", rules.known_hosts), session);
}

absl::Status Unknown(ssh_session session, const SshTarget& target,
                     const HostKeyRules& rules, const ServerKey& key) {
  if (rules.accept_new) return Remember(session, rules);
  if (rules.ask != nullptr &&
      rules.ask(absl::StrCat("The authenticity of ", Endpoint(target),
                             " can't be established: its ", key.type,
                             " key is ", key.fingerprint,
                             ". Connect and remember it (yes/no)? "))) {
    return Remember(session, rules);
  }
  return absl::PermissionDeniedError(
      absl::StrCat("host key not known: ", key.type, " ", key.fingerprint,
                   "; if that is its key, connect once with ssh, add it to ",
                   rules.known_hosts, ", or give --accept-new"));
}

}  // namespace

absl::Status CheckHostKey(ssh_session session, const SshTarget& target,
                          const HostKeyRules& rules) {
  BERTH_ASSIGN_OR_RETURN(const ServerKey key, KeyOf(session));
  const std::string shown = absl::StrCat(key.type, " ", key.fingerprint);
  if (IsRevoked(rules.known_hosts, key) || IsRevoked(kGlobalKnownHosts, key)) {
    return absl::PermissionDeniedError(
        absl::StrCat("its host key ", shown, " is revoked in known_hosts"));
  }
  switch (ssh_session_is_known_server(session)) {
    case SSH_KNOWN_HOSTS_OK:
      return absl::OkStatus();
    case SSH_KNOWN_HOSTS_CHANGED:
      return absl::PermissionDeniedError(absl::StrCat(
          "HOST KEY CHANGED: it now has ", shown,
          ", and known_hosts says otherwise. Somebody may be in between. If "
          "it was installed anew: ssh-keygen -f ",
          rules.known_hosts, " -R '", Endpoint(target), "'"));
    case SSH_KNOWN_HOSTS_OTHER:
      return absl::PermissionDeniedError(absl::StrCat(
          "host key of another type: it shows ", shown,
          ", and known_hosts has keys of other types for it. Somebody may be "
          "in between; connect once with ssh, which says more"));
    case SSH_KNOWN_HOSTS_NOT_FOUND:
    case SSH_KNOWN_HOSTS_UNKNOWN:
      return Unknown(session, target, rules, key);
    case SSH_KNOWN_HOSTS_ERROR:
      break;
  }
  return SshError(absl::StrCat("read ", rules.known_hosts), session);
}

}  // namespace berth::cli

#include "broker/gateway/host_keys.h"

#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::gateway {
namespace {

struct Kind {
  const char* file;
  ssh_keytypes_e type;
  int parameter;
};
constexpr Kind kKinds[] = {{"ssh_host_ed25519_key", SSH_KEYTYPE_ED25519, 0},
                           {"ssh_host_ecdsa_key", SSH_KEYTYPE_ECDSA_P256, 256}};

struct Free {
  void operator()(void* memory) const { free(memory); }
};
using CString = std::unique_ptr<char, Free>;

std::string PathOf(const std::string& directory, const Kind& kind) {
  return absl::StrCat(directory, "/", kind.file);
}

absl::Status Failed(const std::string& path, const char* what) {
  return absl::InternalError(absl::StrCat(path, ": ", what));
}

}  // namespace

absl::Status MakeHostKeys(const std::string& directory) {
  for (const Kind& kind : kKinds) {
    struct stat ignored;
    if (lstat(PathOf(directory, kind).c_str(), &ignored) == 0) {
      return absl::AlreadyExistsError(absl::StrCat(
          "'", directory, "' has host keys already (", kind.file, ")"));
    }
  }
  for (const Kind& kind : kKinds) {
    const std::string path = PathOf(directory, kind);
    ssh_key made = nullptr;
    if (ssh_pki_generate(kind.type, kind.parameter, &made) != SSH_OK) {
      return Failed(path, "the key can't be made");
    }
    const SshKey key(made);
    char* text = nullptr;
    if (ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr,
                                      &text) != SSH_OK) {
      return Failed(path, "the key can't be written");
    }
    const CString owned(text);
    BERTH_RETURN_IF_ERROR(WriteFileAtomically(path, text));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SshKey>> LoadHostKeys(const std::string& directory) {
  std::vector<SshKey> keys;
  for (const Kind& kind : kKinds) {
    const std::string path = PathOf(directory, kind);
    BERTH_ASSIGN_OR_RETURN(const std::string text, ReadSecretFile(path));
    ssh_key key = nullptr;
    if (ssh_pki_import_privkey_base64(text.c_str(), nullptr, nullptr, nullptr,
                                      &key) != SSH_OK) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": not a private key that can be read"));
    }
    keys.emplace_back(key);
  }
  return keys;
}

std::string Fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) !=
      SSH_OK) {
    return "";
  }
  const CString text(
      ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size));
  ssh_clean_pubkey_hash(&hash);
  return text == nullptr ? "" : text.get();
}

std::string KeyType(ssh_key key) {
  const char* curve = ssh_key_type(key) == SSH_KEYTYPE_ECDSA_P256
                          ? "ecdsa-sha2-nistp256"
                          : ssh_key_type_to_char(ssh_key_type(key));
  return curve == nullptr ? "" : curve;
}

absl::StatusOr<std::string> PublicLine(ssh_key key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) {
    return absl::InternalError("a public key can't be written");
  }
  const CString owned(text);
  return absl::StrCat(KeyType(key), " ", text);
}

}  // namespace berth::gateway

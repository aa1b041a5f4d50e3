#ifndef BERTH_BROKER_AUDIT_SIGNING_H_
#define BERTH_BROKER_AUDIT_SIGNING_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;

namespace berth::broker {

// The SHA-256 of `data`, in hex.
std::string HexSha256(absl::string_view data);

// Shared, as OpenSSL counts its keys itself.
using AuditKeyPtr = std::shared_ptr<evp_pkey_st>;

// The key (Ed25519) that an audit log's checkpoints, and the chains of
// recordings, are signed with; nothing else is. Immutable.
class AuditKey {
 public:
  // A new one, as PEM. Internal: OpenSSL failed.
  static absl::StatusOr<std::string> NewPem();
  // InvalidArgument: `pem` is no such key.
  static absl::StatusOr<AuditKey> Parse(absl::string_view pem);

  // The first 16 hex digits of the SHA-256 of the public key.
  const std::string& id() const { return id_; }
  // As PEM.
  const std::string& public_pem() const { return public_pem_; }
  // In hex; empty if OpenSSL fails, and then it verifies nowhere.
  std::string Sign(absl::string_view data) const;

 private:
  AuditKeyPtr key_;
  std::string id_;
  std::string public_pem_;
};

// The public keys that an audit log is verified with. Immutable.
class AuditPublicKeys {
 public:
  // One key or several after each other. InvalidArgument.
  static absl::StatusOr<AuditPublicKeys> Parse(absl::string_view pem);

  bool Has(absl::string_view id) const;
  // Whether `signature` (hex) of `data` is by the key `id`.
  bool Verify(absl::string_view id, absl::string_view data,
              absl::string_view signature) const;

 private:
  struct Key {
    std::string id;
    AuditKeyPtr key;
  };
  std::vector<Key> keys_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_SIGNING_H_

#ifndef BERTH_BROKER_GATEWAY_HOST_KEYS_H_
#define BERTH_BROKER_GATEWAY_HOST_KEYS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/gateway/ssh.h"

namespace berth::gateway {

// The keys by which SSH clients know a gateway, in files of its directory: one
// Ed25519, one ECDSA P-256.

// Makes them. AlreadyExists: there is one; nothing was changed.
absl::Status MakeHostKeys(const std::string& directory);

absl::StatusOr<std::vector<SshKey>> LoadHostKeys(const std::string& directory);

// "SHA256:...", as ssh-keygen -l and ssh show it.
std::string Fingerprint(ssh_key key);
// "ssh-ed25519".
std::string KeyType(ssh_key key);
// "ssh-ed25519 AAAA...", as in a known_hosts file behind the host.
absl::StatusOr<std::string> PublicLine(ssh_key key);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_HOST_KEYS_H_

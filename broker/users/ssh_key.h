#ifndef BERTH_BROKER_USERS_SSH_KEY_H_
#define BERTH_BROKER_USERS_SSH_KEY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/users.pb.h"

namespace berth::broker {

// The longest line that is taken, in bytes: RSA keys of 16384 bits have less.
inline constexpr size_t kMaxSshKeyLine = 8192;

// Reads one line of an OpenSSH public key file ("ssh-ed25519 AAAA... comment")
// and checks the key in it: its type, its length, that its point is on its
// curve. InvalidArgument says what is wrong. Sets fingerprint, type, comment
// and line.
absl::StatusOr<v1::SshKey> ParseSshKey(absl::string_view line);

}  // namespace berth::broker

#endif  // BERTH_BROKER_USERS_SSH_KEY_H_

#ifndef BERTH_BROKER_USERS_USER_TOKENS_H_
#define BERTH_BROKER_USERS_USER_TOKENS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/berth/v1/users.pb.h"

namespace berth::broker {

// The tokens with which programs log in as users, by the digests of their
// secrets. It is all in memory. Thread-safe; knows neither gRPC nor the store.
class UserTokens {
 public:
  // Keeps the record of `key` (empty bytes: forgets it). Called with the lock
  // held: must not block, nor call back.
  using Keep = std::function<void(const std::string& key, std::string bytes)>;

  static constexpr absl::Duration kDefaultLifetime = absl::Hours(30 * 24);
  static constexpr absl::Duration kMaxLifetime = absl::Hours(366 * 24);
  static constexpr uint32_t kMaxUses = 1'000'000;
  static constexpr int kMaxTokens = 100;  // Of a user.
  // How long one that has ended is listed.
  static constexpr absl::Duration kMemory = absl::Hours(7 * 24);

  explicit UserTokens(Keep keep) : keep_(std::move(keep)) {}

  // Takes over what was kept. DataLoss if it can't be read.
  absl::Status Load(const std::string& key, const std::string& bytes)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Notes a token of this digest, made at `now`. `request` was not checked.
  absl::StatusOr<v1::UserToken> Add(absl::string_view digest,
                                    const v1::CreateUserTokenRequest& request,
                                    const std::string& admin, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // By user, those that end first before the others.
  std::vector<v1::UserToken> List() const ABSL_LOCKS_EXCLUDED(mu_);
  // NotFound.
  absl::Status Remove(const std::string& id) ABSL_LOCKS_EXCLUDED(mu_);
  void RemoveOf(const std::string& user) ABSL_LOCKS_EXCLUDED(mu_);

  // The user of a token that can be used now. PermissionDenied says why not.
  absl::StatusOr<std::string> UserOf(absl::string_view digest,
                                     absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // Uses it. As above.
  absl::Status Use(absl::string_view digest, const std::string& from,
                   absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<const v1::UserToken*> FindGoodLocked(const std::string& key,
                                                      absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetLocked(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Keep keep_;
  mutable Mutex mu_;
  // By digest, hexadecimal.
  std::map<std::string, v1::UserToken> tokens_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_USERS_USER_TOKENS_H_

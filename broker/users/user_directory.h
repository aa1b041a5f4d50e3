#ifndef BERTH_BROKER_USERS_USER_DIRECTORY_H_
#define BERTH_BROKER_USERS_USER_DIRECTORY_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "base/tls/identity.h"
#include "proto/berth/v1/users.pb.h"

namespace berth::broker {

// UserDirectory knows users, their keys, and the certificates of users and
// computers; and says whether one that comes is let in. It is all in memory:
// every call asks. Thread-safe; knows neither gRPC nor the store.
class UserDirectory {
 public:
  // What a record is, for who keeps it.
  enum class Kind { kUser, kCertificate, kCutoff };
  // Keeps the record of `key` (empty bytes: forgets it). Called with the lock
  // held: must not block, nor call back.
  using Keep =
      std::function<void(Kind, const std::string& key, std::string bytes)>;

  static constexpr int kMaxKeys = 100;  // Of a user.
  // Of a user or computer that have not ended, so that whoever renews again
  // and again can't fill the broker. Renewals leave two or three, and programs
  // that log in by a token one each.
  static constexpr size_t kMaxCertificates = 256;
  // How long one that has ended is listed.
  static constexpr absl::Duration kMemory = absl::Hours(7 * 24);

  explicit UserDirectory(Keep keep) : keep_(std::move(keep)) {}

  // Takes over what was kept. DataLoss if it can't be read.
  absl::Status Load(Kind kind, const std::string& key, const std::string& bytes)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Forgets certificates that ended long before `now`.
  void Forget(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a certificate that TLS has verified is let in. PermissionDenied:
  // its user is locked. Unauthenticated: it was revoked, or a user's has ended
  // since it was shown. Notes those it did not know, and their users.
  absl::Status Admit(const CertificateInfo& certificate, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // As Admit(), and notes nothing.
  absl::Status Check(const CertificateInfo& certificate, absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a user may log in with the SSH key of this fingerprint.
  // NotFound, the same for whatever the reason is.
  absl::Status CheckKey(const std::string& user,
                        const std::string& fingerprint) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether another certificate may be issued. FailedPrecondition: the user is
  // locked. ResourceExhausted.
  absl::Status MayIssue(const Identity& identity, absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // Notes one that was issued, and its user. `login`: when the first of its
  // chain of renewals was.
  void Issued(const CertificateInfo& certificate, absl::string_view issued_by,
              absl::Time login, absl::string_view admin)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Whether the certificate of `serial` is of `identity`, was not revoked, and
  // is good until `until`.
  bool IsGood(const std::string& serial, const Identity& identity,
              absl::Time until) const ABSL_LOCKS_EXCLUDED(mu_);
  // Revokes the certificates of the chain of renewals that `serial`, of `user`,
  // is of. Returns how many were good. As the rpc says.
  absl::StatusOr<uint32_t> LogOut(const std::string& serial,
                                  const Identity& user, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // When the chain of renewals of a certificate began.
  absl::Time LoginOf(const CertificateInfo& certificate) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // As the rpcs of berth.v1.Users say. `admin`: who does it.
  absl::StatusOr<v1::User> Add(const std::string& name,
                               const std::string& admin, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<v1::User> List() const ABSL_LOCKS_EXCLUDED(mu_);
  // NotFound.
  absl::Status CheckExists(const std::string& user) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<v1::User> SetLocked(const v1::SetUserLockedRequest& request,
                                     const std::string& admin, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<uint32_t> Remove(const std::string& name,
                                  const std::string& admin, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<v1::SshKey> AddKey(const v1::AddUserKeyRequest& request,
                                    const std::string& admin, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveKey(const v1::RemoveUserKeyRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<v1::IssuedCertificate> Certificates(
      const v1::ListCertificatesRequest& request) const
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<v1::IssuedCertificate>> Revoke(
      const v1::RevokeCertificatesRequest& request,
      const CertificateInfo& caller, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  v1::User& EnsureUserLocked(const std::string& name, absl::string_view admin,
                             absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<v1::User*> FindLocked(const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckLocked(const CertificateInfo& certificate,
                           absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepLocked(const v1::User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepLocked(const v1::IssuedCertificate& certificate)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The one whose serial begins so.
  absl::StatusOr<v1::IssuedCertificate*> FindSerialLocked(
      const std::string& serial) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Revokes all of `identity` that were issued until `now`.
  std::vector<v1::IssuedCertificate> RevokeAllLocked(const Identity& identity,
                                                     const std::string& reason,
                                                     const std::string& admin,
                                                     absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Keep keep_;
  mutable Mutex mu_;
  std::map<std::string, v1::User> users_ ABSL_GUARDED_BY(mu_);
  // By serial.
  absl::flat_hash_map<std::string, v1::IssuedCertificate> certificates_
      ABSL_GUARDED_BY(mu_);
  // By URI. What was issued until then is refused: also certificates that
  // nobody here has ever seen.
  absl::flat_hash_map<std::string, v1::IssuedCertificate> cutoffs_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_USERS_USER_DIRECTORY_H_

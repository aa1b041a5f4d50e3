#include "broker/users/user_directory.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/users/ssh_key.h"

namespace berth::broker {
namespace {

constexpr size_t kMinSerial = 6;
constexpr size_t kMaxReason = 200;

std::string Format(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

std::string Because(absl::string_view reason) {
  return reason.empty() ? "" : absl::StrCat(" (", reason, ")");
}

// How to get in again.
std::string WayOut(Purpose purpose) {
  return purpose == Purpose::kAgent
             ? "on the computer, 'berth-agent leave --keep-sessions' and "
               "'berth-agent join' with a new token let it in again"
             : "log in again with 'berth login', or ask an administrator for "
               "another ('berth admin user add')";
}

absl::Status Revoked(const Identity& identity,
                     const v1::IssuedCertificate& revoked) {
  return absl::UnauthenticatedError(absl::StrCat(
      "the certificate of ", PurposeName(identity.purpose), " '", identity.name,
      "' was revoked at ", Format(FromProto(revoked.revoked_at())),
      Because(revoked.revoke_reason()), "; ", WayOut(identity.purpose)));
}

bool IsOf(const v1::IssuedCertificate& certificate, const Identity& identity) {
  return certificate.purpose() == PurposeName(identity.purpose) &&
         certificate.name() == identity.name;
}

v1::IssuedCertificate ToRecord(const CertificateInfo& certificate) {
  v1::IssuedCertificate record;
  record.set_serial(certificate.serial);
  record.set_purpose(std::string(PurposeName(certificate.identity.purpose)));
  record.set_name(certificate.identity.name);
  record.set_issuer(certificate.issuer);
  *record.mutable_issued_at() = ToProto(certificate.issued_at);
  *record.mutable_expires_at() = ToProto(certificate.expires_at);
  *record.mutable_login_at() = record.issued_at();
  return record;
}

absl::Status CheckReason(absl::string_view reason) {
  if (reason.size() <= kMaxReason) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the reason has ", reason.size(), " bytes, ", kMaxReason, " at most"));
}

absl::Status YouYourself(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(
      "you would lock yourself out: another administrator can ", what));
}

}  // namespace

absl::Status UserDirectory::Load(Kind kind, const std::string& key,
                                 const std::string& bytes) {
  MutexLock lock(mu_);
  const bool read = kind == Kind::kUser ? users_[key].ParseFromString(bytes)
                    : kind == Kind::kCertificate
                        ? certificates_[key].ParseFromString(bytes)
                        : cutoffs_[key].ParseFromString(bytes);
  if (read) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the record of '", key, "' can't be read"));
}

void UserDirectory::Forget(absl::Time now) {
  MutexLock lock(mu_);
  for (auto it = certificates_.begin(); it != certificates_.end();) {
    const auto here = it++;
    if (FromProto(here->second.expires_at()) + kMemory >= now) continue;
    keep_(Kind::kCertificate, here->first, "");
    certificates_.erase(here);
  }
}

absl::Status UserDirectory::CheckLocked(const CertificateInfo& certificate,
                                        absl::Time now) const {
  const Identity& identity = certificate.identity;
  if (identity.purpose == Purpose::kUser) {
    const auto user = users_.find(identity.name);
    if (user != users_.end() && user->second.locked()) {
      return absl::PermissionDeniedError(absl::StrCat(
          "user '", identity.name, "' is locked since ",
          Format(FromProto(user->second.locked_at())),
          Because(user->second.lock_reason()),
          "; an administrator can change that: berth admin user unlock ",
          identity.name));
    }
    // TLS looked when the connection was made, which may be long ago.
    if (now >= certificate.expires_at) {
      return absl::UnauthenticatedError(absl::StrCat(
          "the certificate of user '", identity.name, "' expired at ",
          Format(certificate.expires_at), "; ", WayOut(Purpose::kUser)));
    }
  }
  const auto known = certificates_.find(certificate.serial);
  if (known != certificates_.end() && known->second.has_revoked_at()) {
    return Revoked(identity, known->second);
  }
  if (cutoffs_.empty()) return absl::OkStatus();
  const auto cutoff = cutoffs_.find(ToUri(identity));
  // One that is known was looked at when that was said. Certificates count in
  // seconds.
  if (cutoff != cutoffs_.end() && known == certificates_.end() &&
      certificate.issued_at <=
          absl::FromUnixSeconds(cutoff->second.revoked_at().seconds())) {
    return Revoked(identity, cutoff->second);
  }
  return absl::OkStatus();
}

absl::Status UserDirectory::Check(const CertificateInfo& certificate,
                                  absl::Time now) const {
  MutexLock lock(mu_);
  return CheckLocked(certificate, now);
}

absl::Status UserDirectory::Admit(const CertificateInfo& certificate,
                                  absl::Time now) {
  MutexLock lock(mu_);
  BERTH_RETURN_IF_ERROR(CheckLocked(certificate, now));
  if (certificates_.contains(certificate.serial)) return absl::OkStatus();
  // Issued before there was a list, or with the CA's key elsewhere.
  if (certificate.identity.purpose == Purpose::kUser) {
    EnsureUserLocked(certificate.identity.name, "", now);
  }
  KeepLocked(certificates_[certificate.serial] = ToRecord(certificate));
  return absl::OkStatus();
}

bool UserDirectory::IsGood(const std::string& serial, const Identity& identity,
                           absl::Time until) const {
  MutexLock lock(mu_);
  const auto known = certificates_.find(serial);
  return known != certificates_.end() && IsOf(known->second, identity) &&
         !known->second.has_revoked_at() &&
         FromProto(known->second.expires_at()) >= until;
}

absl::Status UserDirectory::MayIssue(const Identity& identity,
                                     absl::Time now) const {
  MutexLock lock(mu_);
  if (identity.purpose == Purpose::kUser) {
    const auto user = users_.find(identity.name);
    if (user != users_.end() && user->second.locked()) {
      return absl::FailedPreconditionError(
          absl::StrCat("user '", identity.name,
                       "' is locked: unlock them first, with 'berth admin user "
                       "unlock ",
                       identity.name, "'"));
    }
  }
  const auto good = std::count_if(
      certificates_.begin(), certificates_.end(), [&](const auto& entry) {
        return IsOf(entry.second, identity) && !entry.second.has_revoked_at() &&
               FromProto(entry.second.expires_at()) > now;
      });
  if (static_cast<size_t>(good) < kMaxCertificates) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      PurposeName(identity.purpose), " '", identity.name, "' has ", good,
      " certificates that are good, ", kMaxCertificates,
      " at most; see 'berth admin cert ls', and revoke some with 'berth admin "
      "cert revoke'"));
}

void UserDirectory::Issued(const CertificateInfo& certificate,
                           absl::string_view issued_by, absl::Time login,
                           absl::string_view admin) {
  MutexLock lock(mu_);
  if (certificate.identity.purpose == Purpose::kUser) {
    EnsureUserLocked(certificate.identity.name, admin, certificate.issued_at);
  }
  v1::IssuedCertificate record = ToRecord(certificate);
  record.set_issued_by(std::string(issued_by));
  *record.mutable_login_at() = ToProto(login);
  KeepLocked(certificates_[certificate.serial] = std::move(record));
}

absl::Time UserDirectory::LoginOf(const CertificateInfo& certificate) const {
  MutexLock lock(mu_);
  const auto known = certificates_.find(certificate.serial);
  return known == certificates_.end() ? certificate.issued_at
                                      : FromProto(known->second.login_at());
}

absl::StatusOr<uint32_t> UserDirectory::LogOut(const std::string& serial,
                                               const Identity& user,
                                               absl::Time now) {
  if (serial.empty()) return absl::InvalidArgumentError("no serial number");
  MutexLock lock(mu_);
  const auto own = certificates_.find(serial);
  if (own == certificates_.end() || !IsOf(own->second, user)) {
    return absl::NotFoundError(
        absl::StrCat("user '", user.name, "' has no certificate of serial '",
                     EscapeForTerminal(serial.substr(0, 64)), "'"));
  }
  const google::protobuf::Timestamp login = own->second.login_at();
  uint32_t revoked = 0;
  for (auto& [key, certificate] : certificates_) {
    // Logins are told apart by their time, of which others know but the second.
    const bool same =
        key == serial || (login.nanos() != 0 && IsOf(certificate, user) &&
                          certificate.login_at().seconds() == login.seconds() &&
                          certificate.login_at().nanos() == login.nanos());
    if (!same || certificate.has_revoked_at()) continue;
    *certificate.mutable_revoked_at() = ToProto(now);
    certificate.set_revoked_by(user.name);
    certificate.set_revoke_reason("logged out");
    KeepLocked(certificate);
    if (FromProto(certificate.expires_at()) > now) ++revoked;
  }
  return revoked;
}

v1::User& UserDirectory::EnsureUserLocked(const std::string& name,
                                          absl::string_view admin,
                                          absl::Time now) {
  auto [it, added] = users_.try_emplace(name);
  if (added) {
    it->second.set_name(name);
    it->second.set_created_by(std::string(admin));
    *it->second.mutable_created_at() = ToProto(now);
    KeepLocked(it->second);
  }
  return it->second;
}

void UserDirectory::KeepLocked(const v1::User& user) {
  keep_(Kind::kUser, user.name(), user.SerializeAsString());
}

void UserDirectory::KeepLocked(const v1::IssuedCertificate& certificate) {
  keep_(Kind::kCertificate, certificate.serial(),
        certificate.SerializeAsString());
}

absl::StatusOr<v1::User*> UserDirectory::FindLocked(const std::string& name) {
  const auto it = users_.find(name);
  if (it != users_.end()) return &it->second;
  return absl::NotFoundError(absl::StrCat(
      "user '", name.substr(0, 64), "': not found; see 'berth admin user ls'"));
}

absl::StatusOr<v1::User> UserDirectory::Add(const std::string& name,
                                            const std::string& admin,
                                            absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckName("user", name));
  MutexLock lock(mu_);
  if (users_.contains(name)) {
    return absl::AlreadyExistsError(
        absl::StrCat("user '", name, "' exists; see 'berth admin user ls'"));
  }
  return EnsureUserLocked(name, admin, now);
}

absl::Status UserDirectory::CheckExists(const std::string& user) {
  MutexLock lock(mu_);
  return FindLocked(user).status();
}

std::vector<v1::User> UserDirectory::List() const {
  MutexLock lock(mu_);
  std::vector<v1::User> users;
  for (const auto& [name, user] : users_) users.push_back(user);
  return users;
}

absl::StatusOr<v1::User> UserDirectory::SetLocked(
    const v1::SetUserLockedRequest& request, const std::string& admin,
    absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckReason(request.reason()));
  if (request.locked() && request.name() == admin) {
    return YouYourself("lock you");
  }
  MutexLock lock(mu_);
  BERTH_ASSIGN_OR_RETURN(v1::User * user, FindLocked(request.name()));
  if (user->locked() == request.locked()) return *user;
  user->set_locked(request.locked());
  user->clear_locked_at();
  user->clear_locked_by();
  user->clear_lock_reason();
  if (request.locked()) {
    *user->mutable_locked_at() = ToProto(now);
    user->set_locked_by(admin);
    user->set_lock_reason(request.reason());
  }
  KeepLocked(*user);
  return *user;
}

absl::StatusOr<uint32_t> UserDirectory::Remove(const std::string& name,
                                               const std::string& admin,
                                               absl::Time now) {
  if (name == admin) return YouYourself("remove you");
  MutexLock lock(mu_);
  BERTH_RETURN_IF_ERROR(FindLocked(name).status());
  users_.erase(name);
  keep_(Kind::kUser, name, "");
  return RevokeAllLocked({Purpose::kUser, name}, "the user was removed", admin,
                         now)
      .size();
}

absl::StatusOr<v1::SshKey> UserDirectory::AddKey(
    const v1::AddUserKeyRequest& request, const std::string& admin,
    absl::Time now) {
  BERTH_ASSIGN_OR_RETURN(v1::SshKey key, ParseSshKey(request.key()));
  MutexLock lock(mu_);
  BERTH_ASSIGN_OR_RETURN(v1::User * user, FindLocked(request.user()));
  // A key says who logs in, so it can't be two people's.
  for (const auto& [name, other] : users_) {
    for (const v1::SshKey& theirs : other.keys()) {
      if (theirs.fingerprint() == key.fingerprint()) {
        return absl::AlreadyExistsError(absl::StrCat(
            "key ", key.fingerprint(), " is of user '", name, "' already"));
      }
    }
  }
  if (user->keys_size() >= kMaxKeys) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "user '", user->name(), "' has ", user->keys_size(), " of ", kMaxKeys,
        " keys; remove some with 'berth admin user key rm'"));
  }
  *key.mutable_added_at() = ToProto(now);
  key.set_added_by(admin);
  *user->add_keys() = key;
  KeepLocked(*user);
  return key;
}

absl::Status UserDirectory::CheckKey(const std::string& user,
                                     const std::string& fingerprint) const {
  MutexLock lock(mu_);
  const auto it = users_.find(user);
  if (it != users_.end() && !it->second.locked()) {
    for (const v1::SshKey& key : it->second.keys()) {
      if (key.fingerprint() == fingerprint) return absl::OkStatus();
    }
  }
  return absl::NotFoundError(
      absl::StrCat("user '", user, "' can't log in with key ", fingerprint,
                   ": an administrator may see why with 'berth admin user ls' "
                   "and add it with 'berth admin user key add'"));
}

absl::Status UserDirectory::RemoveKey(const v1::RemoveUserKeyRequest& request) {
  MutexLock lock(mu_);
  BERTH_ASSIGN_OR_RETURN(v1::User * user, FindLocked(request.user()));
  for (int i = 0; i < user->keys_size(); ++i) {
    if (user->keys(i).fingerprint() != request.fingerprint()) continue;
    user->mutable_keys()->DeleteSubrange(i, 1);
    KeepLocked(*user);
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat(
      "user '", user->name(),
      "' has no such key; see 'berth admin user key ls ", user->name(), "'"));
}

std::vector<v1::IssuedCertificate> UserDirectory::Certificates(
    const v1::ListCertificatesRequest& request) const {
  const bool all = request.user().empty() && request.computer().empty();
  std::vector<v1::IssuedCertificate> found;
  {
    MutexLock lock(mu_);
    for (const auto& [serial, certificate] : certificates_) {
      if (all ||
          (!request.user().empty() &&
           IsOf(certificate, {Purpose::kUser, request.user()})) ||
          (!request.computer().empty() &&
           IsOf(certificate, {Purpose::kAgent, request.computer()}))) {
        found.push_back(certificate);
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    const auto key = [](const v1::IssuedCertificate& c) {
      return std::make_tuple(c.purpose(), c.name(), c.expires_at().seconds(),
                             c.serial());
    };
    return key(a) < key(b);
  });
  return found;
}

absl::StatusOr<v1::IssuedCertificate*> UserDirectory::FindSerialLocked(
    const std::string& serial) {
  if (serial.size() < kMinSerial) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a serial number needs at least ", kMinSerial, " of its digits"));
  }
  v1::IssuedCertificate* found = nullptr;
  for (auto& [key, certificate] : certificates_) {
    if (!absl::StartsWith(key, serial)) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "several certificates' serial numbers begin with '", serial, "'"));
    }
    found = &certificate;
  }
  if (found != nullptr) return found;
  return absl::NotFoundError(
      absl::StrCat("no certificate's serial number begins with '",
                   serial.substr(0, 64), "'; see 'berth admin cert ls'"));
}

absl::StatusOr<std::vector<v1::IssuedCertificate>> UserDirectory::Revoke(
    const v1::RevokeCertificatesRequest& request, const CertificateInfo& caller,
    absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckReason(request.reason()));
  const std::string& admin = caller.identity.name;
  if (int{!request.serial().empty()} + int{!request.user().empty()} +
          int{!request.computer().empty()} !=
      1) {
    return absl::InvalidArgumentError(
        "name either a serial number, a user or a computer");
  }
  if (request.user() == admin) return YouYourself("revoke yours");
  MutexLock lock(mu_);
  if (!request.serial().empty()) {
    BERTH_ASSIGN_OR_RETURN(v1::IssuedCertificate * certificate,
                           FindSerialLocked(request.serial()));
    if (certificate->serial() == caller.serial) return YouYourself("revoke it");
    if (certificate->has_revoked_at()) {
      return std::vector<v1::IssuedCertificate>();
    }
    *certificate->mutable_revoked_at() = ToProto(now);
    certificate->set_revoked_by(admin);
    certificate->set_revoke_reason(request.reason());
    KeepLocked(*certificate);
    return std::vector<v1::IssuedCertificate>{*certificate};
  }
  const bool user = !request.user().empty();
  const std::string& name = user ? request.user() : request.computer();
  BERTH_RETURN_IF_ERROR(CheckName(user ? "user" : "computer", name));
  return RevokeAllLocked({user ? Purpose::kUser : Purpose::kAgent, name},
                         request.reason(), admin, now);
}

std::vector<v1::IssuedCertificate> UserDirectory::RevokeAllLocked(
    const Identity& identity, const std::string& reason,
    const std::string& admin, absl::Time now) {
  v1::IssuedCertificate cutoff;
  cutoff.set_purpose(std::string(PurposeName(identity.purpose)));
  cutoff.set_name(identity.name);
  *cutoff.mutable_revoked_at() = ToProto(now);
  cutoff.set_revoked_by(admin);
  cutoff.set_revoke_reason(reason);
  std::vector<v1::IssuedCertificate> revoked;
  for (auto& [serial, certificate] : certificates_) {
    if (!IsOf(certificate, identity) || certificate.has_revoked_at()) continue;
    *certificate.mutable_revoked_at() = cutoff.revoked_at();
    certificate.set_revoked_by(admin);
    certificate.set_revoke_reason(reason);
    KeepLocked(certificate);
    if (FromProto(certificate.expires_at()) > now) {
      revoked.push_back(certificate);
    }
  }
  const std::string uri = ToUri(identity);
  keep_(Kind::kCutoff, uri, cutoff.SerializeAsString());
  cutoffs_[uri] = std::move(cutoff);
  return revoked;
}

}  // namespace berth::broker

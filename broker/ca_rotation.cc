#include "broker/ca_rotation.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "broker/config.h"
#include "broker/init.h"
#include "broker/registry/sqlite_store.h"
#include "proto/berth/v1/users.pb.h"

namespace berth::broker {
namespace {

// The key of a CA that is being made.
constexpr char kNewKeyFile[] = "ca-new-key.pem";
constexpr size_t kMaxNames = 20;

std::string Join(const std::string& directory, absl::string_view file) {
  return absl::StrCat(directory, "/", file);
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return ErrnoToStatus(errno, from);
}

absl::Status Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoToStatus(errno, path);
}

std::string Started(const std::string& directory) {
  return absl::StrCat(
      "Both CAs are trusted now, and the new one issues.\n\nNext:\n",
      "  start berth-broker again, so that it takes that over: agents come "
      "back by\n    themselves and get new certificates, clients when they are "
      "next used\n  berth-broker ca status ",
      directory, "    # who has none yet\n  berth-broker ca finish ", directory,
      "    # when all have\n");
}

// What is known of the registry's certificates.
struct Peers {
  // "user 'ann'", and whether they have a good one of the new CA.
  std::map<std::string, bool> with_certificate;
  std::vector<std::string> Left() const {
    std::vector<std::string> names;
    for (const auto& [name, renewed] : with_certificate) {
      if (!renewed) names.push_back(name);
    }
    return names;
  }
};

absl::StatusOr<Peers> ReadPeers(const std::string& directory) {
  const std::string path = Join(directory, kConfigFile);
  BERTH_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  BERTH_ASSIGN_OR_RETURN(const Config config, ParseConfig(text, path));
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca, LoadCa(directory));
  BERTH_ASSIGN_OR_RETURN(const std::string issuer, ca.KeyId());
  BERTH_ASSIGN_OR_RETURN(
      const auto store,
      SqliteStore::Open(absl::StartsWith(config.registry, "/")
                            ? config.registry
                            : Join(directory, config.registry)));
  BERTH_ASSIGN_OR_RETURN(const auto records, store->ListRecords("certificate"));
  BERTH_ASSIGN_OR_RETURN(const auto computers, store->ListComputers());
  Peers peers;
  std::set<std::string> seen;
  for (const auto& [serial, bytes] : records) {
    v1::IssuedCertificate certificate;
    if (!certificate.ParseFromString(bytes)) {
      return absl::DataLossError(absl::StrCat(
          "the registry's record of certificate ", serial, " can't be read"));
    }
    const std::string name =
        absl::StrCat(certificate.purpose(), " '", certificate.name(), "'");
    seen.insert(name);
    if (certificate.has_revoked_at() ||
        FromProto(certificate.expires_at()) <= absl::Now()) {
      continue;
    }
    peers.with_certificate[name] |= certificate.issuer() == issuer;
  }
  // One that has not come since certificates are kept.
  for (const ComputerRecord& computer : computers) {
    const std::string name = absl::StrCat("agent '", computer.name, "'");
    if (!seen.contains(name)) peers.with_certificate[name] |= false;
  }
  return peers;
}

std::string List(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMaxNames; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kMaxNames) {
    absl::StrAppend(&text, " and ", names.size() - kMaxNames, " more");
  }
  return text;
}

// A certificate for the key that the broker has, so that only one file changes.
absl::Status ReissueBrokerCertificate(const CertificateAuthority& ca,
                                      const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const std::string key,
                         ReadSecretFile(Join(directory, kBrokerKeyFile)));
  BERTH_ASSIGN_OR_RETURN(const std::string csr, NewCsrPem(key));
  BERTH_ASSIGN_OR_RETURN(
      const std::string certificate,
      ca.Issue(csr, {Purpose::kBroker, "main"}, kBrokerLifetime));
  return WriteFileAtomically(Join(directory, kBrokerFile), certificate, 0644);
}

}  // namespace

absl::StatusOr<std::string> RotateCa(const std::string& directory) {
  const std::string new_key = Join(directory, kNewKeyFile);
  const std::string key_path = Join(directory, kCaKeyFile);
  if (Exists(Join(directory, kOldCaKeyFile)) && Exists(new_key)) {
    // Cut short. If the new one is trusted already, all that is left to do is
    // to let it issue; else it is made anew.
    BERTH_ASSIGN_OR_RETURN(const std::string key, ReadSecretFile(new_key));
    BERTH_ASSIGN_OR_RETURN(const std::string trusted,
                           ReadFile(Join(directory, kCaFile)));
    if (CertificateAuthority::Load(trusted, key).ok()) {
      BERTH_RETURN_IF_ERROR(Rename(new_key, key_path));
      return Started(directory);
    }
  } else if (Exists(Join(directory, kOldCaKeyFile))) {
    BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca, LoadCa(directory));
    BERTH_ASSIGN_OR_RETURN(const std::string old,
                           ReadSecretFile(Join(directory, kOldCaKeyFile)));
    if (ca.key_pem() != old) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the last change of the CA is not finished: see 'berth-broker ca "
          "status ",
          directory, "' and 'berth-broker ca finish ", directory, "'"));
    }
  }
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority old, LoadCa(directory));
  BERTH_ASSIGN_OR_RETURN(
      const CertificateAuthority next,
      CertificateAuthority::Create(absl::StrCat(
          "Berth CA ",
          absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone()))));
  // At each moment the files make a whole: a CA that issues is one whose
  // certificate is trusted and whose key is there.
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(directory, kOldCaKeyFile), old.key_pem()));
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(new_key, next.key_pem()));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(directory, kCaFile),
                          absl::StrCat(next.cert_pem(), old.cert_pem()), 0644));
  BERTH_RETURN_IF_ERROR(Rename(new_key, key_path));
  return Started(directory);
}

absl::StatusOr<std::string> DescribeCa(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca, LoadCa(directory));
  if (!Exists(Join(directory, kOldCaKeyFile))) {
    return std::string("There is one CA.\n");
  }
  BERTH_ASSIGN_OR_RETURN(const Peers peers, ReadPeers(directory));
  const std::vector<std::string> left = peers.Left();
  if (left.empty()) {
    return absl::StrCat(
        "Everybody who is known has a certificate of the new CA: 'berth-broker "
        "ca finish ",
        directory, "' drops the old one.\n");
  }
  return absl::StrCat(left.size(), " of ", peers.with_certificate.size(),
                      " have only certificates of the old CA: ", List(left),
                      "\n");
}

absl::StatusOr<std::string> FinishCa(const std::string& directory, bool force) {
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca, LoadCa(directory));
  if (!Exists(Join(directory, kOldCaKeyFile))) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is only one CA; 'berth-broker ca rotate ",
                     directory, "' makes another"));
  }
  if (Exists(Join(directory, kNewKeyFile))) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the new CA was not made to its end: repeat 'berth-broker ca rotate ",
        directory, "'"));
  }
  BERTH_ASSIGN_OR_RETURN(const Peers peers, ReadPeers(directory));
  const std::vector<std::string> left = peers.Left();
  if (!left.empty() && !force) {
    return absl::FailedPreconditionError(absl::StrCat(
        left.size(),
        " have only certificates of the old CA, and would be shut "
        "out: ",
        List(left),
        "; wait for them, revoke what is theirs ('berth admin cert revoke'), "
        "or use --force"));
  }
  BERTH_RETURN_IF_ERROR(ReissueBrokerCertificate(ca, directory));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(directory, kCaFile), ca.cert_pem(), 0644));
  BERTH_RETURN_IF_ERROR(Remove(Join(directory, kOldCaKeyFile)));
  return std::string(
      "The old CA is not trusted any more.\n\nNext:\n"
      "  start berth-broker again: until then it lets old certificates in\n");
}

}  // namespace berth::broker

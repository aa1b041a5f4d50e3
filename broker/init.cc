#include "broker/init.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/tls/identity.h"
#include "broker/audit_setup.h"
#include "broker/registry/sqlite_store.h"

namespace berth::broker {
namespace {

std::string Join(const std::string& directory, absl::string_view file) {
  return absl::StrCat(directory, "/", file);
}

// A new key, and a certificate of `identity` for it, in two files.
absl::Status MakeCertificate(const CertificateAuthority& ca,
                             const Identity& identity, absl::Duration lifetime,
                             const std::string& cert_path,
                             const std::string& key_path) {
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  BERTH_ASSIGN_OR_RETURN(const std::string csr, NewCsrPem(key));
  BERTH_ASSIGN_OR_RETURN(const std::string cert,
                         ca.Issue(csr, identity, lifetime));
  // The key first: a certificate without it would be taken for complete.
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(key_path, key));
  return WriteFileAtomically(cert_path, cert, 0644);
}

absl::Status MakeBrokerCertificate(const CertificateAuthority& ca,
                                   const std::string& directory) {
  return MakeCertificate(ca, {Purpose::kBroker, "main"}, kBrokerLifetime,
                         Join(directory, kBrokerFile),
                         Join(directory, kBrokerKeyFile));
}

absl::Status CheckNew(const std::string& directory) {
  for (const char* file : {kCaFile, kCaKeyFile, kConfigFile}) {
    struct stat ignored;
    if (lstat(Join(directory, file).c_str(), &ignored) == 0) {
      return absl::AlreadyExistsError(absl::StrCat(
          "'", directory, "' has a broker already (", file,
          "); start it with `berth-broker serve ", directory, "`"));
    }
  }
  return absl::OkStatus();
}

std::string ThisHost() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name[0] == '\0' ? "localhost" : name;
}

std::string NextSteps(const InitOptions& options) {
  const std::string& dir = options.directory;
  const std::string host =
      options.hosts.empty() ? ThisHost() : options.hosts.front();
  const std::string port = options.listen.substr(options.listen.rfind(':') + 1);
  return absl::StrCat(
      "Made in ", dir, ":\n", "  ca.pem, ca-key.pem          the fleet's CA; ",
      "keep the key secret, and a copy of it\n",
      "  broker.pem, broker-key.pem  the broker's own certificate\n",
      "  audit-pub.pem               what the audit log is verified with; keep "
      "a copy elsewhere\n",
      "  ", options.admin, ".pem, ", options.admin,
      "-key.pem    the first administrator's\n",
      "  broker.toml                 configuration\n\n", "Next:\n",
      "  berth-broker serve ", dir, "\n", "  berth context add main --broker ",
      host, ":", port, " --ca ", dir, "/ca.pem \\\n", "      --certificate ",
      dir, "/", options.admin, ".pem --key ", dir, "/", options.admin,
      "-key.pem\n", "  berth admin token create    # for each computer\n");
}

}  // namespace

absl::StatusOr<std::string> InitBroker(const InitOptions& options) {
  const std::string& dir = options.directory;
  BERTH_RETURN_IF_ERROR(CheckName("administrator", options.admin));
  if (options.admin == "ca" || options.admin == "broker") {
    return absl::InvalidArgumentError(
        absl::StrCat("an administrator can't be named '", options.admin,
                     "': the files would be the broker's own"));
  }
  if (options.listen.rfind(':') == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bad --listen '", options.listen, "': it takes ADDRESS:PORT"));
  }
  BERTH_RETURN_IF_ERROR(CheckNew(dir));
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(dir));
  BERTH_ASSIGN_OR_RETURN(CertificateAuthority ca,
                         CertificateAuthority::Create("Berth CA"));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(dir, kCaKeyFile), ca.key_pem()));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(dir, kCaFile), ca.cert_pem(), 0644));
  BERTH_RETURN_IF_ERROR(MakeBrokerCertificate(ca, dir));
  BERTH_RETURN_IF_ERROR(MakeCertificate(ca, {Purpose::kUser, options.admin},
                                        kAdminLifetime,
                                        Join(dir, options.admin + ".pem"),
                                        Join(dir, options.admin + "-key.pem")));
  BERTH_RETURN_IF_ERROR(LoadOrMakeAuditKey(dir).status());
  Config config;
  config.listen = options.listen;
  config.admins = {options.admin};
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(dir, kConfigFile), FormatConfig(config), 0644));
  // So that a broker without one knows that it has lost it.
  BERTH_RETURN_IF_ERROR(SqliteStore::Open(Join(dir, config.registry)).status());
  return NextSteps(options);
}

absl::StatusOr<CertificateAuthority> LoadCa(const std::string& directory) {
  absl::StatusOr<std::string> ca_pem = ReadFile(Join(directory, kCaFile));
  if (absl::IsNotFound(ca_pem.status())) {
    return absl::NotFoundError(
        absl::StrCat("no broker in '", directory,
                     "'; make one with `berth-broker init ", directory, "`"));
  }
  BERTH_RETURN_IF_ERROR(ca_pem.status());
  BERTH_ASSIGN_OR_RETURN(std::string ca_key,
                         ReadSecretFile(Join(directory, kCaKeyFile)));
  return CertificateAuthority::Load(*std::move(ca_pem), std::move(ca_key));
}

absl::StatusOr<std::string> MakeAdministrator(const std::string& directory,
                                              const std::string& name) {
  BERTH_RETURN_IF_ERROR(CheckName("administrator", name));
  if (name == "ca" || name == "broker") {
    return absl::InvalidArgumentError(
        absl::StrCat("an administrator can't be named '", name,
                     "': the files would be the broker's own"));
  }
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca, LoadCa(directory));
  const std::string cert = Join(directory, name + ".pem");
  const std::string key = Join(directory, name + "-key.pem");
  BERTH_RETURN_IF_ERROR(
      MakeCertificate(ca, {Purpose::kUser, name}, kAdminLifetime, cert, key));
  return absl::StrCat(cert, "\n", key, "\n");
}

absl::StatusOr<Credentials> LoadCredentials(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(CertificateAuthority ca, LoadCa(directory));
  // The broker's own certificate is of the CA that all peers know.
  CertificateAuthority own = ca;
  const absl::StatusOr<std::string> old_key =
      ReadSecretFile(Join(directory, kOldCaKeyFile));
  if (old_key.ok()) {
    BERTH_ASSIGN_OR_RETURN(
        own, CertificateAuthority::Load(ca.trusted_pem(), *old_key));
  } else if (!absl::IsNotFound(old_key.status())) {
    return old_key.status();
  }
  BERTH_ASSIGN_OR_RETURN(std::string cert,
                         ReadFile(Join(directory, kBrokerFile)));
  BERTH_ASSIGN_OR_RETURN(const absl::Time expiry, CertificateExpiry(cert));
  BERTH_ASSIGN_OR_RETURN(std::string key,
                         ReadSecretFile(Join(directory, kBrokerKeyFile)));
  if (expiry - absl::Now() < kRenewBefore) {
    const absl::Status renewed = MakeBrokerCertificate(own, directory);
    if (renewed.ok()) {
      BERTH_ASSIGN_OR_RETURN(cert, ReadFile(Join(directory, kBrokerFile)));
      BERTH_ASSIGN_OR_RETURN(key,
                             ReadSecretFile(Join(directory, kBrokerKeyFile)));
    } else if (expiry <= absl::Now()) {
      return renewed;
    }  // On a full disk the old one does, and the next start tries again.
  }
  return Credentials{std::move(ca), std::move(cert), std::move(key)};
}

}  // namespace berth::broker

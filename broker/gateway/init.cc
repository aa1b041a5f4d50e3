#include "broker/gateway/init.h"

#include <sys/stat.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "broker/gateway/host_keys.h"
#include "broker/init.h"

namespace berth::gateway {
namespace {

std::string Join(const std::string& directory, absl::string_view file) {
  return absl::StrCat(directory, "/", file);
}

absl::Status MakeCertificate(const InitOptions& options) {
  BERTH_ASSIGN_OR_RETURN(const CertificateAuthority ca,
                         broker::LoadCa(options.broker_directory));
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  BERTH_ASSIGN_OR_RETURN(const std::string csr, NewCsrPem(key));
  BERTH_ASSIGN_OR_RETURN(
      const std::string certificate,
      ca.Issue(csr, {Purpose::kGateway, options.name}, kCertificateLifetime));
  const std::string& dir = options.directory;
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(dir, kCaFile), ca.trusted_pem(), 0644));
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(Join(dir, kKeyFile), key));
  return WriteFileAtomically(Join(dir, kCertificateFile), certificate, 0644);
}

}  // namespace

absl::StatusOr<std::string> HostKeyLines(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const std::vector<SshKey> keys,
                         LoadHostKeys(directory));
  std::string lines;
  for (const SshKey& key : keys) {
    absl::StrAppend(&lines, "  ", KeyType(key.get()), " ",
                    Fingerprint(key.get()), "\n");
  }
  return lines;
}

absl::StatusOr<std::string> InitGateway(const InitOptions& options) {
  const std::string& dir = options.directory;
  BERTH_RETURN_IF_ERROR(CheckName("gateway", options.name));
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(dir));
  BERTH_RETURN_IF_ERROR(MakeCertificate(options));
  const absl::Status made = MakeHostKeys(dir);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  struct stat ignored;
  const std::string config = Join(dir, kConfigFile);
  if (lstat(config.c_str(), &ignored) != 0) {
    BERTH_RETURN_IF_ERROR(
        WriteFileAtomically(config, FormatConfig(options.config), 0644));
  }
  BERTH_ASSIGN_OR_RETURN(const std::string keys, HostKeyLines(dir));
  return absl::StrCat(
      "Made in ", dir, ":\n",
      "  gateway.pem, gateway-key.pem  its certificate, good for two years; "
      "the same command makes the next\n"
      "  ssh_host_*_key                by which SSH clients know it:\n",
      keys, "  gateway.toml                  configuration\n\nNext:\n",
      "  berth-gateway serve ", dir, "\n",
      "  berth admin user key add USER 'ssh-ed25519 AAAA...'\n",
      "  ssh -p 2222 USER+COMPUTER@HOST\n");
}

}  // namespace berth::gateway

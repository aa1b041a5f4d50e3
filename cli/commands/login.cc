#include "cli/commands/login.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "cli/client/call.h"
#include "cli/client/connection.h"
#include "cli/client/connector.h"
#include "cli/commands/parser.h"
#include "cli/login/options.h"
#include "cli/login/stored_login.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

constexpr char kExamples[] =
    "Sessions go on; what is connected with that certificate is cut off.\n\n"
    "Examples:\n"
    "  berth logout\n"
    "  berth logout --context prod\n";

absl::Status Revoke(Invocation& invocation, const StoredLogin& login) {
  BERTH_ASSIGN_OR_RETURN(const std::string pem,
                         ReadFile(login.context.certificate));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo certificate,
                         ReadCertificate(pem));
  if (certificate.expires_at <= absl::Now()) return absl::OkStatus();
  // Of this context alone, whatever the environment says.
  BERTH_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                         Connection::Make(login.context, {}));
  v1::LogOutRequest request;
  request.set_serial(certificate.serial);
  v1::LogOutResponse response;
  const absl::Status status =
      Call(*connection, invocation.signals(), connection->users(),
           &v1::Users::Stub::LogOut, request, response, kPatience);
  // It is good for nothing already.
  return absl::IsUnauthenticated(status) ? absl::OkStatus() : status;
}

}  // namespace

int BecomeSsh(Invocation& invocation, const std::string& verb,
              const std::vector<std::string>& words) {
  std::error_code error;
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe", error)
          .replace_filename("berth-ssh");
  if (access(program.c_str(), X_OK) != 0) {
    return invocation.Fail(absl::NotFoundError(absl::StrCat(
        program,
        ": not there, or not to be executed; it is the part of berth that "
        "speaks SSH: install it beside berth")));
  }
  std::vector<std::string> command = {program, verb};
  command.insert(command.end(), words.begin(), words.end());
  return invocation.Fail(invocation.Become(command));
}

int RunLoginCommand(Invocation& invocation, std::vector<std::string> words) {
  LoginOptions options;
  if (const auto exit = ParseLoginOptions(invocation, words, options)) {
    return *exit;
  }
  return BecomeSsh(invocation, "login", words);
}

int RunLogout(Invocation& invocation, std::vector<std::string> words) {
  Parser parser("logout", "Revokes the certificate of 'berth login'.",
                kExamples);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto login = FindLogin(invocation.environment(), parser.context());
  if (!login.ok()) return invocation.Fail(login.status());
  const absl::Status revoked = Revoke(invocation, *login);
  invocation.connector().Forget(login->context.certificate);
  const absl::Status gone = ForgetLogin(invocation.environment(), *login);
  if (!gone.ok()) return invocation.Fail(gone);
  if (revoked.ok()) return 0;
  return invocation.Fail(absl::Status(
      revoked.code(),
      absl::StrCat("the key is deleted, but its certificate could not be "
                   "revoked: ",
                   revoked.message())));
}

}  // namespace berth::cli

#include "cli/login/run.h"

#include <google/protobuf/util/json_util.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/key_pair.h"
#include "cli/client/call.h"
#include "cli/login/options.h"
#include "cli/login/stored_login.h"
#include "cli/ssh/ask.h"
#include "cli/ssh/dial_ssh.h"
#include "cli/ssh/lifeline.h"
#include "cli/ssh/rules.h"
#include "cli/ssh/ssh_session.h"
#include "cli/ssh/target.h"
#include "proto/berth/v1/gateway.pb.h"

namespace berth::cli {
namespace {

constexpr uint16_t kGatewayPort = 2222;
// With the question about the host's key.
constexpr absl::Duration kTimeout = absl::Minutes(2);
constexpr size_t kMaxFile = 1 << 20;

// The host of "HOST:PORT".
std::string HostOf(const std::string& endpoint) {
  return endpoint.substr(0, endpoint.rfind(':'));
}

absl::StatusOr<std::string> ReadToken(Invocation& invocation,
                                      const LoginOptions& options) {
  std::string token(invocation.environment().Get("BERTH_TOKEN"));
  if (!options.token_file.empty()) {
    BERTH_ASSIGN_OR_RETURN(
        token, ReadFile(options.token_file == "-"
                            ? "/dev/stdin"
                            : invocation.AbsolutePath(options.token_file),
                        kMaxFile));
  }
  absl::StripAsciiWhitespace(&token);
  if (!token.empty()) return token;
  return absl::InvalidArgumentError(
      "log in where? Name a gateway, as in 'berth login alice@gw', or give a "
      "token in BERTH_TOKEN or with --token-file");
}

absl::StatusOr<v1::ClientLogin> ByToken(Invocation& invocation,
                                        const LoginOptions& options,
                                        const std::string& csr) {
  v1::LogInWithTokenRequest request;
  BERTH_ASSIGN_OR_RETURN(*request.mutable_token(),
                         ReadToken(invocation, options));
  request.set_csr_pem(csr);
  if (options.broker.empty() || options.ca.empty()) {
    return absl::InvalidArgumentError(
        "a token needs --broker HOST:PORT and --ca FILE, to know which broker "
        "may see it");
  }
  BERTH_ASSIGN_OR_RETURN(
      const std::string ca,
      ReadFile(invocation.AbsolutePath(options.ca), kMaxFile));
  Connection connection(Connection::MakeChannel(options.broker, ca, "", ""),
                        options.broker, {});
  v1::LogInWithTokenResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::LogInWithToken, request, response));
  v1::ClientLogin login;
  login.set_user(response.user());
  login.set_broker(options.broker);
  login.set_certificate_pem(response.certificate_pem());
  login.set_ca_pem(response.ca_pem());
  return login;
}

absl::StatusOr<v1::ClientLogin> Ask(Invocation& invocation,
                                    const LoginOptions& options,
                                    const SshTarget& gateway, Lifeline& line,
                                    const std::string& csr) {
  SshRules rules = MakeSshRules(
      invocation,
      {options.identities, options.known_hosts, options.accept_new});
  if (CanAsk(invocation)) {
    rules.host_keys.ask = [&](const std::string& question) {
      return AskYes(invocation, question);
    };
  }
  BERTH_ASSIGN_OR_RETURN(UniqueFd socket, DialSsh(gateway, line));
  BERTH_ASSIGN_OR_RETURN(SshSession session,
                         SshSession::Start(gateway, std::move(socket), rules));
  BERTH_ASSIGN_OR_RETURN(const RemoteResult answer, session.Run("login", csr));
  v1::ClientLogin login;
  if (answer.exit_status != 0 ||
      !google::protobuf::util::JsonStringToMessage(answer.out, &login).ok()) {
    const absl::string_view said = absl::StripAsciiWhitespace(answer.err);
    return absl::FailedPreconditionError(absl::StrCat(
        "it gives no certificate",
        said.empty() ? "; is it a berth-gateway that knows 'login'?"
                     : absl::StrCat(": ", said)));
  }
  return login;
}

absl::StatusOr<v1::ClientLogin> BySsh(Invocation& invocation,
                                      const LoginOptions& options,
                                      const SshTarget& gateway,
                                      const std::string& csr) {
  Lifeline line(invocation.signals(), kTimeout);
  absl::StatusOr<v1::ClientLogin> login =
      Ask(invocation, options, gateway, line, csr);
  if (login.ok()) return login;
  BERTH_RETURN_IF_ERROR(line.reason());
  return absl::Status(login.status().code(),
                      absl::StrCat("gateway ", Endpoint(gateway), ": ",
                                   login.status().message()));
}

// Tells what `login` brings, once it is stored.
absl::StatusOr<std::string> Store(Invocation& invocation,
                                  const std::string& name,
                                  const std::string& key,
                                  const v1::ClientLogin& login) {
  // Whoever answered might be anybody until this is looked at.
  BERTH_RETURN_IF_ERROR(CheckKeyPair(login.certificate_pem(), key));
  BERTH_RETURN_IF_ERROR(CaKeyId(login.ca_pem()).status());
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo certificate,
                         ReadCertificate(login.certificate_pem()));
  BERTH_RETURN_IF_ERROR(StoreLogin(
      invocation.environment(), name,
      {login.broker(), login.ca_pem(), login.certificate_pem(), key}));
  return absl::StrCat("logged in to ", login.broker(), " as ",
                      certificate.identity.name, ", until ",
                      absl::FormatTime("%Y-%m-%d %H:%M", certificate.expires_at,
                                       absl::LocalTimeZone()),
                      "; context '", name, "'");
}

absl::StatusOr<std::string> LogIn(Invocation& invocation,
                                  const LoginOptions& options) {
  SshTarget gateway;
  if (!options.gateway.empty()) {
    BERTH_ASSIGN_OR_RETURN(
        gateway, ParseSshTarget(options.gateway, LoginName(), kGatewayPort));
  }
  const std::string name = !options.context.empty()   ? options.context
                           : !options.gateway.empty() ? gateway.host
                                                      : HostOf(options.broker);
  // Before the token is used.
  if (!name.empty()) {
    BERTH_RETURN_IF_ERROR(CheckLoginName(invocation.environment(), name));
  }
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  BERTH_ASSIGN_OR_RETURN(const std::string csr, NewCsrPem(key));
  BERTH_ASSIGN_OR_RETURN(v1::ClientLogin login,
                         options.gateway.empty()
                             ? ByToken(invocation, options, csr)
                             : BySsh(invocation, options, gateway, csr));
  if (!options.broker.empty()) login.set_broker(options.broker);
  return Store(invocation, name, key, login);
}

}  // namespace

int RunLogin(Invocation& invocation) {
  LoginOptions options;
  std::vector<std::string> words = invocation.args();
  if (!words.empty()) words.erase(words.begin());  // "login"
  if (const auto exit =
          ParseLoginOptions(invocation, std::move(words), options)) {
    return *exit;
  }
  const absl::StatusOr<std::string> done = LogIn(invocation, options);
  if (!done.ok()) return invocation.Fail(done.status());
  invocation.Say(*done);
  return 0;
}

}  // namespace berth::cli

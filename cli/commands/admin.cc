#include "cli/commands/admin.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "cli/client/call.h"
#include "cli/commands/admin_audit.h"
#include "cli/commands/admin_policy.h"
#include "cli/commands/parser.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth admin token create --name-pattern 'web*' --ttl 1h\n"
    "  berth admin user add alice --out ~/alice --ttl 30d\n"
    "  berth admin status\n"
    "  berth admin policy apply -f policy.toml --dry-run\n"
    "  berth admin can-i create web01 --as alice\n"
    "  berth admin audit search --user alice --since 1h\n"
    "  berth admin audit verify\n";

struct Options {
  std::string name_pattern;
  std::optional<absl::Duration> lifetime;
  std::string user;
  std::string directory;
};

int CreateToken(Invocation& invocation, Connection& connection,
                const Options& options) {
  v1::CreateJoinTokenRequest request;
  request.set_name_pattern(options.name_pattern);
  if (options.lifetime)
    *request.mutable_lifetime() = ToProto(*options.lifetime);
  v1::CreateJoinTokenResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.admin(),
           &v1::Admin::Stub::CreateJoinToken, request, response);
  if (!status.ok()) return invocation.Fail(status);
  return invocation.Print(absl::StrCat(response.token(), "\n"));
}

// The key never leaves this machine: the broker sees the request alone.
absl::StatusOr<std::string> AddUser(Invocation& invocation,
                                    Connection& connection,
                                    const Options& options) {
  const std::string directory = invocation.AbsolutePath(options.directory);
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_ASSIGN_OR_RETURN(const std::string key, NewPrivateKeyPem());
  v1::IssueUserCertificateRequest request;
  request.set_user(options.user);
  BERTH_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), NewCsrPem(key));
  if (options.lifetime)
    *request.mutable_lifetime() = ToProto(*options.lifetime);
  v1::IssueUserCertificateResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.admin(),
           &v1::Admin::Stub::IssueUserCertificate, request, response));
  const std::string stem = absl::StrCat(directory, "/", options.user);
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(stem + ".key", key));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(stem + ".pem", response.certificate_pem(), 0644));
  return absl::StrCat(stem, ".pem\n", stem, ".key\n");
}

std::string When(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(time),
                          absl::LocalTimeZone());
}

// For people. Texts come from the broker, and names from computers.
std::string Describe(const v1::GetBrokerStatusResponse& status) {
  const bool more =
      status.unheard_count() > static_cast<uint32_t>(status.unheard_size());
  std::string text = absl::StrCat(
      "broker      ", EscapeForTerminal(status.broker_version()),
      ", serves since ", When(status.started_at()), "\nregistry    ",
      status.registry_problem().empty()
          ? "can be written"
          : absl::StrCat("can't be written, so no sessions are made: ",
                         EscapeForTerminal(status.registry_problem())),
      "\ncomputers   ", status.computers(), " known, ", status.online(),
      " online, ", status.unheard_count(), " not heard of since then");
  for (const std::string& name : status.unheard()) {
    absl::StrAppend(&text, " ", EscapeForTerminal(name));
  }
  absl::StrAppend(&text, more ? " ...\n" : "\n");
  for (const v1::BrokerNotice& notice : status.notices()) {
    absl::StrAppend(&text, When(notice.at()), "  ",
                    EscapeForTerminal(notice.text()), "\n");
  }
  return text;
}

int ShowStatus(Invocation& invocation, Connection& connection) {
  const v1::GetBrokerStatusRequest request;
  v1::GetBrokerStatusResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.admin(),
           &v1::Admin::Stub::GetBrokerStatus, request, response);
  if (!status.ok()) return invocation.Fail(status);
  const absl::StatusOr<std::string> audit =
      AdminAudit::StatusText(invocation, connection);
  if (!audit.ok()) return invocation.Fail(audit.status());
  return invocation.Print(absl::StrCat(Describe(response), *audit));
}

}  // namespace

int RunAdmin(Invocation& invocation, std::vector<std::string> words) {
  Options options;
  Parser parser("admin", "For administrators of a broker.", kExamples);
  parser.app().require_subcommand(1);
  CLI::App* token =
      parser.app().add_subcommand("token", "Join tokens, for new computers");
  token->require_subcommand(1);
  CLI::App* create =
      token->add_subcommand("create", "Makes a token for one computer");
  CLI::App* user = parser.app().add_subcommand("user", "Users");
  user->require_subcommand(1);
  CLI::App* add = user->add_subcommand("add", "Makes a user's certificate");
  CLI::App* show = parser.app().add_subcommand(
      "status", "How the broker is, and what it could not know");
  AdminPolicy policy(parser.app());
  Parser::AddTime(*create, "--ttl", options.lifetime,
                  "how long it can be used (1h; at most 7d)");
  create->add_option("--name-pattern", options.name_pattern,
                     "names it may enrol with, such as \"web*\"; else any");
  add->add_option("name", options.user, "the user")->required();
  add->add_option("--out", options.directory,
                  "directory for NAME.pem and NAME.key")
      ->required();
  Parser::AddTime(*add, "--ttl", options.lifetime,
                  "how long it is valid (12h; at most 366d)");
  AdminAudit audit(parser.app());
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  if (policy.IsLocal()) return policy.Check(invocation);
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  if (policy.parsed()) return policy.Run(invocation, **connection);
  if (audit.parsed()) return audit.Run(invocation, **connection);
  if (show->parsed()) return ShowStatus(invocation, **connection);
  if (create->parsed()) return CreateToken(invocation, **connection, options);
  const absl::StatusOr<std::string> files =
      AddUser(invocation, **connection, options);
  return files.ok() ? invocation.Print(*files)
                    : invocation.Fail(files.status());
}

}  // namespace berth::cli

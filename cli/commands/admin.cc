#include "cli/commands/admin.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/call.h"
#include "cli/commands/admin_audit.h"
#include "cli/commands/admin_certificates.h"
#include "cli/commands/admin_policy.h"
#include "cli/commands/admin_tokens.h"
#include "cli/commands/admin_users.h"
#include "cli/commands/parser.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth admin token create --names 'web*' --ttl 1h --uses 20\n"
    "  berth admin user add alice --out ~/alice\n"
    "  berth admin user key add alice -f ~/.ssh/id_ed25519.pub\n"
    "  berth admin user lock alice --reason 'laptop stolen'\n"
    "  berth admin cert revoke --computer web01\n"
    "  berth admin policy apply -f policy.toml --dry-run\n"
    "  berth admin can-i create web01 --as alice\n"
    "  berth admin audit search --user alice --since 1h\n"
    "  berth admin audit verify\n"
    "  berth admin status\n";

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
  Parser parser("admin", "For administrators of a broker.", kExamples);
  parser.app().require_subcommand(1);
  AdminTokens tokens(parser.app());
  AdminUsers users(parser.app());
  AdminCertificates certificates(parser.app());
  parser.app().add_subcommand("status",
                              "How the broker is, and what it could not know");
  AdminPolicy policy(parser.app());
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
  if (tokens.parsed()) return tokens.Run(invocation, **connection);
  if (users.parsed()) return users.Run(invocation, **connection);
  if (certificates.parsed()) return certificates.Run(invocation, **connection);
  return ShowStatus(invocation, **connection);
}

}  // namespace berth::cli

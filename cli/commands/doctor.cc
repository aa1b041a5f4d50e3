#include "cli/commands/doctor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/expiry.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/config/contexts.h"
#include "cli/doctor/dial.h"
#include "cli/doctor/tls_probe.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Looks at one thing after another: the context, the certificate, the\n"
    "broker's name, its port, who answers there, and what it says. What is\n"
    "wrong is told with a way out; nothing is changed.\n\n"
    "Examples:\n"
    "  berth doctor\n"
    "  berth doctor --context prod\n";

constexpr absl::Duration kPatience = absl::Seconds(5);

// The checks, each of which needs those before it.
class Doctor {
 public:
  Doctor(Invocation& invocation, std::string context_name)
      : invocation_(invocation), context_name_(std::move(context_name)) {}

  int Run() {
    for (const auto& [what, check] :
         {std::pair{"context", &Doctor::CheckContext},
          {"certificate", &Doctor::CheckCertificate},
          {"connection", &Doctor::CheckConnection},
          {"broker", &Doctor::CheckTls},
          {"access", &Doctor::CheckAccess}}) {
      const absl::StatusOr<std::string> result = (this->*check)();
      if (invocation_.signals().left()) {
        return invocation_.signals().exit_code();
      }
      const std::string line = absl::StrFormat(
          "%-6s  %-11s  %s\n", result.ok() ? "ok" : "FAILED", what,
          EscapeForTerminal(
              result.ok() ? *result : std::string(result.status().message())));
      if (const int exit = invocation_.Print(line); exit != 0) return exit;
      if (!result.ok()) return 1;
    }
    return 0;
  }

 private:
  absl::StatusOr<std::string> CheckContext() {
    BERTH_ASSIGN_OR_RETURN(
        context_, ResolveContext(invocation_.environment(), context_name_));
    BERTH_ASSIGN_OR_RETURN(identity_.ca_pem, ReadFile(context_.ca));
    BERTH_ASSIGN_OR_RETURN(identity_.cert_pem, ReadFile(context_.certificate));
    BERTH_ASSIGN_OR_RETURN(identity_.key_pem, ReadSecretFile(context_.key));
    return absl::StrCat("broker ", context_.broker);
  }

  absl::StatusOr<std::string> CheckCertificate() {
    BERTH_ASSIGN_OR_RETURN(const Identity identity,
                           CertificateIdentity(identity_.cert_pem));
    if (identity.purpose != Purpose::kUser) {
      return absl::FailedPreconditionError(
          absl::StrCat(context_.certificate, " is of ",
                       PurposeName(identity.purpose), " '", identity.name,
                       "', and clients need one of a user; an administrator "
                       "makes it with 'berth admin user add'"));
    }
    BERTH_RETURN_IF_ERROR(CheckNotExpired(
        context_.certificate, identity_.cert_pem, absl::Now(),
        "an administrator makes another with 'berth admin user add'"));
    BERTH_ASSIGN_OR_RETURN(const absl::Time end,
                           CertificateExpiry(identity_.cert_pem));
    return absl::StrCat(
        "user '", identity.name, "', until ",
        absl::FormatTime("%Y-%m-%d", end, absl::LocalTimeZone()));
  }

  absl::StatusOr<std::string> CheckConnection() {
    BERTH_ASSIGN_OR_RETURN(dialled_, Dial(context_.broker, kPatience));
    return absl::StrCat(dialled_.address, " takes connections");
  }

  absl::StatusOr<std::string> CheckTls() {
    BERTH_RETURN_IF_ERROR(
        ProbeTls(dialled_.socket.get(), identity_, kPatience));
    return "a broker of this fleet, which accepts the certificate";
  }

  absl::StatusOr<std::string> CheckAccess() {
    BERTH_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                           invocation_.connector().Connect(
                               invocation_.environment(), context_name_));
    v1::ListComputersResponse response;
    BERTH_RETURN_IF_ERROR(
        Call(*connection, invocation_.signals(), connection->computers(),
             &v1::Computers::Stub::ListComputers, v1::ListComputersRequest(),
             response, kPatience));
    const auto online =
        std::count_if(response.computers().begin(), response.computers().end(),
                      [](const v1::Computer& computer) {
                        return computer.state() == v1::COMPUTER_STATE_ONLINE;
                      });
    return absl::StrCat(
        online, " of ", response.computers_size(), " computers online",
        response.computers_size() == 0
            ? "; add one: 'berth admin token create', and there "
              "'berth-agent join'"
            : "");
  }

  Invocation& invocation_;
  const std::string context_name_;
  Context context_;
  TlsIdentity identity_;
  Dialled dialled_;
};

}  // namespace

int RunDoctor(Invocation& invocation, std::vector<std::string> words) {
  Parser parser("doctor",
                "Says whether the broker can be reached, and why not.",
                kExamples);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  return Doctor(invocation, parser.context()).Run();
}

}  // namespace berth::cli

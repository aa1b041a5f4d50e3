#include "cli/commands/admin_certificates.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

std::string When(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time),
                          absl::LocalTimeZone());
}

std::string State(const v1::IssuedCertificate& certificate, absl::Time now) {
  if (certificate.has_revoked_at()) {
    return absl::StrCat("revoked ", When(certificate.revoked_at()), " by ",
                        certificate.revoked_by(), " ",
                        certificate.revoke_reason());
  }
  return FromProto(certificate.expires_at()) <= now ? "expired" : "good";
}

}  // namespace

AdminCertificates::AdminCertificates(CLI::App& admin)
    : cert_(admin.add_subcommand("cert",
                                 "The certificates of users and computers")),
      ls_(cert_->add_subcommand("ls", "Lists them")),
      revoke_(cert_->add_subcommand(
          "revoke",
          "Revokes them, at once: also what is connected is cut off")) {
  cert_->require_subcommand(1);
  revoke_->add_option("serial", serial_,
                      "serial number, or its first 6 digits or more");
  for (CLI::App* command : {ls_, revoke_}) {
    command->add_option("--user", user_, "those of a user")->type_name("NAME");
    command->add_option("--computer", computer_, "those of a computer")
        ->type_name("NAME");
  }
  revoke_->add_option("--reason", reason_, "shown to whoever comes with it");
  Parser::AddFormat(*ls_, format_);
}

int AdminCertificates::Run(Invocation& invocation, Connection& connection) {
  return revoke_->parsed() ? Revoke(invocation, connection)
                           : List(invocation, connection);
}

int AdminCertificates::List(Invocation& invocation, Connection& connection) {
  v1::ListCertificatesRequest request;
  request.set_user(user_);
  request.set_computer(computer_);
  v1::ListCertificatesResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::ListCertificates, request, response);
  if (!status.ok()) return invocation.Fail(status);
  if (format_ == Format::kJson || format_ == Format::kJsonl) {
    return invocation.Print(ToJson(response.certificates(), format_));
  }
  Table table({{"Serial", 32},
               {"For", 6},
               {"Name", 16},
               {"Expires", 16},
               {"Issued by"},
               {"State"}});
  std::string names;
  for (const v1::IssuedCertificate& certificate : response.certificates()) {
    absl::StrAppend(&names, EscapeForTerminal(certificate.serial()), "\n");
    table.AddRow(
        {certificate.serial(), certificate.purpose(), certificate.name(),
         When(certificate.expires_at()),
         certificate.issued_by().empty() ? "(seen)" : certificate.issued_by(),
         State(certificate, absl::Now())});
  }
  return invocation.Print(format_ == Format::kName ? names : table.Render());
}

int AdminCertificates::Revoke(Invocation& invocation, Connection& connection) {
  v1::RevokeCertificatesRequest request;
  request.set_serial(serial_);
  request.set_user(user_);
  request.set_computer(computer_);
  request.set_reason(reason_);
  v1::RevokeCertificatesResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::RevokeCertificates, request, response);
  if (!status.ok()) return invocation.Fail(status);
  std::string text;
  for (const v1::IssuedCertificate& certificate : response.certificates()) {
    absl::StrAppend(&text, EscapeForTerminal(certificate.serial()), "\n");
  }
  return invocation.Print(text);
}

}  // namespace berth::cli

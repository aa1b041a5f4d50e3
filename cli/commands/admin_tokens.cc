#include "cli/commands/admin_tokens.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

constexpr uint32_t kMaxUses = 10000;

// Of both kinds of tokens.
template <typename Token>
std::string State(const Token& token, absl::Time now) {
  if (token.max_uses() > 0 && token.uses() >= token.max_uses()) return "used";
  return FromProto(token.expires_at()) <= now ? "expired" : "good";
}

template <typename Token>
std::string Uses(const Token& token) {
  return absl::StrCat(
      token.uses(), "/",
      token.max_uses() == 0 ? "any" : absl::StrCat(token.max_uses()));
}

// One list of both; those of users name one.
template <typename Joins, typename Users>
std::string ToJson(const Joins& joins, const Users& users, Format format) {
  if (joins.empty()) return cli::ToJson(users, format);
  std::string all = cli::ToJson(joins, format);
  if (users.empty()) return all;
  const std::string more = cli::ToJson(users, format);
  if (format == Format::kJsonl) return all + more;
  all.resize(all.rfind("\n]"));
  return absl::StrCat(all, ",", more.substr(1));
}

std::string When(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time),
                          absl::LocalTimeZone());
}

}  // namespace

AdminTokens::AdminTokens(CLI::App& admin)
    : token_(admin.add_subcommand(
          "token", "Tokens for new computers, and for users' programs")),
      create_(token_->add_subcommand(
          "create", "Makes a token, and prints it: it is never shown again")),
      ls_(token_->add_subcommand("ls", "Lists tokens, without their secrets")),
      rm_(token_->add_subcommand("rm", "Makes tokens useless")) {
  token_->require_subcommand(1);
  Parser::AddTime(*create_, "--ttl", lifetime_,
                  "how long it can be used (1h; at most 7d; of a user's 30d, "
                  "at most 366d)");
  create_
      ->add_option("--user", user_,
                   "a token for this user's programs, for 'berth login'; else "
                   "one with which computers join")
      ->type_name("NAME");
  create_
      ->add_option("--names,--name-pattern", names_,
                   "names it may enrol with, such as \"web*\"; else any")
      ->type_name("PATTERN")
      ->excludes("--user");
  create_
      ->add_option("--uses", uses_,
                   "how many computers may enrol with it (1; at most 10000); "
                   "how often a user may log in (any number)")
      ->check(CLI::Range(1u, kMaxUses));
  Parser::AddFormat(*ls_, format_);
  rm_->add_option("id", ids_, "as 'token ls' shows them")->required();
}

int AdminTokens::Run(Invocation& invocation, Connection& connection) {
  if (create_->parsed()) return Create(invocation, connection);
  if (rm_->parsed()) return Remove(invocation, connection);
  return List(invocation, connection);
}

int AdminTokens::CreateForUser(Invocation& invocation, Connection& connection) {
  v1::CreateUserTokenRequest request;
  request.set_user(user_);
  request.set_max_uses(uses_.value_or(0));
  if (lifetime_) *request.mutable_lifetime() = ToProto(*lifetime_);
  v1::CreateUserTokenResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.users(),
           &v1::Users::Stub::CreateUserToken, request, response);
  if (!status.ok()) return invocation.Fail(status);
  return invocation.Print(
      absl::StrCat(EscapeForTerminal(response.token()), "\n"));
}

int AdminTokens::Create(Invocation& invocation, Connection& connection) {
  if (!user_.empty()) return CreateForUser(invocation, connection);
  v1::CreateJoinTokenRequest request;
  request.set_name_pattern(names_);
  request.set_max_uses(uses_.value_or(1));
  if (lifetime_) *request.mutable_lifetime() = ToProto(*lifetime_);
  v1::CreateJoinTokenResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.admin(),
           &v1::Admin::Stub::CreateJoinToken, request, response);
  if (!status.ok()) return invocation.Fail(status);
  return invocation.Print(
      absl::StrCat(EscapeForTerminal(response.token()), "\n"));
}

int AdminTokens::List(Invocation& invocation, Connection& connection) {
  v1::ListJoinTokensResponse response;
  const absl::Status status = Call(
      connection, invocation.signals(), connection.admin(),
      &v1::Admin::Stub::ListJoinTokens, v1::ListJoinTokensRequest(), response);
  if (!status.ok()) return invocation.Fail(status);
  v1::ListUserTokensResponse users;
  const absl::Status listed = Call(
      connection, invocation.signals(), connection.users(),
      &v1::Users::Stub::ListUserTokens, v1::ListUserTokensRequest(), users);
  // A broker of before there were such.
  if (!listed.ok() && !absl::IsUnimplemented(listed) &&
      !absl::IsPermissionDenied(listed)) {
    return invocation.Fail(listed);
  }
  if (format_ == Format::kJson || format_ == Format::kJsonl) {
    return invocation.Print(ToJson(response.tokens(), users.tokens(), format_));
  }
  Table table({{"Id", 14},
               {"For", 12},
               {"Uses", 6},
               {"State", 7},
               {"Expires", 16},
               {"Made by"},
               {"Last used by"}});
  std::string names;
  for (const v1::JoinToken& token : response.tokens()) {
    absl::StrAppend(&names, EscapeForTerminal(token.id()), "\n");
    table.AddRow(
        {token.id(), token.name_pattern().empty() ? "*" : token.name_pattern(),
         Uses(token), State(token, absl::Now()), When(token.expires_at()),
         token.created_by(), token.used_by()});
  }
  for (const v1::UserToken& token : users.tokens()) {
    absl::StrAppend(&names, EscapeForTerminal(token.id()), "\n");
    table.AddRow({token.id(), absl::StrCat("user ", token.user()), Uses(token),
                  State(token, absl::Now()), When(token.expires_at()),
                  token.created_by(), token.used_from()});
  }
  return invocation.Print(format_ == Format::kName ? names : table.Render());
}

int AdminTokens::Remove(Invocation& invocation, Connection& connection) {
  for (const std::string& id : ids_) {
    v1::RemoveJoinTokenRequest request;
    request.set_id(id);
    v1::RemoveJoinTokenResponse response;
    v1::RemoveUserTokenRequest user_request;
    user_request.set_id(id);
    v1::RemoveUserTokenResponse user_response;
    const absl::Status status =
        absl::StartsWith(id, "u-")
            ? Call(connection, invocation.signals(), connection.users(),
                   &v1::Users::Stub::RemoveUserToken, user_request,
                   user_response)
            : Call(connection, invocation.signals(), connection.admin(),
                   &v1::Admin::Stub::RemoveJoinToken, request, response);
    if (!status.ok()) return invocation.Fail(status);
  }
  return 0;
}

}  // namespace berth::cli

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "broker/policy/verb.h"
#include "cli/client/call.h"
#include "cli/commands/admin_policy.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

// What is to be said about a verb beside the broker's answer.
std::string Footnote(const std::string& text) {
  const absl::StatusOr<broker::Verb> verb = broker::ParseVerb(text);
  if (!verb.ok() || !broker::IsAboutSessions(*verb)) return "";
  return absl::StrCat("('", text,
                      "' is about sessions of others: with their own, ",
                      "everybody may do everything)\n");
}

}  // namespace

void AdminPolicy::AddQuestions(CLI::App& app) {
  can_i_ = app.add_subcommand(
      "can-i",
      "Says whether you may do something, and why: exit status 0 or 1");
  who_can_ = app.add_subcommand("who-can", "Lists who may do something");
  for (CLI::App* verb : {can_i_, who_can_}) {
    verb->add_option("verb", verb_,
                     "list, create, run, enter, peek, take, receive, copy, "
                     "remove or admin")
        ->required();
    verb->add_option("computer", computer_, "where; not with admin");
    verb->add_option("--configuration", configuration_,
                     "what the session is made from")
        ->type_name("NAME");
    verb->add_option("--run-as", run_as_, "the user that the session runs as")
        ->type_name("USER");
  }
  can_i_->add_option("--as", user_, "another user: for administrators")
      ->type_name("USER");
}

int AdminPolicy::CanI() {
  v1::CanIRequest request;
  request.set_user(user_);
  request.set_verb(verb_);
  request.set_computer(computer_);
  request.set_configuration(configuration_);
  request.set_run_as(run_as_);
  v1::CanIResponse response;
  const absl::Status status =
      Call(*connection_, invocation_->signals(), *stub_,
           &v1::Policies::Stub::CanI, request, response);
  if (!status.ok()) return invocation_->Fail(status);
  const int exit = invocation_->Print(
      absl::StrCat(response.allowed() ? "yes: " : "no: ",
                   EscapeForTerminal(response.explanation()), "\n",
                   response.allowed() ? "" : Footnote(verb_)));
  return exit != 0 ? exit : response.allowed() ? 0 : 1;
}

int AdminPolicy::WhoCan() {
  v1::WhoCanRequest request;
  request.set_verb(verb_);
  request.set_computer(computer_);
  request.set_configuration(configuration_);
  request.set_run_as(run_as_);
  v1::WhoCanResponse response;
  const absl::Status status =
      Call(*connection_, invocation_->signals(), *stub_,
           &v1::Policies::Stub::WhoCan, request, response);
  if (!status.ok()) return invocation_->Fail(status);
  if (response.users().empty()) {
    invocation_->Say("nobody");
    return 0;
  }
  Table table({{"User", 16}, {"Roles"}});
  for (const v1::AllowedUser& user : response.users()) {
    table.AddRow({user.user(), absl::StrJoin(user.roles(), ", ")});
  }
  return invocation_->Print(table.Render());
}

}  // namespace berth::cli

#include "broker/services/policies_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/grpc_status.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/services/caller.h"

namespace berth::broker {
namespace {

// Stands for the role of those whom the broker's configuration makes
// administrators.
constexpr char kConfigured[] = "admins of broker.toml";

v1::PolicyVersion ToProto(const PolicyRecord& record, bool with_text,
                          uint32_t current) {
  v1::PolicyVersion version;
  version.set_version(record.version);
  if (record.version != 0) {
    *version.mutable_applied_at() = berth::ToProto(record.at);
  }
  version.set_applied_by(record.by);
  if (with_text) version.set_text(record.text);
  version.set_built_in(record.built_in);
  if (record.restores.has_value()) version.set_restores(*record.restores);
  version.set_current(record.version == current);
  return version;
}

// What may not be meant by a policy.
std::vector<std::string> WarningsOf(const Policy& policy,
                                    const Registry& registry) {
  constexpr size_t kMaxWarnings = 20;
  std::vector<std::string> warnings;
  std::vector<NodeSet::Node> nodes;
  for (const v1::Computer& computer : registry.Computers()) {
    nodes.push_back({computer.name(),
                     {computer.labels().begin(), computer.labels().end()}});
  }
  bool creates = false;
  for (const Role& role : policy.roles()) {
    creates = creates || role.verbs.Has(Verb::kCreate);
    if (!role.computers.has_value() || nodes.empty()) continue;
    const bool fits = std::any_of(
        nodes.begin(), nodes.end(),
        [&](const NodeSet::Node& node) { return role.computers->Has(node); });
    if (!fits && warnings.size() < kMaxWarnings) {
      warnings.push_back(absl::StrCat(
          "role '", role.name,
          "' fits no computer that is known now: ", role.computers_text));
    }
  }
  if (!creates) {
    warnings.push_back("no role grants 'create': nobody can make sessions");
  }
  return warnings;
}

}  // namespace

PolicyBook::Done<PolicyBook::VersionPtr> PoliciesService::AnswerWith(
    grpc::ServerUnaryReactor* reactor, v1::ApplyPolicyResponse* response,
    const std::string& user, bool dry_run) {
  return [this, reactor, response, user,
          dry_run](absl::StatusOr<PolicyBook::VersionPtr> version) {
    if (version.ok()) {
      const PolicyRecord& record = (*version)->record;
      *response->mutable_policy() =
          ToProto(record, /*with_text=*/false, dry_run ? 0 : record.version);
      response->set_previous(record.version - 1);
      for (std::string& warning :
           WarningsOf(*(*version)->policy, fleet_.registry())) {
        response->add_warnings(std::move(warning));
      }
      if (!dry_run) {
        SPDLOG_INFO("user '{}' applies version {} of the policy", user,
                    record.version);
      }
    }
    reactor->Finish(ToGrpcStatus(version.status()));
  };
}

grpc::ServerUnaryReactor* PoliciesService::ApplyPolicy(
    grpc::CallbackServerContext* context, const v1::ApplyPolicyRequest* request,
    v1::ApplyPolicyResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string user = CallerName(*context);
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    reactor->Finish(ToGrpcStatus(kept));
    return reactor;
  }
  PolicyBook::Change change{
      .text = request->text(), .by = user, .dry_run = request->dry_run()};
  if (request->has_expected_version()) {
    change.expected = request->expected_version();
  }
  fleet_.access().book().Apply(
      std::move(change),
      AnswerWith(reactor, response, user, request->dry_run()));
  return reactor;
}

grpc::ServerUnaryReactor* PoliciesService::RollBackPolicy(
    grpc::CallbackServerContext* context,
    const v1::RollBackPolicyRequest* request,
    v1::ApplyPolicyResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string user = CallerName(*context);
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    reactor->Finish(ToGrpcStatus(kept));
    return reactor;
  }
  PolicyBook::Change change{
      .text = "", .by = user, .dry_run = request->dry_run()};
  if (request->has_expected_version()) {
    change.expected = request->expected_version();
  }
  fleet_.access().book().RollBack(
      request->version(), std::move(change),
      AnswerWith(reactor, response, user, request->dry_run()));
  return reactor;
}

grpc::ServerUnaryReactor* PoliciesService::GetPolicy(
    grpc::CallbackServerContext* context, const v1::GetPolicyRequest* request,
    v1::PolicyVersion* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  PolicyBook& book = fleet_.access().book();
  const auto current = book.Current();
  if (!request->has_version() ||
      request->version() == current->record.version) {
    // Also while the registry can't be read.
    *response =
        ToProto(current->record, /*with_text=*/true, current->record.version);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  book.Get(request->version(),
           [reactor, response, now = current->record.version](
               absl::StatusOr<PolicyRecord> record) {
             if (record.ok()) {
               *response = ToProto(*record, /*with_text=*/true, now);
             }
             reactor->Finish(ToGrpcStatus(record.status()));
           });
  return reactor;
}

grpc::ServerUnaryReactor* PoliciesService::ListPolicyVersions(
    grpc::CallbackServerContext* context,
    const v1::ListPolicyVersionsRequest* /*request*/,
    v1::ListPolicyVersionsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  PolicyBook& book = fleet_.access().book();
  book.List([reactor, response, now = book.Current()->record.version](
                absl::StatusOr<std::vector<PolicyRecord>> records) {
    if (records.ok()) {
      for (const PolicyRecord& record : *records) {
        *response->add_versions() = ToProto(record, /*with_text=*/false, now);
      }
    }
    reactor->Finish(ToGrpcStatus(records.status()));
  });
  return reactor;
}

absl::Status PoliciesService::Decide(const std::string& caller,
                                     const v1::CanIRequest& request,
                                     v1::CanIResponse& response) {
  const Access& access = fleet_.access();
  const std::string user = request.user().empty() ? caller : request.user();
  const bool admin = access.IsAdmin(caller);
  if (user != caller && !admin) {
    return absl::PermissionDeniedError(
        absl::StrCat("user '", caller,
                     "' is no administrator, and may ask for themselves "
                     "alone"));
  }
  BERTH_RETURN_IF_ERROR(CheckName("user", user));
  BERTH_ASSIGN_OR_RETURN(const Verb verb, ParseVerb(request.verb()));
  const auto current = fleet_.access().book().Current();
  const Rights rights = access.RightsOf(user);
  response.set_version(current->record.version);
  if (verb == Verb::kAdmin && access.IsConfiguredAdmin(user)) {
    response.set_allowed(true);
    response.set_explanation(absl::StrCat("user '", user,
                                          "' is among `admins` of "
                                          "broker.toml"));
    return absl::OkStatus();
  }
  Action action{.verb = verb};
  if (verb != Verb::kAdmin) {
    // As the caller may know of it.
    BERTH_RETURN_IF_ERROR(
        access.ViewerFor(caller).FindComputer(request.computer()).status());
    BERTH_ASSIGN_OR_RETURN(
        action, access.ActionOn(request.computer(), verb,
                                request.configuration(), request.run_as()));
  }
  Decision decision = rights.Decide(action);
  response.set_allowed(decision.allowed);
  response.set_role(std::move(decision.role));
  response.set_explanation(std::move(decision.why));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* PoliciesService::CanI(
    grpc::CallbackServerContext* context, const v1::CanIRequest* request,
    v1::CanIResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(
      ToGrpcStatus(Decide(CallerName(*context), *request, *response)));
  return reactor;
}

absl::Status PoliciesService::Find(const v1::WhoCanRequest& request,
                                   v1::WhoCanResponse& response) {
  const Access& access = fleet_.access();
  BERTH_ASSIGN_OR_RETURN(const Verb verb, ParseVerb(request.verb()));
  Action action{.verb = verb};
  if (verb != Verb::kAdmin) {
    BERTH_ASSIGN_OR_RETURN(
        action,
        fleet_.access().ActionOn(request.computer(), verb,
                                 request.configuration(), request.run_as()));
  }
  std::map<std::string, std::vector<std::string>> found =
      fleet_.access().book().Current()->policy->WhoCan(action);
  if (verb == Verb::kAdmin) {
    for (const std::string& admin : access.configured_admins()) {
      found[admin].push_back(kConfigured);
    }
  }
  for (auto& [user, roles] : found) {
    v1::AllowedUser& to = *response.add_users();
    to.set_user(user);
    for (std::string& role : roles) to.add_roles(std::move(role));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* PoliciesService::WhoCan(
    grpc::CallbackServerContext* context, const v1::WhoCanRequest* request,
    v1::WhoCanResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(Find(*request, *response)));
  return reactor;
}

}  // namespace berth::broker

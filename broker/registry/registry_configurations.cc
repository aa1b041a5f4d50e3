#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "broker/registry/registry.h"

namespace berth::broker {
namespace {

absl::Status CheckAllows(absl::string_view computer,
                         const v1::Configuration& info,
                         const v1::CreateSessionRequest& request) {
  const std::string what =
      absl::StrCat("configuration '", info.name(), "' on '", computer, "'");
  if (!info.enabled()) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, " is disabled",
        info.problem().empty()
            ? absl::StrCat("; there: berth-agent configuration enable ",
                           info.name())
            : absl::StrCat(": ", info.problem())));
  }
  if (request.never_idles()) {
    if (info.may_never_idle()) return absl::OkStatus();
    return absl::PermissionDeniedError(absl::StrCat(
        "sessions of ", what, " must have an idle timeout; at most ",
        absl::FormatDuration(FromProto(info.max_idle_timeout()))));
  }
  const absl::Duration max = FromProto(info.max_idle_timeout());
  const absl::Duration given = FromProto(request.idle_timeout());
  if (info.has_max_idle_timeout() && given > max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the idle timeout ", absl::FormatDuration(given),
        " is above the maximum of ", what, ", ", absl::FormatDuration(max)));
  }
  return absl::OkStatus();
}

}  // namespace

void Registry::SetConfigurations(
    const google::protobuf::RepeatedPtrField<v1::Configuration>& all,
    ComputerEntry& entry) {
  entry.configurations.clear();
  entry.record.configurations.clear();
  for (const v1::Configuration& each : all) {
    v1::Configuration& configuration = entry.configurations[each.name()];
    configuration = each;
    configuration.set_computer(entry.record.name);
    entry.record.configurations[each.name()] =
        configuration.SerializeAsString();
  }
}

void Registry::SetConfigurations(
    absl::string_view computer,
    const link::v1::ConfigurationsChanged& changed, ComputerRecord* record) {
  MutexLock lock(mu_);
  ComputerEntry& entry = ComputerLocked(computer);
  SetConfigurations(changed.configurations(), entry);
  entry.frozen = changed.frozen();
  *record = entry.record;
}

absl::Status Registry::CheckConfiguration(
    absl::string_view computer, const v1::CreateSessionRequest& request) const {
  MutexLock lock(mu_);
  auto found = computers_.find(computer);
  if (found == computers_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no computer '", computer, "'; see `berth computers`"));
  }
  const std::string& name = request.configuration();
  std::vector<std::string> names;
  for (const auto& [key, info] : found->second.configurations) {
    names.push_back(key);
    if (name.empty() ? info.is_default() : key == name) {
      return CheckAllows(computer, info, request);
    }
  }
  // Without a default that it told of, the agent decides.
  if (name.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      "computer '", computer, "' has no configuration '",
      EscapeForTerminal(name.substr(0, 80)),
      "'; it has: ", names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

std::string Registry::DefaultConfiguration(absl::string_view computer) const {
  MutexLock lock(mu_);
  auto found = computers_.find(computer);
  if (found == computers_.end()) return "";
  for (const auto& [name, info] : found->second.configurations) {
    if (info.is_default()) return name;
  }
  return "";
}

std::vector<v1::Configuration> Registry::Configurations() const {
  MutexLock lock(mu_);
  std::vector<v1::Configuration> all;
  for (const auto& [computer, entry] : computers_) {
    for (const auto& [name, info] : entry.configurations) all.push_back(info);
  }
  return all;
}

}  // namespace berth::broker

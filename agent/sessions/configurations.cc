#include "agent/sessions/configurations.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sessions/admin_file.h"
#include "agent/sessions/toml_reader.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr char kSuffix[] = ".toml";

v1::ShellKind ToProto(ShellKind kind) {
  switch (kind) {
    case ShellKind::kBash:
      return v1::SHELL_KIND_BASH;
    case ShellKind::kZsh:
      return v1::SHELL_KIND_ZSH;
    case ShellKind::kPython:
      return v1::SHELL_KIND_PYTHON;
    case ShellKind::kRestricted:
      return v1::SHELL_KIND_RESTRICTED;
  }
  return v1::SHELL_KIND_UNSPECIFIED;
}

void DescribeLimits(const Limits& limits, v1::Configuration& info) {
  auto& out = *info.mutable_limits();
  const auto count = [&](const char* name,
                         const std::optional<uint64_t>& value) {
    if (value.has_value()) out[name] = absl::StrCat(*value);
  };
  count("max_sessions", limits.max_sessions);
  count("max_sessions_per_user", limits.max_sessions_per_user);
  count("processes", limits.processes);
  count("open_files", limits.open_files);
  if (limits.memory.has_value()) out["memory"] = SizeText(*limits.memory);
  if (limits.file_size.has_value()) {
    out["file_size"] = SizeText(*limits.file_size);
  }
  if (limits.cpu.has_value()) out["cpu"] = absl::StrCat(*limits.cpu);
}

// The names of files NAME.toml in `directory`, sorted.
std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, missing)) {
    const std::string file = entry.path().filename();
    absl::string_view name = file;
    if (absl::ConsumeSuffix(&name, kSuffix) &&
        CheckName("configuration", name).ok()) {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

v1::Configuration DescribeConfiguration(const std::string& name,
                                        const Configuration& configuration) {
  v1::Configuration info;
  info.set_name(name);
  info.set_enabled(configuration.enabled);
  info.set_shell(ToProto(configuration.kind));
  *info.mutable_default_idle_timeout() =
      berth::ToProto(configuration.idle_timeout);
  *info.mutable_max_idle_timeout() =
      berth::ToProto(configuration.max_idle_timeout);
  info.set_may_never_idle(configuration.may_never_idle);
  info.set_idle_while_busy(configuration.idle_while_busy);
  info.set_buffering(configuration.drop_when_full ? v1::BUFFERING_MODE_DROP
                                                  : v1::BUFFERING_MODE_BLOCK);
  info.set_log_limit(configuration.log_limit);
  info.set_description(configuration.description);
  DescribeLimits(configuration.limits, info);
  const std::string record = RecordText(configuration);
  if (!record.empty()) (*info.mutable_limits())["recorded"] = record;
  for (const AllowedProgram& program : configuration.allowed) {
    info.add_allowed(program.name);
  }
  return info;
}

std::vector<v1::Configuration> Configurations::Snapshot::Describe(
    const CgroupControllers& controllers) const {
  std::vector<v1::Configuration> all;
  for (const auto& [name, entry] : entries) {
    v1::Configuration& info =
        all.emplace_back(DescribeConfiguration(name, entry.configuration));
    info.set_enabled(info.enabled() && entry.usable);
    info.set_is_default(name == default_name);
    info.set_problem(entry.problem);
    const auto append = [&info](const char* limit, bool kept,
                                const char* what) {
      const auto it = info.mutable_limits()->find(limit);
      if (!kept && it != info.mutable_limits()->end()) it->second += what;
    };
    append("memory", controllers.memory, " (each process)");
    append("processes", controllers.processes, " (all of the user's)");
    append("cpu", controllers.cpu, " (not kept here: no cgroup)");
  }
  return all;
}

absl::StatusOr<ConfigurationChoices> ParseChoices(absl::string_view text,
                                                  absl::string_view path) {
  const TomlReader reader(path);
  BERTH_ASSIGN_OR_RETURN(const toml::table table, reader.Parse(text));
  ConfigurationChoices choices;
  for (auto&& [key, node] : table) {
    if (key == "default") {
      BERTH_RETURN_IF_ERROR(
          reader.Text(node, KeyText(key), choices.default_configuration));
    } else if (key == "enabled" && node.is_table()) {
      for (auto&& [name, value] : *node.as_table()) {
        BERTH_RETURN_IF_ERROR(
            reader.Flag(value, KeyText(name), choices.enabled[KeyText(name)]));
      }
    } else {
      return reader.Unknown(node, KeyText(key));
    }
  }
  return choices;
}

std::string ChoicesText(const ConfigurationChoices& choices) {
  std::string text = "# Written by berth-agent configuration.\n";
  // Names have no character that would need an escape.
  if (!choices.default_configuration.empty()) {
    absl::StrAppend(&text, "default = \"", choices.default_configuration,
                    "\"\n");
  }
  if (!choices.enabled.empty()) absl::StrAppend(&text, "[enabled]\n");
  for (const auto& [name, enabled] : choices.enabled) {
    absl::StrAppend(&text, "\"", name, "\" = ", enabled ? "true" : "false",
                    "\n");
  }
  return text;
}

absl::StatusOr<Config> Configurations::ReadConfig() const {
  absl::StatusOr<std::string> text = ReadAdminFile(config_file_, kMaxFileBytes);
  if (absl::IsNotFound(text.status()) && optional_) return Config();
  BERTH_RETURN_IF_ERROR(text.status());
  return ParseConfig(*text, config_file_);
}

void Configurations::ReadDirectory(Snapshot& snapshot,
                                   const Snapshot* before) const {
  for (const std::string& name : NamesIn(directory_)) {
    const std::string path = absl::StrCat(directory_, "/", name, kSuffix);
    absl::StatusOr<std::string> text = ReadAdminFile(path, kMaxFileBytes);
    absl::StatusOr<Configuration> parsed =
        text.ok() ? ParseConfiguration(*text, path)
                  : absl::StatusOr<Configuration>(text.status());
    Entry& entry = snapshot.entries[name];
    entry.registered = true;
    if (parsed.ok()) {
      entry.configuration = *std::move(parsed);
      continue;
    }
    entry.problem = std::string(parsed.status().message());
    if (before != nullptr && before->entries.contains(name)) {
      entry.configuration = before->entries.at(name).configuration;
      entry.usable = before->entries.at(name).usable;
    } else {
      entry.usable = false;  // There is nothing to go by.
    }
  }
}

void Configurations::ReadChoices(Snapshot& snapshot,
                                 const Snapshot* before) const {
  const std::string path = directory_ + "/choices";
  const absl::StatusOr<std::string> text = ReadAdminFile(path, kMaxFileBytes);
  if (absl::IsNotFound(text.status())) return;
  const absl::StatusOr<ConfigurationChoices> choices =
      text.ok() ? ParseChoices(*text, path)
                : absl::StatusOr<ConfigurationChoices>(text.status());
  if (!choices.ok()) {
    for (auto& [name, entry] : snapshot.entries) {
      entry.problem = std::string(choices.status().message());
      if (before != nullptr && before->entries.contains(name)) {
        entry.configuration.enabled =
            before->entries.at(name).configuration.enabled;
      }
    }
    return;
  }
  if (snapshot.entries.contains(choices->default_configuration)) {
    snapshot.default_name = choices->default_configuration;
  }
  for (const auto& [name, enabled] : choices->enabled) {
    const auto it = snapshot.entries.find(name);
    if (it == snapshot.entries.end()) continue;
    it->second.configuration.enabled = enabled;
  }
}

std::shared_ptr<const Configurations::Snapshot> Configurations::Read(
    const Config& config, const std::string& config_problem,
    const Snapshot* before) const {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->default_name = config.default_configuration;
  snapshot->max_sessions = config.max_sessions;
  snapshot->cgroup = config.cgroup;
  snapshot->run_as = config.run_as;
  snapshot->recordings_limit = config.recordings_limit;
  snapshot->recordings_seal_after = config.recordings_seal_after;
  for (const auto& [name, configuration] : config.configurations) {
    snapshot->entries[name] = {configuration, false, config_problem};
  }
  ReadDirectory(*snapshot, before);
  ReadChoices(*snapshot, before);
  return snapshot;
}

absl::Status Configurations::Load() {
  BERTH_ASSIGN_OR_RETURN(Config config, ReadConfig());
  auto snapshot = Read(config, "", nullptr);
  if (!snapshot->entries.contains(snapshot->default_name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        config_file_, ": default_configuration '",
        EscapeForTerminal(snapshot->default_name), "' does not exist"));
  }
  MutexLock lock(mu_);
  config_ = std::move(config);
  snapshot_ = std::move(snapshot);
  return absl::OkStatus();
}

std::vector<std::string> Configurations::Reload() {
  std::vector<std::string> problems;
  absl::StatusOr<Config> config = ReadConfig();
  MutexLock lock(mu_);
  if (config.ok()) {
    config_ = *std::move(config);
  }
  auto snapshot =
      Read(config_, config.ok() ? "" : std::string(config.status().message()),
           snapshot_.get());
  if (!snapshot->entries.contains(snapshot->default_name)) {
    problems.push_back(absl::StrCat(
        "default configuration '", EscapeForTerminal(snapshot->default_name),
        "' does not exist: sessions can be made only by naming another"));
  }
  for (const auto& [name, entry] : snapshot->entries) {
    if (!entry.problem.empty() && std::find(problems.begin(), problems.end(),
                                            entry.problem) == problems.end()) {
      problems.push_back(entry.problem);
    }
  }
  snapshot_ = std::move(snapshot);
  return problems;
}

std::shared_ptr<const Configurations::Snapshot> Configurations::Get() const {
  MutexLock lock(mu_);
  return snapshot_;
}

}  // namespace berth::agent

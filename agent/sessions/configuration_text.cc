#include "agent/sessions/configuration_text.h"

#include <sstream>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agent/sessions/toml_reader.h"
#include "toml++/toml.h"

namespace berth::agent {
namespace {

toml::array Texts(const std::vector<std::string>& texts) {
  toml::array array;
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

toml::table LimitsTable(const Limits& limits) {
  toml::table table;
  const auto count = [&](const char* key,
                         const std::optional<uint64_t>& value) {
    if (value.has_value()) table.insert(key, static_cast<int64_t>(*value));
  };
  const auto size = [&](const char* key, const std::optional<uint64_t>& value) {
    if (value.has_value()) table.insert(key, SizeText(*value));
  };
  count("max_sessions", limits.max_sessions);
  count("max_sessions_per_user", limits.max_sessions_per_user);
  size("memory", limits.memory);
  count("processes", limits.processes);
  if (limits.cpu.has_value()) table.insert("cpu", *limits.cpu);
  count("open_files", limits.open_files);
  size("file_size", limits.file_size);
  return table;
}

toml::array Programs(const std::vector<AllowedProgram>& programs) {
  toml::array array;
  for (const AllowedProgram& program : programs) {
    array.push_back(toml::table{{"name", program.name},
                                {"path", program.path},
                                {"arguments", Texts(program.arguments)},
                                {"repeat_last", program.repeat_last}});
  }
  return array;
}

}  // namespace

std::string ConfigurationText(const Configuration& it) {
  toml::table environment;
  for (const auto& [name, value] : it.environment) {
    environment.insert(name, value);
  }
  toml::table table{
      {"description", it.description},
      {"enabled", it.enabled},
      {"shell", it.shell},
      {"kind", KindName(it.kind)},
      {"login", it.login},
      {"arguments", Texts(it.arguments)},
      {"startup_script", it.startup_script},
      {"environment", std::move(environment)},
      {"idle_timeout", absl::FormatDuration(it.idle_timeout)},
      {"max_idle_timeout", absl::FormatDuration(it.max_idle_timeout)},
      {"may_never_idle", it.may_never_idle},
      {"idle_while_busy", it.idle_while_busy ? "idle" : "activity"},
      {"when_full", it.drop_when_full ? "drop" : "block"},
      {"log_limit", SizeText(it.log_limit)},
      {"copy_limit", SizeText(it.copy_limit)},
      {"no_new_privileges", it.no_new_privileges},
      {"limits", LimitsTable(it.limits)},
  };
  if (!it.cwd.empty()) table.insert("cwd", it.cwd);
  const std::string record = RecordText(it);
  if (record == "all") {
    table.insert("record", true);
  } else if (!record.empty()) {
    table.insert("record", record);
  }
  if (!it.run_as.empty()) table.insert("run_as", it.run_as);
  if (!it.allowed.empty()) table.insert("allowed", Programs(it.allowed));
  std::ostringstream text;
  text << table << "\n";
  return text.str();
}

}  // namespace berth::agent

#include "agent/sessions/config.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "agent/sessions/toml_reader.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr uint64_t kMostSessions = 100'000;
constexpr uint64_t kLeastRecordings = 4 << 20;
constexpr uint64_t kMostRecordings = uint64_t{1} << 40;

absl::Status ReadConfigurations(const TomlReader& reader,
                                const toml::node& node, Config& config) {
  if (!node.is_table()) return reader.Unknown(node, "configurations");
  for (auto&& [key, value] : *node.as_table()) {
    const std::string name = KeyText(key);
    const absl::Status good = CheckName("configuration", name);
    if (!good.ok()) return reader.At(value, good.message());
    if (!value.is_table()) {
      return reader.At(value, "a configuration must be a table");
    }
    BERTH_ASSIGN_OR_RETURN(config.configurations[name],
                           ReadConfiguration(reader, *value.as_table()));
  }
  return absl::OkStatus();
}

absl::Status ReadUsers(const TomlReader& reader, const toml::node& node,
                       RunAsRules& rules) {
  if (!node.is_table()) return reader.Unknown(node, "users");
  for (auto&& [key, value] : *node.as_table()) {
    const std::string user = KeyText(key);
    BERTH_RETURN_IF_ERROR(reader.Text(value, user, rules.users[user]));
  }
  return absl::OkStatus();
}

absl::Status ReadPam(const TomlReader& reader, const toml::node& node,
                     std::string& service) {
  BERTH_RETURN_IF_ERROR(reader.Text(node, "pam", service));
  const size_t slash = service.rfind('/');
  const bool path = slash != std::string::npos;
  const std::string name = path ? service.substr(slash + 1) : service;
  const auto good = [](char c) {
    // libpam makes names lower-case, and would take another service.
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' ||
           c == '-' || c == '.';
  };
  if (service.empty() ||
      (!name.empty() && std::all_of(name.begin(), name.end(), good) &&
       (!path ||
        (service[0] == '/' &&
         !std::any_of(service.begin(), service.end(), absl::ascii_iscntrl))))) {
    return absl::OkStatus();
  }
  return reader.At(
      node,
      "pam must be the name of a file in /etc/pam.d, such as \"berth\", or a "
      "file's absolute path; the file's name may have small letters, digits "
      "and ._- alone; \"\" is none");
}

// The keys about whose sessions there are, and who they run as.
absl::Status ReadRunAsKey(const TomlReader& reader, absl::string_view key,
                          const toml::node& node, RunAsRules& rules) {
  if (key == "run_as") return reader.Account(node, key, rules.run_as);
  if (key == "users") return ReadUsers(reader, node, rules);
  if (key == "allowed_run_as") return reader.Texts(node, key, rules.allowed);
  if (key == "denied_run_as") return reader.Texts(node, key, rules.denied);
  if (key == "allowed_owners") return reader.Texts(node, key, rules.owners);
  if (key == "pam") return ReadPam(reader, node, rules.pam);
  if (key == "holder_user") return reader.Account(node, key, rules.holder_user);
  return reader.Unknown(node, key);
}

absl::Status ReadRecordings(const TomlReader& reader, const toml::node& node,
                            Config& config) {
  if (!node.is_table()) return reader.Unknown(node, "recordings");
  for (auto&& [key, value] : *node.as_table()) {
    const std::string name = KeyText(key);
    if (name == "limit") {
      BERTH_RETURN_IF_ERROR(reader.Size(value, name, kLeastRecordings,
                                        kMostRecordings,
                                        config.recordings_limit));
    } else if (name == "seal_after") {
      BERTH_RETURN_IF_ERROR(reader.Time(value, name, absl::Seconds(1),
                                        absl::Hours(1),
                                        config.recordings_seal_after));
    } else {
      return reader.Unknown(value, name);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadKey(const TomlReader& reader, absl::string_view key,
                     const toml::node& node, Config& config) {
  if (key == "recordings") return ReadRecordings(reader, node, config);
  if (key == "configurations") return ReadConfigurations(reader, node, config);
  if (key == "default_configuration") {
    return reader.Text(node, key, config.default_configuration);
  }
  if (key == "max_sessions") {
    return reader.Count(node, key, 1, kMostSessions, config.max_sessions);
  }
  if (key == "cgroup") return reader.Path(node, key, config.cgroup);
  return ReadRunAsKey(reader, key, node, config.run_as);
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path) {
  const TomlReader reader(path);
  BERTH_ASSIGN_OR_RETURN(const toml::table table, reader.Parse(text));
  Config config;
  for (auto&& [key, node] : table) {
    BERTH_RETURN_IF_ERROR(ReadKey(reader, KeyText(key), node, config));
  }
  return config;
}

}  // namespace berth::agent

#include "broker/config.h"

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/toml.h"

namespace berth::broker {
namespace {

absl::Status AtLine(absl::string_view path, const toml::source_region& where,
                    absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", where.begin.line, ": ", what));
}

absl::Status ReadString(const toml::node& node, std::string* value) {
  const auto* text = node.as_string();
  if (text == nullptr || text->get().empty()) {
    return absl::InvalidArgumentError("must be a text");
  }
  *value = text->get();
  return absl::OkStatus();
}

absl::Status ReadDuration(const toml::node& node, absl::Duration min,
                          absl::Duration max, absl::Duration* value) {
  const auto* text = node.as_string();
  if (text == nullptr || !absl::ParseDuration(text->get(), value)) {
    return absl::InvalidArgumentError(
        "must be a time such as \"2s\" or \"12h\"");
  }
  if (*value < min || *value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be between ", absl::FormatDuration(min), " and ",
                     absl::FormatDuration(max)));
  }
  return absl::OkStatus();
}

absl::Status ReadCount(const toml::node& node, int64_t max, size_t* value) {
  const std::optional<int64_t> count = node.value_exact<int64_t>();
  if (!count.has_value() || *count < 1 || *count > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a number between 1 and ", max));
  }
  *value = static_cast<size_t>(*count);
  return absl::OkStatus();
}

absl::Status ReadNames(const toml::node& node,
                       std::vector<std::string>* names) {
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    return absl::InvalidArgumentError("must be a list of names");
  }
  names->clear();
  for (const toml::node& item : *array) {
    const auto* name = item.as_string();
    if (name == nullptr || name->get().empty()) {
      return absl::InvalidArgumentError("must be a list of names");
    }
    names->push_back(name->get());
  }
  return absl::OkStatus();
}

// Takes the value of `key` over. NotFound: there is no such key.
absl::Status ReadKey(absl::string_view key, const toml::node& node,
                     Config* config) {
  const absl::Duration year = absl::Hours(366 * 24);
  if (key == "listen") return ReadString(node, &config->listen);
  if (key == "log_level") return ReadString(node, &config->log_level);
  if (key == "registry") return ReadString(node, &config->registry);
  if (key == "admins") return ReadNames(node, &config->admins);
  if (key == "hold_grace") {
    return ReadDuration(node, absl::ZeroDuration(), absl::Hours(1),
                        &config->hold_grace);
  }
  if (key == "agent_certificate_lifetime") {
    return ReadDuration(node, absl::Hours(1), year,
                        &config->agent_certificate_lifetime);
  }
  if (key == "max_renewal") {
    return ReadDuration(node, absl::ZeroDuration(), year, &config->max_renewal);
  }
  if (key == "user_certificate_lifetime") {
    return ReadDuration(node, absl::Minutes(1), year,
                        &config->user_certificate_lifetime);
  }
  if (key == "ping_after") {
    return ReadDuration(node, absl::Seconds(5), absl::Hours(1),
                        &config->ping_after);
  }
  if (key == "links_starting") {
    return ReadCount(node, 10'000, &config->admission.starting);
  }
  if (key == "links_waiting") {
    return ReadCount(node, 1'000'000, &config->admission.waiting);
  }
  if (key == "limits") return ReadLimitsConfig(node, &config->limits);
  if (key == "recording") return ReadRecordingConfig(node, &config->recording);
  if (key == "audit") return ReadAuditConfig(node, &config->audit);
  return absl::NotFoundError(
      "no such key; there are listen, log_level, registry, admins, hold_grace, "
      "agent_certificate_lifetime, user_certificate_lifetime, max_renewal, "
      "ping_after, links_starting, links_waiting and the tables [audit], "
      "[limits] and [recording]");
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path) {
  BERTH_ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, path));
  Config config;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    absl::Status status = ReadKey(name, node, &config);
    if (!status.ok()) {
      return AtLine(path, key.source(),
                    absl::StrCat("'", name, "': ", status.message()));
    }
  }
  return config;
}

std::string FormatConfig(const Config& config) {
  return absl::StrCat(
      "# Configuration of berth-broker. Restart it after a change.\n\n",
      "# Where clients and agents connect to.\n",
      "listen = ", TomlString(config.listen), "\n\n",
      "# trace, debug, info, warning, error, critical or off.\n",
      "log_level = \"", config.log_level, "\"\n\n",
      "# What is known of computers and sessions; relative to this "
      "directory.\n",
      "registry = ", TomlString(config.registry), "\n\n",
      "# Users that may make join tokens and certificates.\n", "admins = [",
      absl::StrJoin(config.admins, ", ",
                    [](std::string* out, absl::string_view admin) {
                      out->append(TomlString(admin));
                    }),
      "]\n\n",
      "# How long a client may be gone before its sessions are disconnected.\n",
      "hold_grace = \"", absl::FormatDuration(config.hold_grace), "\"\n\n",
      "# For how long certificates are issued. Agents renew theirs.\n",
      "agent_certificate_lifetime = \"",
      absl::FormatDuration(config.agent_certificate_lifetime), "\"\n",
      "user_certificate_lifetime = \"",
      absl::FormatDuration(config.user_certificate_lifetime), "\"\n\n",
      "# For how long after their login a user's certificate renews itself "
      "while it is\n# in use. Then they log in again. \"0\": it never does.\n",
      "max_renewal = \"", absl::FormatDuration(config.max_renewal), "\"\n\n",
      "# After how long without a word an agent or client is asked whether it "
      "is\n# there; 10s later it is lost. Agents say something every 40s: less "
      "than that\n# shows lost computers sooner and costs CPU for each "
      "agent.\n",
      "ping_after = \"", absl::FormatDuration(config.ping_after), "\"\n\n",
      "# How many agents tell what they have at a time, and how many more may "
      "wait;\n# others are told when to come back.\n",
      "links_starting = ", config.admission.starting, "\n",
      "links_waiting = ", config.admission.waiting, "\n\n",
      FormatAuditConfig(config.audit), "\n", FormatLimitsConfig(config.limits),
      "\n", FormatRecordingConfig(config.recording));
}

}  // namespace berth::broker

#include "broker/gateway/config.h"

#include <toml++/toml.h>

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "base/toml.h"

namespace berth::gateway {
namespace {

absl::Status ReadText(const toml::node& node, std::string* value) {
  *value = node.value_exact<std::string>().value_or("");
  return value->empty() ? absl::InvalidArgumentError("must be a text")
                        : absl::OkStatus();
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

absl::Status ReadTime(const toml::node& node, absl::Duration* value) {
  const std::string text = node.value_exact<std::string>().value_or("");
  if (!absl::ParseDuration(text, value) || *value < absl::Seconds(1) ||
      *value > absl::Minutes(10)) {
    return absl::InvalidArgumentError(
        "must be a time such as \"30s\", from 1s to 10m");
  }
  return absl::OkStatus();
}

absl::Status ReadList(const toml::node& node, std::vector<std::string>* list) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return absl::InvalidArgumentError("must be a list");
  list->clear();
  for (const toml::node& item : *array) {
    BERTH_RETURN_IF_ERROR(ReadText(item, &list->emplace_back()));
  }
  return absl::OkStatus();
}

absl::Status ReadTargets(const toml::node& node,
                         std::vector<std::string>* list) {
  BERTH_RETURN_IF_ERROR(ReadList(node, list));
  for (const std::string& target : *list) {
    const size_t colon = target.rfind(':');
    if (colon == target.npos || colon == 0 || colon + 1 == target.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", target, "': write HOST:PORT, with * for any"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadKey(absl::string_view key, const toml::node& node,
                     Config* config) {
  if (key == "listen") return ReadText(node, &config->listen);
  if (key == "broker") return ReadText(node, &config->broker);
  if (key == "public_broker") return ReadText(node, &config->public_broker);
  if (key == "log_level") return ReadText(node, &config->log_level);
  if (key == "connections") {
    return ReadCount(node, 100'000, &config->connections);
  }
  if (key == "strangers") return ReadCount(node, 10'000, &config->strangers);
  if (key == "strangers_per_address") {
    return ReadCount(node, 10'000, &config->strangers_per_address);
  }
  if (key == "login_grace") return ReadTime(node, &config->login_grace);
  if (key == "auth_tries") return ReadCount(node, 100, &config->auth_tries);
  if (key == "channels") return ReadCount(node, 1000, &config->channels);
  if (key == "environment") return ReadList(node, &config->environment);
  if (key == "forward") return ReadTargets(node, &config->forward);
  return absl::NotFoundError(
      "no such key; there are listen, broker, public_broker, log_level, "
      "connections, strangers, strangers_per_address, login_grace, auth_tries, "
      "channels, "
      "environment and forward");
}

std::string List(const std::vector<std::string>& texts) {
  return absl::StrCat("[",
                      absl::StrJoin(texts, ", ",
                                    [](std::string* out, const auto& text) {
                                      absl::StrAppend(out, TomlString(text));
                                    }),
                      "]");
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path) {
  BERTH_ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, path));
  Config config;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const absl::Status status = ReadKey(name, node, &config);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", key.source().begin.line, ": '", name,
                       "': ", status.message()));
    }
  }
  return config;
}

std::string FormatConfig(const Config& config) {
  return absl::StrCat(
      "# Configuration of berth-gateway. Restart it after a change.\n\n",
      "# Where SSH clients connect to.\n",
      "listen = ", TomlString(config.listen), "\n\n", "# The broker.\n",
      "broker = ", TomlString(config.broker), "\n\n",
      "# What `berth login` is told instead, if users reach it otherwise.\n",
      config.public_broker.empty() ? "# " : "", "public_broker = ",
      TomlString(config.public_broker.empty() ? "berth.example.com:7780"
                                              : config.public_broker),
      "\n\n", "# trace, debug, info, warning, error, critical or off.\n",
      "log_level = ", TomlString(config.log_level), "\n\n",
      "# Connections at a time; and those that have not logged in yet, of all\n"
      "# and of one address, which have so long to do it.\n",
      "connections = ", config.connections, "\n",
      "strangers = ", config.strangers, "\n",
      "strangers_per_address = ", config.strangers_per_address, "\n",
      "login_grace = \"", absl::FormatDuration(config.login_grace), "\"\n\n",
      "# Keys that a client may try, and channels that it may have open.\n",
      "auth_tries = ", config.auth_tries, "\n", "channels = ", config.channels,
      "\n\n", "# Variables that a client may set; * stands for anything.\n",
      "environment = ", List(config.environment), "\n\n",
      "# Where connections may be forwarded to (ssh -L, -J, -W), as seen from\n"
      "# the computer: \"localhost:22\", \"db*:5432\". Nowhere: [].\n",
      "forward = ", List(config.forward), "\n");
}

}  // namespace berth::gateway

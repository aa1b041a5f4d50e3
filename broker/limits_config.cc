#include "broker/limits_config.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

absl::Status ReadNumber(const toml::node& node, int64_t max, double* value) {
  const std::optional<int64_t> number = node.value_exact<int64_t>();
  if (!number.has_value() || *number < 1 || *number > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a number between 1 and ", max));
  }
  *value = static_cast<double>(*number);
  return absl::OkStatus();
}

absl::Status ReadSize(const toml::node& node, int64_t max, size_t* value) {
  double number = 0;
  const absl::Status status = ReadNumber(node, max, &number);
  if (status.ok()) *value = static_cast<size_t>(number);
  return status;
}

absl::Status ReadTimeout(const toml::node& node, absl::Duration* value) {
  const std::string text = node.value_exact<std::string>().value_or("");
  if (!absl::ParseDuration(text, value) || *value < absl::Milliseconds(100) ||
      *value > absl::Minutes(5)) {
    return absl::InvalidArgumentError(
        "must be a time such as \"10s\", from 100ms to 5m");
  }
  return absl::OkStatus();
}

absl::Status ReadKey(absl::string_view key, const toml::node& node,
                     LimitsConfig* config) {
  constexpr int64_t kMost = 1'000'000'000;
  CallLimiter::Limits& calls = config->calls;
  if (key == "calls_per_second") {
    return ReadNumber(node, kMost, &calls.calls_per_second);
  }
  if (key == "calls_burst") return ReadNumber(node, kMost, &calls.calls_burst);
  if (key == "enrolments_per_second") {
    return ReadNumber(node, kMost, &calls.enrolments_per_second);
  }
  if (key == "enrolments_burst") {
    return ReadNumber(node, kMost, &calls.enrolments_burst);
  }
  if (key == "connections") {
    return ReadSize(node, kMost, &config->connections.connections);
  }
  if (key == "connections_per_address") {
    return ReadSize(node, kMost, &config->connections.for_each_address);
  }
  if (key == "handshake_timeout") {
    return ReadTimeout(node, &config->handshake_timeout);
  }
  if (key == "memory_mib") return ReadSize(node, 1 << 20, &config->memory_mib);
  return absl::InvalidArgumentError(
      "no such key; there are calls_per_second, calls_burst, "
      "enrolments_per_second, enrolments_burst, connections, "
      "connections_per_address, handshake_timeout and memory_mib");
}

}  // namespace

absl::Status ReadLimitsConfig(const toml::node& node, LimitsConfig* config) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return absl::InvalidArgumentError("must be a table: [limits]");
  }
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    const absl::Status status = ReadKey(name, value, config);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "': ", status.message()));
    }
  }
  return absl::OkStatus();
}

std::string FormatLimitsConfig(const LimitsConfig& config) {
  const auto whole = [](double value) { return static_cast<int64_t>(value); };
  return absl::StrCat(
      "[limits]\n",
      "# Calls of one user or agent: so many at once, and then so many a "
      "second.\n",
      "calls_per_second = ", whole(config.calls.calls_per_second), "\n",
      "calls_burst = ", whole(config.calls.calls_burst), "\n",
      "# Enrolments from one address, likewise; from all, ten times that.\n",
      "enrolments_per_second = ", whole(config.calls.enrolments_per_second),
      "\n", "enrolments_burst = ", whole(config.calls.enrolments_burst), "\n",
      "# Connections at a time; whoever comes later is turned away.\n",
      "connections = ", config.connections.connections, "\n",
      "connections_per_address = ", config.connections.for_each_address, "\n",
      "# How long a connection may take to say who it is.\n",
      "handshake_timeout = \"", absl::FormatDuration(config.handshake_timeout),
      "\"\n",
      "# What connections together may use for messages, in MiB; over it, "
      "calls are\n# refused.\n",
      "memory_mib = ", config.memory_mib, "\n");
}

}  // namespace berth::broker

#include "agent/sessions/config.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "toml++/toml.h"

namespace berth::agent {
namespace {

constexpr uint64_t kMinLogLimit = 1 << 20;
constexpr uint64_t kMaxLogLimit = uint64_t{1} << 40;
constexpr uint32_t kMostSessions = 100'000;

// Reads the parts of one file, and says where it is wrong.
class Parser {
 public:
  explicit Parser(absl::string_view path) : path_(path) {}

  absl::StatusOr<Config> Parse(absl::string_view text) {
    toml::parse_result parsed =
        toml::parse(std::string_view(text.data(), text.size()));
    if (!parsed) {
      return At(parsed.error().source(),
                std::string(parsed.error().description()));
    }
    Config config;
    for (auto&& [key, node] : parsed.table()) {
      BERTH_RETURN_IF_ERROR(TopLevel(std::string(key.str()), node, config));
    }
    if (!config.configurations.contains(config.default_configuration)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": default_configuration '",
                       config.default_configuration, "' does not exist"));
    }
    return config;
  }

 private:
  absl::Status At(const toml::source_region& where,
                  absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", where.begin.line, ": ", what));
  }

  absl::Status TopLevel(const std::string& key, const toml::node& node,
                        Config& config) const {
    if (key == "configurations" && node.is_table()) {
      for (auto&& [name, profile] : *node.as_table()) {
        const std::string text(name.str());
        const absl::Status good = CheckName("configuration", text);
        if (!good.ok()) return At(profile.source(), good.message());
        BERTH_RETURN_IF_ERROR(Profile(profile, config.configurations[text]));
      }
      return absl::OkStatus();
    }
    if (key == "default_configuration" && node.is_string()) {
      config.default_configuration = node.as_string()->get();
      return absl::OkStatus();
    }
    if (key == "max_sessions" && node.is_integer()) {
      const int64_t value = node.as_integer()->get();
      if (value < 1 || value > kMostSessions) {
        return At(node.source(),
                  absl::StrCat("max_sessions must be 1 to ", kMostSessions));
      }
      config.max_sessions = value;
      return absl::OkStatus();
    }
    return At(node.source(),
              absl::StrCat("'", key, "' is unknown, or of the wrong type"));
  }

  absl::Status Profile(const toml::node& node,
                       Configuration& configuration) const {
    if (!node.is_table()) {
      return At(node.source(), "a configuration must be a table");
    }
    for (auto&& [key, value] : *node.as_table()) {
      const std::string name(key.str());
      const absl::Status status = value.is_array()
                                      ? List(name, value, configuration)
                                      : Setting(name, value, configuration);
      if (!status.ok()) return At(value.source(), status.message());
    }
    if (configuration.idle_timeout < kMinIdleTimeout ||
        configuration.idle_timeout > configuration.max_idle_timeout) {
      return At(node.source(),
                "idle_timeout must be at least 60s and at most "
                "max_idle_timeout");
    }
    return absl::OkStatus();
  }

  absl::Status List(const std::string& name, const toml::node& value,
                    Configuration& configuration) const {
    if (name != "arguments") return Unknown(name);
    configuration.arguments.clear();
    for (const toml::node& argument : *value.as_array()) {
      if (!argument.is_string()) return Unknown(name);
      configuration.arguments.push_back(argument.as_string()->get());
    }
    return absl::OkStatus();
  }

  absl::Status Setting(const std::string& name, const toml::node& value,
                       Configuration& configuration) const {
    if (!value.is_string()) return Unknown(name);
    const std::string& text = value.as_string()->get();
    if (name == "shell") {
      if (text.empty() || text[0] != '/') {
        return absl::InvalidArgumentError("shell must be an absolute path");
      }
      configuration.shell = text;
      return absl::OkStatus();
    }
    if (name == "idle_timeout") return Time(text, configuration.idle_timeout);
    if (name == "max_idle_timeout") {
      return Time(text, configuration.max_idle_timeout);
    }
    if (name == "log_limit") return Bytes(text, configuration.log_limit);
    if (name == "when_full") {
      if (text != "block" && text != "drop") {
        return absl::InvalidArgumentError(
            "when_full must be \"block\" or \"drop\"");
      }
      configuration.drop_when_full = text == "drop";
      return absl::OkStatus();
    }
    return Unknown(name);
  }

  static absl::Status Unknown(const std::string& name) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is unknown, or of the wrong type"));
  }

  static absl::Status Time(const std::string& text, absl::Duration& time) {
    absl::Duration parsed;
    if (!absl::ParseDuration(text, &parsed) || parsed < kMinIdleTimeout ||
        parsed > absl::Hours(24 * 366)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", text, "' is no time such as \"2h\" from 60s to 366 days"));
    }
    time = parsed;
    return absl::OkStatus();
  }

  static absl::Status Bytes(absl::string_view text, uint64_t& bytes) {
    absl::string_view number = text;
    uint64_t unit = 1;
    if (absl::ConsumeSuffix(&number, "KiB")) {
      unit = 1 << 10;
    } else if (absl::ConsumeSuffix(&number, "MiB")) {
      unit = 1 << 20;
    } else if (absl::ConsumeSuffix(&number, "GiB")) {
      unit = 1 << 30;
    }
    uint64_t value = 0;
    if (!absl::SimpleAtoi(number, &value) || value > kMaxLogLimit / unit ||
        value * unit < kMinLogLimit) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", text, "' is no size such as \"64MiB\" from 1MiB to 1024GiB"));
    }
    bytes = value * unit;
    return absl::OkStatus();
  }

  const std::string path_;
};

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path) {
  return Parser(path).Parse(text);
}

}  // namespace berth::agent

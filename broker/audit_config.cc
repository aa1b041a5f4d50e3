#include "broker/audit_config.h"

#include <optional>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kMaxSegmentMiB = 4096;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::Status ReadKey(absl::string_view key, const toml::node& node,
                     AuditConfig* config) {
  const std::string text = node.value_exact<std::string>().value_or("");
  if (key == "mode") {
    if (text != "strict" && text != "best-effort") {
      return Bad("must be \"strict\" or \"best-effort\"");
    }
    config->mode = text == "strict" ? AuditLog::Mode::kStrict
                                    : AuditLog::Mode::kBestEffort;
    return absl::OkStatus();
  }
  if (key == "also") {
    using Also = AuditConfig::Also;
    if (text != "none" && text != "stdout" && text != "syslog") {
      return Bad("must be \"none\", \"stdout\" or \"syslog\"");
    }
    config->also = text == "none"     ? Also::kNone
                   : text == "stdout" ? Also::kStdout
                                      : Also::kSyslog;
    return absl::OkStatus();
  }
  if (key == "command_text") {
    if (text != "none" && text != "first-line") {
      return Bad("must be \"none\" or \"first-line\"");
    }
    config->command_text = text == "first-line";
    return absl::OkStatus();
  }
  if (key == "segment_mib") {
    const std::optional<int64_t> size = node.value_exact<int64_t>();
    if (!size.has_value() || *size < 1 || *size > kMaxSegmentMiB) {
      return Bad(
          absl::StrCat("must be a number between 1 and ", kMaxSegmentMiB));
    }
    config->segment_bytes = static_cast<uint64_t>(*size * kMiB);
    return absl::OkStatus();
  }
  if (key == "retention") {
    if (text == "forever") {
      config->retention = absl::ZeroDuration();
      return absl::OkStatus();
    }
    if (!absl::ParseDuration(text, &config->retention) ||
        config->retention < absl::Hours(1)) {
      return Bad(
          "must be \"forever\" or a time such as \"8760h\", at least 1h");
    }
    return absl::OkStatus();
  }
  return Bad(
      "no such key; there are mode, also, command_text, segment_mib and "
      "retention");
}

}  // namespace

absl::Status ReadAuditConfig(const toml::node& node, AuditConfig* config) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return Bad("must be a table: [audit]");
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    absl::Status status = ReadKey(name, value, config);
    if (!status.ok()) {
      return Bad(absl::StrCat("'", name, "': ", status.message()));
    }
  }
  return absl::OkStatus();
}

std::string FormatAuditConfig(const AuditConfig& config) {
  using Also = AuditConfig::Also;
  return absl::StrCat(
      "[audit]\n",
      "# strict: work waits until its event is on the disk, and is refused if "
      "it can't\n# be. best-effort: work goes on, and what is not written is "
      "counted.\n",
      "mode = \"",
      config.mode == AuditLog::Mode::kStrict ? "strict" : "best-effort", "\"\n",
      "# Where every line goes as well: none, stdout or syslog.\n", "also = \"",
      config.also == Also::kNone     ? "none"
      : config.also == Also::kStdout ? "stdout"
                                     : "syslog",
      "\"\n", "# How much of a command's text is kept: first-line or none.\n",
      "command_text = \"", config.command_text ? "first-line" : "none", "\"\n",
      "# A new file begins after this many MiB; how long they are kept.\n",
      "segment_mib = ", config.segment_bytes / kMiB, "\n", "retention = \"",
      config.retention == absl::ZeroDuration()
          ? "forever"
          : absl::FormatDuration(config.retention),
      "\"\n");
}

}  // namespace berth::broker

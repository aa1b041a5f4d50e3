#include "broker/recording_config.h"

#include <optional>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

constexpr int64_t kMaxDays = 36'500;
constexpr int64_t kMaxMiB = int64_t{1} << 30;
// Several segments.
constexpr int64_t kLeastMiB = 16;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::Status ReadKey(absl::string_view key, const toml::node& node,
                     RecordingConfig* config) {
  const std::optional<int64_t> value = node.value_exact<int64_t>();
  if (key == "keep_days") {
    if (!value.has_value() || *value < 0 || *value > kMaxDays) {
      return Bad(absl::StrCat("must be a number between 0 and ", kMaxDays));
    }
    config->keep = absl::Hours(24) * *value;
    return absl::OkStatus();
  }
  if (key == "max_mib") {
    if (!value.has_value() || *value > kMaxMiB ||
        (*value < kLeastMiB && *value != 0)) {
      return Bad(absl::StrCat("must be 0 or a number between ", kLeastMiB,
                              " and ", kMaxMiB));
    }
    config->max_bytes = static_cast<uint64_t>(*value) << 20;
    return absl::OkStatus();
  }
  return Bad("no such key; there are keep_days and max_mib");
}

}  // namespace

absl::Status ReadRecordingConfig(const toml::node& node,
                                 RecordingConfig* config) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return Bad("must be a table: [recording]");
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    absl::Status status = ReadKey(name, value, config);
    if (!status.ok()) {
      return Bad(absl::StrCat("'", name, "': ", status.message()));
    }
  }
  return absl::OkStatus();
}

std::string FormatRecordingConfig(const RecordingConfig& config) {
  return absl::StrCat(
      "[recording]\n",
      "# Recordings of sessions: how many days they are kept after their last "
      "entry,\n# and how much they take together; then the oldest that are "
      "over go. 0: no limit.\n",
      "keep_days = ", config.keep / absl::Hours(24), "\n",
      "max_mib = ", config.max_bytes >> 20, "\n");
}

}  // namespace berth::broker

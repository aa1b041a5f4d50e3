#ifndef BERTH_BROKER_REGISTRY_RECORDS_H_
#define BERTH_BROKER_REGISTRY_RECORDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace berth::broker {

// What is kept of a computer while the broker is down.
struct ComputerRecord {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string agent_version;
  std::string os;
  absl::Time enrolled_at;
  // When its link was last seen up.
  absl::Time last_seen;
  // Whether its link was up when this was kept.
  bool linked = false;
  // By name: berth.v1.Configuration, serialized.
  std::map<std::string, std::string> configurations = {};

  bool operator==(const ComputerRecord&) const = default;
};

// A join token. The token itself is not kept, only its SHA-256.
struct TokenRecord {
  std::string digest;
  // Which names may enrol with it: a name, or a wildcard. Empty: any.
  std::string name_pattern;
  std::string created_by;
  absl::Time expires_at;
  // The computer that used it last. Empty: nobody yet.
  std::string used_by;
  absl::Time used_at;
  // How often it may be used, and was.
  uint32_t max_uses = 1;
  uint32_t uses = 0;

  bool operator==(const TokenRecord&) const = default;
};

// What a broker could not know, for its operators.
struct NoticeRecord {
  absl::Time at;
  std::string text;

  bool operator==(const NoticeRecord&) const = default;
};

// One version of the policy.
struct PolicyRecord {
  // From 1, without holes.
  uint32_t version = 0;
  absl::Time at;
  // The user who applied it.
  std::string by;
  // As it was given.
  std::string text = {};
  // The built-in one: `text` is empty.
  bool built_in = false;
  // It was rolled back to this version. Not set: it was applied.
  std::optional<uint32_t> restores = {};

  bool operator==(const PolicyRecord&) const = default;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_RECORDS_H_
